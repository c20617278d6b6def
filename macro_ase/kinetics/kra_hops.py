"""Barriers of the kinetically resolved activation (KRA) form, from lookup tables.

    E_hop = max(E_KRA, |dE|/2 + floor) + dE/2

E_KRA and dE are sums over the window of sites around the bond of a table entry that
depends on the site's place in the window, its species and the hopping species. Turning
the window with the hop direction lets all eight directions share one table. The maximum
is symmetric under reversal of the hop, so detailed balance stays exact. Indices are unsigned: for
signed ones the compiler must ask whether they count from the end. Sums of two directions that grow
side by side need not wait for each other's last addition.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .barrier_tables import register

KRA_FLOOR_EV = 0.02


class KRATables(NamedTuple):
    """Arrays of a KRA model on one grid; S species with the vacancy last, W window sites."""

    targets: NDArray[np.int32]  # (n_basis, 8) padded offsets of the hop targets
    window: NDArray[np.int32]  # (n_basis, 8, W) padded offsets of the window, turned with the hop
    reach: NDArray[np.int32]  # (n_basis, R) offsets of all sites that the 8 barriers depend on
    activation: NDArray[np.float64]  # (S,) constant part of E_KRA by hopping species
    weights: NDArray[np.float64]  # (S, W, S, 2) by hopping species, place, species: E_KRA and dE


@compiled
def _barrier(hopping: np.uint8, vacancy: int, activation: float, change: float) -> float:
    if hopping == vacancy:
        return np.inf
    return max(activation, 0.5 * abs(change) + KRA_FLOOR_EV) + 0.5 * change


@compiled
def kra_barriers(
    tables: KRATables, padded: NDArray[np.int8], site: int, basis: int, out: NDArray[np.float64]
) -> int:
    """Barriers of the eight hops, two at a time; see `barriers_at`."""
    vacancy, near, here = tables.activation.size - 1, 0, np.uint64(basis)
    for j in range(np.uint64(tables.reach.shape[1])):
        near += padded[np.uint64(site + tables.reach[here, j])] == vacancy
    for d in range(np.uint64(0), np.uint64(8), np.uint64(2)):
        e = d + np.uint64(1)
        atom_d = np.uint8(padded[np.uint64(site + tables.targets[here, d])])
        atom_e = np.uint8(padded[np.uint64(site + tables.targets[here, e])])
        activation_d, change_d = tables.activation[atom_d], 0.0
        activation_e, change_e = tables.activation[atom_e], 0.0
        for j in range(np.uint64(tables.window.shape[2])):
            at_d = np.uint8(padded[np.uint64(site + tables.window[here, d, j])])
            at_e = np.uint8(padded[np.uint64(site + tables.window[here, e, j])])
            activation_d += tables.weights[atom_d, j, at_d, 0]
            change_d += tables.weights[atom_d, j, at_d, 1]
            activation_e += tables.weights[atom_e, j, at_e, 0]
            change_e += tables.weights[atom_e, j, at_e, 1]
        out[d] = _barrier(atom_d, vacancy, activation_d, change_d)
        out[e] = _barrier(atom_e, vacancy, activation_e, change_e)
    return near


register(KRATables, kra_barriers)
