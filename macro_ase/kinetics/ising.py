"""The Ising model on periodic chains, squares and cubes: neighbours, counts, flip rates.

    H = -J sum_<ij> s_i s_j - h sum_i s_i,    s_i = +1 or -1,    k_B = 1.

Turning s_i over changes H by 2 s_i (J S_i + h), where S_i is the sum of its z neighbours, so a
flip's rate depends on its class alone:

    class = (z + 1) [s_i = +1] + number of neighbours that are +1.

Sites are numbered in C order. Which neighbours lie across the periodic boundary depends only on
the faces of the block that a site lies on, so a byte a site stands for a table of neighbours.

What a kernel counts is a tally, an int64 array of the columns below; a flip in the core counts
with all its bonds, also those that leave the core.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from ..arrays import as_numbers
from ..compiled import compiled, inlined

MAGNETISATION, BROKEN_BONDS, CORE_MAGNETISATION, CORE_BROKEN_BONDS, FLIPS = range(5)
TALLY_COLUMNS = 5


class PeriodicLattice(NamedTuple):
    """Neighbours by arithmetic: those of site s are ``s + offsets[faces[s]]``, modulo 2**64.

    Attributes
    ----------
    faces : uint8 array, shape (n_sites,)
        Sum over axes k of 3**k times 1 (first), 2 (last) or 0 (between).
    offsets : uint64 array, shape (3**d, 2 d)
        Unsigned, for then an index needs no test of its sign.
    """

    faces: NDArray[np.uint8]
    offsets: NDArray[np.uint64]


def require_size(size: ArrayLike) -> tuple[int, ...]:
    """Sites along each axis, if they make a lattice.

    Raises
    ------
    ValueError
        If these are not one, two or three whole numbers of at least 3.
    """
    lengths = np.atleast_1d(as_numbers(size, "size"))
    if lengths.ndim != 1 or not 1 <= len(lengths) <= 3 or np.any(lengths % 1 != 0):
        raise ValueError(f"size must be one, two or three whole numbers, not {size!r}")
    if lengths.min() < 3:
        raise ValueError(
            f"size must be 3 or more along each axis (2 would bond twice), not {size!r}"
        )
    return tuple(int(length) for length in lengths)


@lru_cache(maxsize=32)
def periodic_lattice(size: tuple[int, ...]) -> PeriodicLattice:
    """Neighbours on a periodic chain (L,), square (Lx, Ly) or cubic (Lx, Ly, Lz) lattice.

    Raises
    ------
    ValueError
        If an axis has fewer than 3 sites.
    """
    lengths = require_size(size)
    powers = 3 ** np.arange(len(lengths))
    sites = np.indices(lengths).reshape(len(lengths), -1)
    last = np.array(lengths)[:, None] - 1
    faces = powers @ ((sites == 0) + 2 * (sites == last))
    digits = np.arange(3 ** len(lengths))[:, None] // powers % 3
    strides = [math.prod(lengths[k + 1 :]) for k in range(len(lengths))]
    steps = []
    for k, stride in enumerate(strides):
        steps.append(np.where(digits[:, k] == 2, 1 - lengths[k], 1) * stride)
        steps.append(np.where(digits[:, k] == 1, lengths[k] - 1, -1) * stride)
    offsets = np.stack(steps, axis=1).astype(np.int64)
    return PeriodicLattice(faces.astype(np.uint8), offsets.view(np.uint64))


def neighbor_table(lattice: PeriodicLattice) -> NDArray[np.int64]:
    """Neighbours of all sites, shape (n_sites, z): +1 and -1 along each axis in turn."""
    sites = np.arange(len(lattice.faces), dtype=np.uint64)
    return (sites[:, None] + lattice.offsets[lattice.faces]).astype(np.int64)


def flip_energies(n_neighbors: int, coupling: float, field: float) -> NDArray[np.float64]:
    """Change of H by a flip of each class, shape (2 (z + 1),)."""
    up = np.arange(n_neighbors + 1)
    local_field = coupling * (2 * up - n_neighbors) + field
    return np.concatenate([-2 * local_field, 2 * local_field])


def glauber_rates(energies: ArrayLike, temperature: ArrayLike) -> NDArray[np.float64]:
    """Rates w = 1 / (1 + exp(dH / T)) of flips.

    Parameters
    ----------
    energies : array
        Changes of H.
    temperature : float or array, shape (n_replicas,)

    Returns
    -------
    array, shape (1 or n_replicas, *energies.shape)
    """
    inverse = 1 / np.atleast_1d(np.asarray(temperature, float))
    rates: NDArray[np.float64] = expit(-np.multiply.outer(inverse, energies))
    return rates


@compiled
def number_of_sites(active: NDArray[np.int32], n_sites: int) -> int:
    """How many sites may flip: none named means all."""
    return active.size if active.size else n_sites


@compiled
def site_at(active: NDArray[np.int32], i: int) -> np.uint64:
    """The i-th of the sites that may flip."""
    return np.uint64(active[np.uint64(i)]) if active.size else np.uint64(i)


@inlined
def neighbor_sum(spins: NDArray[np.int8], lattice: PeriodicLattice, site: np.uint64) -> int:
    """Sum of a site's neighbours, which come in pairs."""
    offsets, face = lattice.offsets, np.uint64(lattice.faces[site])
    total = 0
    for j in range(0, offsets.shape[1], 2):
        there, back = offsets[face, np.uint64(j)], offsets[face, np.uint64(j + 1)]
        total += int(spins[site + there]) + int(spins[site + back])
    return total


@compiled
def flip_class(spin: int, total: int, n_neighbors: int) -> np.uint64:
    """Class of a spin from the sum of its neighbours."""
    return np.uint64(((spin + 1) * (n_neighbors + 1) + total + n_neighbors) >> 1)


@compiled
def flip(
    spins: NDArray[np.int8],
    site: np.uint64,
    total: int,
    in_core: bool,
    tally: NDArray[np.int64],
) -> None:
    """Turn a spin over whose neighbours sum to ``total``, and count it."""
    spin = int(spins[site])
    spins[site] = -spin
    tally[MAGNETISATION] -= 2 * spin
    tally[BROKEN_BONDS] += spin * total
    tally[FLIPS] += 1
    if in_core:
        tally[CORE_MAGNETISATION] -= 2 * spin
        tally[CORE_BROKEN_BONDS] += spin * total


@compiled
def count_spins(spins: NDArray[np.int8], lattice: PeriodicLattice) -> NDArray[np.int64]:
    """Tally of replicas, spins of shape (n_replicas, n_sites), that nothing has happened to yet.

    Returns
    -------
    int64 array, shape (n_replicas, 5)
        Magnetisation sum(s) and number of broken bonds; the other columns are 0.
    """
    n_replicas, n_sites = spins.shape
    n_bonds = n_sites * lattice.offsets.shape[1] // 2
    tally = np.zeros((n_replicas, TALLY_COLUMNS), dtype=np.int64)
    for r in range(n_replicas):
        aligned = 0
        for i in range(n_sites):
            site = np.uint64(i)
            spin = int(spins[r, site])
            tally[r, MAGNETISATION] += spin
            aligned += spin * neighbor_sum(spins[r], lattice, site)
        tally[r, BROKEN_BONDS] = (n_bonds - aligned // 2) // 2
    return tally
