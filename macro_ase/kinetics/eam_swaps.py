"""Metropolis moves of species on fixed sites with an embedded-atom potential.

A move changes the pair energies of its two sites, and the density of all sites that see one of
them (see `eam_sites`): those alone are evaluated. It is made, and undone where it is rejected.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled, inlined
from .eam_sites import EAMSites, SiteState, embedding_energy, neighbours_of
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


@inlined
def _turn(tables: EAMSites, state: SiteState, site: int, species: int) -> float:
    """Give a site a species; densities around it follow. Change of the pair energies, eV."""
    near, kinds = neighbours_of(tables.near, site)
    old, new = np.uint8(state.occupation[site]), np.uint8(species)
    change = 0.0
    for e in range(near.size):
        m, kind = near[e], kinds[e]
        if m == site:
            change += 0.5 * (tables.pair[kind, new, new] - tables.pair[kind, old, old])
        else:
            s = np.uint8(state.occupation[m])
            change += tables.pair[kind, new, s] - tables.pair[kind, old, s]
        state.density[m] += tables.density[kind, new] - tables.density[kind, old]
    state.occupation[site] = species
    return change


@inlined
def _turn_back(tables: EAMSites, state: SiteState, site: int, species: int) -> None:
    """Undo `_turn`."""
    near, kinds = neighbours_of(tables.near, site)
    old, new = np.uint8(state.occupation[site]), np.uint8(species)
    for e in range(near.size):
        kind = kinds[e]
        state.density[near[e]] += tables.density[kind, new] - tables.density[kind, old]
    state.occupation[site] = species


@inlined
def _embed(tables: EAMSites, state: SiteState, site: int, before: NDArray[np.float64]) -> float:
    """Embed a site and its neighbours in their densities; change of the energy, eV.

    What they had is kept in ``before``. Whatever was embedded already changes nothing.
    """
    near, _ = neighbours_of(tables.near, site)
    before[near.size] = state.embedded[site]
    energy = embedding_energy(tables, state.occupation[site], state.density[site])
    change: float = energy - state.embedded[site]
    state.embedded[site] = energy
    for e in range(near.size):
        m = near[e]
        energy = embedding_energy(tables, state.occupation[m], state.density[m])
        before[e] = state.embedded[m]
        change += energy - state.embedded[m]
        state.embedded[m] = energy
    return change


@inlined
def _embed_back(tables: EAMSites, state: SiteState, site: int, before: NDArray[np.float64]) -> None:
    """Undo `_embed`: what was kept first of a site is put back last."""
    near, _ = neighbours_of(tables.near, site)
    for k in range(near.size):
        e = np.uint64(near.size - 1 - k)
        state.embedded[near[e]] = before[e]
    state.embedded[site] = before[near.size]


@inlined
def _make(
    tables: EAMSites, state: SiteState, before: NDArray[np.float64], i: int, j: int, new: int
) -> float:
    """Make a move; its energy change, eV."""
    site, species, change = i, new, 0.0
    for _ in range(1 if j < 0 else 2):
        old = int(state.occupation[site])
        change += _turn(tables, state, site, species)
        site, species = j, old
    for k in range(1 if j < 0 else 2):
        change += _embed(tables, state, i if k == 0 else j, before[k])
    return change


@inlined
def _undo(
    tables: EAMSites, state: SiteState, before: NDArray[np.float64], i: int, j: int, old: int
) -> None:
    """Undo `_make`, to the last bit."""
    new = int(state.occupation[i])
    for k in range(0 if j < 0 else 1, -1, -1):
        site = i if k == 0 else j
        _embed_back(tables, state, site, before[k])
        _turn_back(tables, state, site, old if k == 0 else new)


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
    near, kinds = neighbours_of(tables.near, site)
    old = occupation[site]
    for e in range(near.size):
        k = tables.shells[kinds[e]]
        if k < 0:
            break
        m = near[e]
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
def _count_move(
    tables: EAMSites,
    occupation: NDArray[np.int8],
    i: int,
    j: int,
    old: int,
    bonds: NDArray[np.int64],
    times: int,
) -> None:
    """Add the change of the ordered bond counts by a move that was made, some times."""
    new = occupation[i]
    occupation[i] = old
    if j >= 0:
        occupation[j] = new
    _count_bonds(tables, occupation, i, new, bonds, times)
    if j >= 0:
        _count_bonds(tables, occupation, j, old, bonds, times)


@compiled
def _workspace(near: Neighbourhood, active: NDArray[np.int64]) -> NDArray[np.float64]:
    """Room for what two of the sites and their neighbours had, shape (2, ...)."""
    longest = 0
    for i in active:
        longest = max(longest, near.starts[i + 1] - near.starts[i])
    return np.empty((2, longest + 1))


@compiled
def move_energy(tables: EAMSites, state: SiteState, i: int, j: int, new: int) -> float:
    """Energy change (eV) if site i turned into ``new`` and site j, unless -1, into what i was."""
    old = int(state.occupation[i])
    before = _workspace(tables.near, np.array([i, max(i, j)]))
    change = _make(tables, state, before, i, j, new)
    _undo(tables, state, before, i, j, old)
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


@inlined
def _attempt(
    tables: EAMSites,
    state: SiteState,
    active: NDArray[np.int64],
    n_core: int,
    vacancies: NDArray[np.int64],
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
    """`metropolis`, written out there."""
    occupation, near = state.occupation, tables.near
    vacancy = tables.pair.shape[1] - 1
    before = _workspace(near, active)
    counts, most = _enter(state, near, active, n_core, vacancy + 1)
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
        change = _make(tables, state, before, i, j, new)
        cost = change if j >= 0 else change + bias_change(bias, counts, old, new)
        beta = betas[min(attempt, betas.size - 1)]
        if cost > 0.0 and uniform(rng) >= np.exp(-beta * cost):
            _undo(tables, state, before, i, j, old)
            continue
        tally[number, 1, old, new] += 1
        total += change
        halves = _halves_in_core(state.role, i, j)
        if bonds.size > 0 and halves > 0:
            _count_move(tables, occupation, i, j, old, bonds, halves)
        if j >= 0 and origin.size > 0:
            origin[i], origin[j] = origin[j], origin[i]
        if j < 0:
            counts[old] -= 1
            counts[new] += 1
        elif old == vacancy:
            relocate(vacancies, i, j)
        elif new == vacancy:
            relocate(vacancies, j, i)
    for k in range(active.size):
        state.role[active[k]] = 0
    return total


@compiled
def metropolis(
    tables: EAMSites,
    state: SiteState,
    active: NDArray[np.int64],
    n_core: int,
    vacancies: NDArray[np.int64],
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
    vacancies : int64 array
        Those of them that are vacant, ascending; follows them.
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
    return _attempt(
        tables, state, active, n_core, vacancies, moves, chances, bias, betas, attempts, rng,
        tally, bonds, origin,
    )  # fmt: skip
