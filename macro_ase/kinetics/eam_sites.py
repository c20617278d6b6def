"""An embedded-atom potential on fixed sites: its arrays, the state of the sites, energies.

    E = sum_i F_a(i)(rho_i) + 1/2 sum_i sum_{j != i} phi_a(i)a(j)(r_ij),
    rho_i = sum_{j != i} f_a(j)(r_ij)

The sites stay, so phi and f are needed at a few distances only, the *kinds* of neighbours.
Densities are whole numbers of a tiny unit, 2^-b of an interval of F, so that rho is a function of
the arrangement and not of its history: nothing drifts, and undoing a move undoes it exactly.
The interval of F is rho >> b, and where rho lies in it the last b bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled, inlined
from .site_moves import Neighbourhood


class EAMSites(NamedTuple):
    """Arrays of a potential on n sites; S species with the vacancy last, K kinds of neighbours."""

    near: Neighbourhood  # all neighbours within the cutoff
    pair: NDArray[np.float64]  # (K, S, S) phi, eV
    density: NDArray[np.int64]  # (K, S) f in units
    shells: NDArray[np.int64]  # (K,) row of the bond counts, or -1
    embedding: NDArray[np.float64]  # (S, nrho, 4) cubics of F, eV; the last its tangent at the end
    bits: int  # b
    unit: float  # 2^-b


class SiteState(NamedTuple):
    """What n sites hold."""

    occupation: NDArray[np.int8]  # (n,) species codes
    density: NDArray[np.int64]  # (n,) rho in units
    embedded: NDArray[np.float64]  # (n,) F(rho), eV
    place: NDArray[np.int32]  # (n,) scratch, -1 between calls
    role: NDArray[np.int8]  # (n,) scratch, 0 between calls


@inlined
def neighbours_of(near: Neighbourhood, site: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Neighbours of a site and their kinds, shape (z,)."""
    start, stop = near.starts[site], near.starts[site + 1]
    row = near.rows[site]
    return near.neighbors[start:stop], near.kinds[row : row + stop - start]


@inlined
def embedding_energy(tables: EAMSites, species: int, density: int) -> float:
    """F(rho) in eV; above the last knot along the tangent."""
    c, s = tables.embedding, np.uint8(species)
    interval = min(max(density >> tables.bits, 0), c.shape[1] - 1)
    p = (density - (interval << tables.bits)) * tables.unit
    k = np.uint64(interval)
    energy: float = c[s, k, 0] + p * (c[s, k, 1] + p * (c[s, k, 2] + p * c[s, k, 3]))
    return energy


@compiled
def fill_state(tables: EAMSites, state: SiteState) -> None:
    """Densities and embedding energies of all sites from the species on them."""
    for i in range(state.occupation.size):
        near, kinds = neighbours_of(tables.near, i)
        rho = 0
        for e in range(near.size):
            rho += tables.density[kinds[e], state.occupation[near[e]]]
        state.density[i] = rho
        state.embedded[i] = embedding_energy(tables, state.occupation[i], rho)


@compiled
def site_energies(tables: EAMSites, state: SiteState) -> NDArray[np.float64]:
    """Embedding energy and half of the pair energies of every site, shape (n,), eV."""
    energies = state.embedded.copy()
    for i in range(energies.size):
        near, kinds = neighbours_of(tables.near, i)
        pair = 0.0
        for e in range(near.size):
            pair += tables.pair[kinds[e], state.occupation[i], state.occupation[near[e]]]
        energies[i] += 0.5 * pair
    return energies
