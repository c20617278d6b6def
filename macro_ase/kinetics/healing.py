"""Metropolis swaps in a seam band until its bonds are nearest to those of the bulk.

    D = sum over shells and pairs A < B of (y_band - y_bulk)^2,    y = (N_AB + N_BA) / 2 n

The state with the least D of all looks is kept. Swaps are those of `swaps.swap_sweep`, number for
number. Bonds are counted as atoms move: where sites of the band turned from A to B, their
neighbours of species C in the bulk (0) and in the band (1) are added to m_0ABC and m_1ABC. Then

    N_AB + N_BA  of the band changes by s(d0) + 2 s(d1), of the bulk by s(d0),
    s(d) = d_AB + d_BA,    d_AC = sum_B (m_BAC - m_ABC).

Indices of inner loops are unsigned: the compiler need not ask whether they count from the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .padding import HALO, Geometry, put, put_at
from .random import integer_below, uniform


class Seam(NamedTuple):
    """Sites that may be swapped, all in the band, and what is counted of their bonds."""

    sites: NDArray[np.int64]  # (n,) padded positions
    cells: NDArray[np.int64]  # (n, 4) cell and basis site of each
    band: NDArray[np.bool_]  # padded, where the band is
    offsets: NDArray[np.int32]  # (n_basis, Z) padded offsets of the neighbours counted
    shell_of: NDArray[np.int64]  # (Z,) shell of each
    bonds: NDArray[np.int64]  # (2, n_shells, S, S) ordered, of bulk and band, at the start
    sizes: NDArray[np.int64]  # (2,) sites of bulk and band


class SwapEnergy(NamedTuple):
    """Energy differences by neighbour."""

    offsets: NDArray[np.int32]  # (n_basis, Z) padded offsets of all interacting neighbours
    gain: NDArray[np.float64]  # (S, S, Z, S) eV when a site turns from the first to the second
    beta: float  # 1 / k_B T, 1/eV


class Looks(NamedTuple):
    """How long to go on."""

    most: int  # looks
    attempts: int  # swaps before each
    patience: int  # looks without a better state, after which to stop


def gains(pair: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energy differences, shape (S, S, Z, S), of bond energies, shape (Z, S, S)."""
    return np.ascontiguousarray((pair[:, None] - pair[:, :, None]).transpose(1, 2, 0, 3))


@compiled
def _gained(moved: NDArray[np.int64], where: int, shell: int, a: int, c: int) -> int:
    """d_AC of bulk (0) or band (1)."""
    net = 0
    for b in range(moved.shape[0]):
        net += moved[b, a, where, shell, c] - moved[a, b, where, shell, c]
    return net


@compiled
def _mismatch(seam: Seam, moved: NDArray[np.int64]) -> float:
    """D, with m in an array of shape (S, S, 2, n_shells, S)."""
    total = 0.0
    if seam.sizes[0] == 0:
        return total
    bulk, band = seam.bonds[0], seam.bonds[1]
    for k in range(bulk.shape[0]):
        for a in range(moved.shape[0] - 1):
            for b in range(a + 1, moved.shape[0] - 1):
                outer = _gained(moved, 0, k, a, b) + _gained(moved, 0, k, b, a)
                inner = _gained(moved, 1, k, a, b) + _gained(moved, 1, k, b, a)
                y_bulk = (bulk[k, a, b] + bulk[k, b, a] + outer) / 2 / seam.sizes[0]
                y_band = (band[k, a, b] + band[k, b, a] + outer + 2 * inner) / 2 / seam.sizes[1]
                total += (y_band - y_bulk) ** 2
    return total


@compiled
def _near(geometry: Geometry, cells: NDArray[np.int64], first: int, second: int) -> bool:
    """Whether a site, or an image of it, may lie in reach of the other."""
    for axis in range(3):
        apart = abs(cells[first, axis] - cells[second, axis])
        if HALO < apart < geometry[axis] - HALO:
            return False
    return True


@compiled
def _difference(
    padded: NDArray[np.int8], energy: SwapEnergy, site: int, basis: int, old: int, new: int
) -> float:
    """Energy change (eV) when a site turns from one species to another."""
    change, here = 0.0, np.uint64(basis)
    from_, to = np.uint64(old), np.uint64(new)
    for k in range(np.uint64(energy.offsets.shape[1])):
        species = np.uint8(padded[np.uint64(site + energy.offsets[here, k])])
        change += energy.gain[from_, to, k, species]
    return change


@compiled
def _differences(
    padded: NDArray[np.int8],
    energy: SwapEnergy,
    i: int,
    basis_i: int,
    j: int,
    basis_j: int,
    at_i: int,
    at_j: int,
) -> float:
    """The sum of two `_difference` of sites that exchange their species, side by side."""
    change_i, change_j = 0.0, 0.0
    here_i, here_j, a, b = np.uint64(basis_i), np.uint64(basis_j), np.uint64(at_i), np.uint64(at_j)
    for k in range(np.uint64(energy.offsets.shape[1])):
        near_i = np.uint8(padded[np.uint64(i + energy.offsets[here_i, k])])
        near_j = np.uint8(padded[np.uint64(j + energy.offsets[here_j, k])])
        change_i += energy.gain[a, b, k, near_i]
        change_j += energy.gain[b, a, k, near_j]
    return change_i + change_j


@compiled
def _turn(
    geometry: Geometry,
    padded: NDArray[np.int8],
    seam: Seam,
    number: int,
    new: int,
    moved: NDArray[np.int64],
) -> None:
    """Give a site another species and count the bonds that change."""
    p, cells = seam.sites[number], seam.cells
    x, y, z, basis = cells[number, 0], cells[number, 1], cells[number, 2], cells[number, 3]
    before, after, here = np.uint8(padded[p]), np.uint8(new), np.uint64(basis)
    for j in range(np.uint64(seam.offsets.shape[1])):
        q = np.uint64(p + seam.offsets[here, j])
        k, species, where = np.uint64(seam.shell_of[j]), np.uint8(padded[q]), np.uint8(seam.band[q])
        moved[before, after, where, k, species] += 1
    put_at(geometry, padded, x, y, z, basis, new)


@compiled
def _sweep(
    geometry: Geometry,
    padded: NDArray[np.int8],
    seam: Seam,
    energy: SwapEnergy,
    attempts: int,
    rng: NDArray[np.uint64],
    moved: NDArray[np.int64],
) -> None:
    """Attempt swaps between random sites of the band."""
    sites, cells = seam.sites, seam.cells
    for _ in range(attempts):
        first = integer_below(rng, sites.size)
        second = integer_below(rng, sites.size)
        i, j = sites[first], sites[second]
        a, b = padded[i], padded[j]
        if a == b:
            continue
        if _near(geometry, cells, first, second):
            cost = _difference(padded, energy, i, cells[first, 3], a, b)
            put(geometry, padded, i, b)
            cost += _difference(padded, energy, j, cells[second, 3], b, a)
            put(geometry, padded, i, a)
        else:
            cost = _differences(padded, energy, i, cells[first, 3], j, cells[second, 3], a, b)
        if cost <= 0.0 or uniform(rng) < np.exp(-energy.beta * cost):
            _turn(geometry, padded, seam, first, b, moved)
            _turn(geometry, padded, seam, second, a, moved)


@compiled
def heal(
    geometry: Geometry,
    padded: NDArray[np.int8],
    seam: Seam,
    energy: SwapEnergy,
    looks: Looks,
    rng: NDArray[np.uint64],
) -> NDArray[np.int8]:
    """Species of the seam's sites, shape (n,), in the best state; ``padded`` ends in the last.

    Parameters
    ----------
    geometry : Geometry
    padded : int8 array
    seam : Seam
    energy : SwapEnergy
    looks : Looks
    rng : uint64 array, shape (4,)
    """
    n_shells, n_species = seam.bonds.shape[1:3]
    moved = np.zeros((n_species, n_species, 2, n_shells, n_species), dtype=np.int64)
    best, least, misses = padded[seam.sites], _mismatch(seam, moved), 0
    for _ in range(looks.most):
        _sweep(geometry, padded, seam, energy, looks.attempts, rng, moved)
        now = _mismatch(seam, moved)
        if now < least:
            best, least, misses = padded[seam.sites], now, 0
        else:
            misses += 1
        if misses == looks.patience:
            break
    return best
