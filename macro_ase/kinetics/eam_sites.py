"""An embedded-atom potential on fixed sites: its arrays, the state of the sites, energies.

    E = sum_i F_a(i)(rho_i) + 1/2 sum_i sum_{j != i} phi_a(i)a(j)(r_ij),
    rho_i = sum_{j != i} f_a(j)(r_ij)

The sites stay, so phi and f are needed at a few distances only, the *kinds* of neighbours.
Densities are whole numbers of a tiny unit, so that rho is a function of the arrangement and not
of its history: nothing drifts, and undoing a move undoes it exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .site_moves import Neighbourhood


class EAMSites(NamedTuple):
    """Arrays of a potential on n sites; S species with the vacancy last, K kinds of neighbours."""

    near: Neighbourhood  # all neighbours within the cutoff
    kinds: NDArray[np.int32]  # (n_edges,) kind of each
    pair: NDArray[np.float64]  # (K, S, S) phi, eV
    density: NDArray[np.int64]  # (K, S) f in units
    shells: NDArray[np.int64]  # (K,) row of the bond counts, or -1
    embedding: NDArray[np.float64]  # (S, nrho - 1, 4) cubics of F, eV
    knots_per_unit: float  # unit of density / spacing of F


class SiteState(NamedTuple):
    """What n sites hold."""

    occupation: NDArray[np.int8]  # (n,) species codes
    density: NDArray[np.int64]  # (n,) rho in units
    embedded: NDArray[np.float64]  # (n,) F(rho), eV
    place: NDArray[np.int32]  # (n,) scratch, -1 between calls
    role: NDArray[np.int8]  # (n,) scratch, 0 between calls


@compiled
def embedding_energy(tables: EAMSites, species: int, density: int) -> float:
    """F(rho) in eV; above the last knot along the tangent."""
    position = density * tables.knots_per_unit
    last = tables.embedding.shape[1]
    interval = min(max(int(position), 0), last - 1)
    p = min(position - interval, 1.0)
    c = tables.embedding
    c0, c1 = c[species, interval, 0], c[species, interval, 1]
    c2, c3 = c[species, interval, 2], c[species, interval, 3]
    value = c0 + p * (c1 + p * (c2 + p * c3))
    if position > last:
        value += (position - last) * (c1 + 2 * c2 + 3 * c3)
    return value


@compiled
def fill_state(tables: EAMSites, state: SiteState) -> None:
    """Densities and embedding energies of all sites from the species on them."""
    starts = tables.near.starts
    for i in range(state.occupation.size):
        rho = 0
        for e in range(starts[i], starts[i + 1]):
            rho += tables.density[tables.kinds[e], state.occupation[tables.near.neighbors[e]]]
        state.density[i] = rho
        state.embedded[i] = embedding_energy(tables, state.occupation[i], rho)


@compiled
def site_energies(tables: EAMSites, state: SiteState) -> NDArray[np.float64]:
    """Embedding energy and half of the pair energies of every site, shape (n,), eV."""
    energies = state.embedded.copy()
    starts = tables.near.starts
    for i in range(energies.size):
        pair = 0.0
        for e in range(starts[i], starts[i + 1]):
            s = state.occupation[tables.near.neighbors[e]]
            pair += tables.pair[tables.kinds[e], state.occupation[i], s]
        energies[i] += 0.5 * pair
    return energies
