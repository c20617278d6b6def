"""Metropolis moves of species on fixed sites with an embedded-atom potential.

A move changes the pair energies of its two sites, and the density of all sites that see one of
them (see `eam_sites`): those alone are evaluated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .eam_sites import EAMSites, SiteState, embedding_energy
from .random import uniform
from .site_moves import (
    Neighbourhood,
    SpeciesBias,
    bias_change,
    choose_move,
    propose,
    relocate,
)

CORE, BUFFER = 2, 1


class _Touched(NamedTuple):
    """Sites whose density a move changes; as long as a move can need."""

    sites: NDArray[np.int64]
    density: NDArray[np.int64]
    embedded: NDArray[np.float64]


@compiled
def _touch(state: SiteState, touched: _Touched, n: int, site: int) -> int:
    """Make sure that a site is among the touched; how many they are then."""
    if state.place[site] >= 0:
        return n
    state.place[site] = n
    touched.sites[n] = site
    touched.density[n] = state.density[site]
    return n + 1


@compiled
def _change_site(
    tables: EAMSites, state: SiteState, touched: _Touched, n: int, site: int, new: int
) -> tuple[float, int]:
    """Give a site another species; change of the pair energy (eV), and of the touched."""
    old = state.occupation[site]
    change = 0.0
    for e in range(tables.near.starts[site], tables.near.starts[site + 1]):
        m, kind = tables.near.neighbors[e], tables.kinds[e]
        if m == site:
            change += 0.5 * (tables.pair[kind, new, new] - tables.pair[kind, old, old])
        else:
            s = state.occupation[m]
            change += tables.pair[kind, new, s] - tables.pair[kind, old, s]
        n = _touch(state, touched, n, m)
        touched.density[state.place[m]] += tables.density[kind, new] - tables.density[kind, old]
    state.occupation[site] = new
    return change, _touch(state, touched, n, site)


@compiled
def _embed(tables: EAMSites, state: SiteState, touched: _Touched, n: int) -> float:
    """Change of the embedding energy of the touched, eV."""
    change = 0.0
    for k in range(n):
        m = touched.sites[k]
        touched.embedded[k] = embedding_energy(tables, state.occupation[m], touched.density[k])
        change += touched.embedded[k] - state.embedded[m]
        state.place[m] = -1
    return change


@compiled
def _change_sites(
    tables: EAMSites, state: SiteState, touched: _Touched, i: int, j: int, new: int
) -> tuple[float, int]:
    """Make a move in the occupation; energy change (eV), and how many sites are touched."""
    old = state.occupation[i]
    change, n = _change_site(tables, state, touched, 0, i, new)
    if j >= 0:
        more, n = _change_site(tables, state, touched, n, j, old)
        change += more
    return change + _embed(tables, state, touched, n), n


@compiled
def _put(occupation: NDArray[np.int8], i: int, at_i: int, j: int, at_j: int) -> None:
    occupation[i] = at_i
    if j >= 0:
        occupation[j] = at_j


@compiled
def _keep(state: SiteState, touched: _Touched, n: int) -> None:
    for k in range(n):
        m = touched.sites[k]
        state.density[m] = touched.density[k]
        state.embedded[m] = touched.embedded[k]


@compiled
def _count_bonds(
    tables: EAMSites,
    occupation: NDArray[np.int8],
    site: int,
    new: int,
    bonds: NDArray[np.int64],
    times: int,
) -> None:
    """Give a site another species and add the change of the ordered bond counts, some times."""
    old = occupation[site]
    for e in range(tables.near.starts[site], tables.near.starts[site + 1]):
        k = tables.shells[tables.kinds[e]]
        if k < 0:
            break
        m = tables.near.neighbors[e]
        if m == site:
            bonds[k, old, old] -= times
            bonds[k, new, new] += times
        else:
            s = occupation[m]
            bonds[k, old, s] -= times
            bonds[k, s, old] -= times
            bonds[k, new, s] += times
            bonds[k, s, new] += times
    occupation[site] = new


@compiled
def _workspace(near: Neighbourhood, active: NDArray[np.int64]) -> _Touched:
    longest = 0
    for i in active:
        longest = max(longest, near.starts[i + 1] - near.starts[i])
    size = 2 * (longest + 1)
    return _Touched(np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64), np.empty(size))


@compiled
def move_energy(tables: EAMSites, state: SiteState, i: int, j: int, new: int) -> float:
    """Energy change (eV) if site i turned into ``new`` and site j, unless -1, into what i was."""
    old = state.occupation[i]
    touched = _workspace(tables.near, np.array([i, max(i, j)]))
    change, _ = _change_sites(tables, state, touched, i, j, new)
    _put(state.occupation, i, old, j, new)
    return change


@compiled
def _enter(
    state: SiteState, near: Neighbourhood, active: NDArray[np.int64], n_core: int, n_species: int
) -> tuple[NDArray[np.int64], int]:
    """Mark the active sites; atoms by species, and the most nearest neighbours of any."""
    counts, most = np.zeros(n_species, dtype=np.int64), 0
    for k in range(active.size):
        i = active[k]
        state.role[i] = CORE if k < n_core else BUFFER
        counts[state.occupation[i]] += 1
        most = max(most, near.nearest[i])
    return counts, most


@compiled
def _halves_in_core(role: NDArray[np.int8], i: int, j: int) -> int:
    """Halves of a move that belong to the core: one for each of its sites there."""
    if j < 0:
        return 2 * int(role[i] == CORE)
    return int(role[i] == CORE) + int(role[j] == CORE)


@compiled
def _attempt(
    tables: EAMSites,
    state: SiteState,
    active: NDArray[np.int64],
    n_core: int,
    moves: NDArray[np.int64],
    chances: NDArray[np.float64],
    bias: SpeciesBias,
    betas: NDArray[np.float64],
    attempts: int,
    rng: NDArray[np.uint64],
    tally: NDArray[np.int64],
    bonds: NDArray[np.int64],
    origin: NDArray[np.int64],
) -> float:
    """`metropolis`, which leaves the active sites marked."""
    occupation, near = state.occupation, tables.near
    vacancy = tables.pair.shape[1] - 1
    touched = _workspace(near, active)
    counts, most = _enter(state, near, active, n_core, vacancy + 1)
    vacancies = np.sort(active[occupation[active] == vacancy])
    total = 0.0
    for attempt in range(attempts):
        number = choose_move(chances, rng)
        i, j, new = propose(
            moves[number], occupation, active, state.role, near, most, vacancies, bias.allowed, rng
        )
        old = int(occupation[i])
        tally[number, 0, old, new] += 1
        if new == old:
            continue
        change, n = _change_sites(tables, state, touched, i, j, new)
        cost = change if j >= 0 else change + bias_change(bias, counts, old, new)
        beta = betas[min(attempt, betas.size - 1)]
        if cost > 0.0 and uniform(rng) >= np.exp(-beta * cost):
            _put(occupation, i, old, j, new)
            continue
        tally[number, 1, old, new] += 1
        total += change
        _keep(state, touched, n)
        halves = _halves_in_core(state.role, i, j)
        if bonds.size > 0 and halves > 0:
            _put(occupation, i, old, j, new)
            _count_bonds(tables, occupation, i, new, bonds, halves)
            if j >= 0:
                _count_bonds(tables, occupation, j, old, bonds, halves)
        if j >= 0 and origin.size > 0:
            origin[i], origin[j] = origin[j], origin[i]
        if j < 0:
            counts[old] -= 1
            counts[new] += 1
        elif old == vacancy:
            relocate(vacancies, i, j)
        elif new == vacancy:
            relocate(vacancies, j, i)
    return total


@compiled
def metropolis(
    tables: EAMSites,
    state: SiteState,
    active: NDArray[np.int64],
    n_core: int,
    moves: NDArray[np.int64],
    chances: NDArray[np.float64],
    bias: SpeciesBias,
    betas: NDArray[np.float64],
    attempts: int,
    rng: NDArray[np.uint64],
    tally: NDArray[np.int64],
    bonds: NDArray[np.int64],
    origin: NDArray[np.int64],
) -> float:
    """Attempt moves of the active sites; ``state`` changes in place.

    Parameters
    ----------
    tables : EAMSites
    state : SiteState
    active : int64 array
        Sites that may change, those of the core first.
    n_core : int
    moves : int64 array, shape (n_moves,)
        Moves of `site_moves.propose`.
    chances : float64 array, shape (n_moves,)
        Their cumulative probabilities.
    bias : SpeciesBias
    betas : float64 array
        1 / k_B T of every attempt, 1/eV; the last holds on.
    attempts : int
    rng : uint64 array, shape (4,)
    tally : int64 array, shape (n_moves, 2, S, S)
        Attempts and acceptances are added, by the species of site i and the one it shall have.
    bonds : int64 array, shape (n_shells, S, S)
        Twice the whole change of the ordered bond counts by moves in the core is added; a move
        of which one site lies in the core adds it once. May be empty.
    origin : int64 array, shape (n,)
        Follows what changes places: entries of two sites are exchanged with what they hold. May be
        empty.

    Returns
    -------
    float
        Change of the energy, eV, without the bias.
    """
    total = _attempt(
        tables, state, active, n_core, moves, chances, bias, betas, attempts, rng,
        tally, bonds, origin,
    )  # fmt: skip
    state.role[active] = 0
    return total
