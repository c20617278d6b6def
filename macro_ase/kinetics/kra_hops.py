"""Barriers of the kinetically resolved activation (KRA) form, from lookup tables.

    E_hop = max(E_KRA, |dE|/2 + floor) + dE/2

E_KRA and dE are sums over the window of sites around the bond of a table entry that
depends on the site's place in the window, its species and the hopping species. Turning
the window with the hop direction lets all eight directions share one table. The maximum
is symmetric under reversal of the hop, so detailed balance stays exact.
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
def kra_barriers(
    tables: KRATables, padded: NDArray[np.int8], site: int, basis: int, out: NDArray[np.float64]
) -> int:
    """Barriers of the eight hops; see `barriers_at`."""
    vacancy = tables.activation.size - 1
    n_window = tables.window.shape[2]
    near = 0
    for d in range(8):
        hopping = padded[site + tables.targets[basis, d]]
        if hopping == vacancy:
            out[d] = np.inf
            near += 1
            continue
        activation = tables.activation[hopping]
        change = 0.0
        for j in range(n_window):
            species = padded[site + tables.window[basis, d, j]]
            near += species == vacancy
            activation += tables.weights[hopping, j, species, 0]
            change += tables.weights[hopping, j, species, 1]
        out[d] = max(activation, 0.5 * abs(change) + KRA_FLOOR_EV) + 0.5 * change
    return near


register(KRATables, kra_barriers)
