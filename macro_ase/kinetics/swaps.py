"""Metropolis swaps of unlike sites on a pair energy, at fixed composition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .padding import Geometry, put
from .random import integer_below, uniform


@compiled
def site_energy_difference(
    padded: NDArray[np.int8],
    site: int,
    basis: int,
    old: int,
    new: int,
    offsets: NDArray[np.int32],
    pair: NDArray[np.float64],
) -> float:
    """Energy change (eV) when a site turns from species ``old`` to ``new``."""
    change = 0.0
    for j in range(offsets.shape[1]):
        s = padded[site + offsets[basis, j]]
        change += pair[j, new, s] - pair[j, old, s]
    return change


@compiled
def swap_sweep(
    geometry: Geometry,
    padded: NDArray[np.int8],
    candidates: NDArray[np.int64],
    offsets: NDArray[np.int32],
    pair: NDArray[np.float64],
    betas: NDArray[np.float64],
    attempts: int,
    rng: NDArray[np.uint64],
    origin: NDArray[np.int64],
) -> tuple[int, float]:
    """Attempt swaps between random candidate sites; ``padded`` changes in place.

    Parameters
    ----------
    candidates : int64 array, shape (n,)
        Padded positions of the sites that may be swapped.
    offsets : int32 array, shape (n_basis, Z)
        Offsets of all interacting neighbours.
    pair : float64 array, shape (Z, S, S)
        Energy of a bond to each of them, eV.
    betas : float64 array
        1 / k_B T of every attempt, 1/eV; the last holds on.
    attempts : int
        Number of attempts; a pair of like species counts as one and changes nothing.
    rng : uint64 array, shape (4,)
    origin : int64 array, shape (n,)
        Follows what changes places: entries of two candidates are exchanged with what they hold.
        May be empty.

    Returns
    -------
    accepted : int
    change : float
        Change of the energy, eV.
    """
    accepted = 0
    total = 0.0
    for attempt in range(attempts):
        first = integer_below(rng, candidates.size)
        second = integer_below(rng, candidates.size)
        i, j = candidates[first], candidates[second]
        a, b = padded[i], padded[j]
        if a == b:
            continue
        n_basis = geometry.n_basis
        change = site_energy_difference(padded, i, i % n_basis, a, b, offsets, pair)
        put(geometry, padded, i, b)
        change += site_energy_difference(padded, j, j % n_basis, b, a, offsets, pair)
        beta = betas[min(attempt, betas.size - 1)]
        if change <= 0.0 or uniform(rng) < np.exp(-beta * change):
            put(geometry, padded, j, a)
            if origin.size > 0:
                origin[first], origin[second] = origin[second], origin[first]
            accepted += 1
            total += change
        else:
            put(geometry, padded, i, a)
    return accepted, total
