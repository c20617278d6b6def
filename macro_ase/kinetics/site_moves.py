"""Proposals of Monte Carlo moves that change species on fixed sites.

A move gives site i the species of site j and the reverse, or gives site i another species
alone (then j = -1). Each proposal is as probable as its reverse. One that would change nothing,
or would leave the active sites, proposes site i its own species: an attempt like any other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .random import integer_below, uniform

SWAP, NEIGHBOUR_SWAP, VACANCY_SWAP, TRANSMUTE = range(4)


class Neighbourhood(NamedTuple):
    """Neighbours of n sites, the nearer first; a site that is its own image counts too.

    Their *kinds* are the distances that occur. Sites of one sublattice share a row of them.
    """

    starts: NDArray[np.int64]  # (n + 1,) where the neighbours of a site begin
    neighbors: NDArray[np.uint32]  # (n_edges,)
    nearest: NDArray[np.int32]  # (n,) how many of them `NEIGHBOUR_SWAP` may choose
    rows: NDArray[np.int64]  # (n,) where the kinds of a site's neighbours begin
    kinds: NDArray[np.uint32]  # kind of each neighbour, ascending, by row


class SpeciesBias(NamedTuple):
    """Terms of the composition (semi-grand ensembles) that are added to the energy.

        U = - sum_s mu_s N_s + sum_s kappa_s N (N_s / N - c_s)^2

    over the atoms of the active sites; B. Sadigh et al., Phys. Rev. B 85, 184203 (2012).
    """

    allowed: NDArray[np.int64]  # species codes that `TRANSMUTE` turns into one another
    mu: NDArray[np.float64]  # (S,) chemical potentials, eV
    kappa: NDArray[np.float64]  # (S,) stiffness, eV
    target: NDArray[np.float64]  # (S,) fractions c_s


@compiled
def _among(values: NDArray[np.int64], wanted: int) -> bool:
    for value in values:
        if value == wanted:
            return True
    return False


@compiled
def propose(
    move: int,
    occupation: NDArray[np.int8],
    active: NDArray[np.int64],
    role: NDArray[np.int8],
    near: Neighbourhood,
    most: int,
    vacancies: NDArray[np.int64],
    allowed: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> tuple[int, int, int]:
    """Site i, site j (or -1) and the species that i shall have.

    Parameters
    ----------
    move : int
        `SWAP` of two active sites, `NEIGHBOUR_SWAP` of an active site and one of its nearest,
        `VACANCY_SWAP` of an active vacancy and an active site, or `TRANSMUTE`.
    occupation : int8 array, shape (n,)
    active : int64 array
        Sites that may change.
    role : int8 array, shape (n,)
        0 for all others.
    near : Neighbourhood
    most : int
        Largest of ``near.nearest`` over the active sites.
    vacancies : int64 array
        Active vacancies, ascending.
    allowed : int64 array
        Species that transmute.
    rng : uint64 array, shape (4,)
    """
    pool = vacancies if move == VACANCY_SWAP else active
    i = pool[integer_below(rng, pool.size)]
    if move == TRANSMUTE:
        new = allowed[integer_below(rng, allowed.size)]
        return i, -1, new if _among(allowed, occupation[i]) else int(occupation[i])
    if move == NEIGHBOUR_SWAP:
        k = integer_below(rng, most)
        j = int(near.neighbors[near.starts[i] + k]) if k < near.nearest[i] else i
        j = j if role[j] != 0 else i
    else:
        j = active[integer_below(rng, active.size)]
    return i, j, int(occupation[j])


@compiled
def choose_move(chances: NDArray[np.float64], rng: NDArray[np.uint64]) -> int:
    """Number of a move; ``chances``, shape (n_moves,), are cumulative and end in 1."""
    if chances.size == 1:
        return 0
    x = uniform(rng)
    chosen = 0
    while chosen < chances.size - 1 and x >= chances[chosen]:
        chosen += 1
    return chosen


@compiled
def bias_change(bias: SpeciesBias, counts: NDArray[np.int64], old: int, new: int) -> float:
    """Change of U (eV) when one atom of ``old`` turns into ``new``; ``counts`` has shape (S,)."""
    n = 0
    for s in range(counts.size - 1):
        n += counts[s]
    change: float = bias.mu[old] - bias.mu[new]
    change += bias.kappa[new] * (2 * (counts[new] - bias.target[new] * n) + 1) / n
    change -= bias.kappa[old] * (2 * (counts[old] - bias.target[old] * n) - 1) / n
    return change


@compiled
def relocate(vacancies: NDArray[np.int64], old: int, new: int) -> None:
    """Note that a vacancy went from one site to another; the list is ascending and stays so."""
    v, above = 0, vacancies.size
    while v < above:
        middle = (v + above) // 2
        if vacancies[middle] < old:
            v = middle + 1
        else:
            above = middle
    while v > 0 and vacancies[v - 1] > new:
        vacancies[v] = vacancies[v - 1]
        v -= 1
    while v < vacancies.size - 1 and vacancies[v + 1] < new:
        vacancies[v] = vacancies[v + 1]
        v += 1
    vacancies[v] = new


@compiled
def surroundings(
    near: Neighbourhood, sites: NDArray[np.int64], place: NDArray[np.int32]
) -> NDArray[np.int64]:
    """The sites and all their neighbours, each once; ``place`` is scratch, -1 before and after."""
    found = [np.int64(0) for _ in range(0)]
    for i in sites:
        if place[i] < 0:
            place[i] = 0
            found.append(i)
        for e in range(near.starts[i], near.starts[i + 1]):
            m = np.int64(near.neighbors[e])
            if place[m] < 0:
                place[m] = 0
                found.append(m)
    for m in found:
        place[m] = -1
    return np.array(found)
