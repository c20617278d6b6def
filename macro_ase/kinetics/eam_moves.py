"""Metropolis moves of places and species, with an embedded-atom potential of atoms that move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..compiled import compiled
from .eam_atoms import MovingEAM
from .eam_trials import Before, room_before, try_species, try_step
from .random import integer_below, uniform
from .site_moves import (
    TRANSMUTE,
    Neighbourhood,
    SpeciesBias,
    bias_change,
    choose_move,
    propose,
    relocate,
)

DISPLACE = TRANSMUTE + 1


class Trials(NamedTuple):
    """Moves of k kinds that are tried."""

    codes: NDArray[np.int64]  # (k,) `DISPLACE`, or those of `site_moves.propose`
    widths: Array  # (k,) longest displacement along each axis, A
    chances: Array  # (k,) cumulative probabilities
    bias: SpeciesBias
    sites: Neighbourhood  # of none: swaps of neighbours need sites that stay


@compiled
def _displace(
    eam: MovingEAM, before: Before, n: int, width: float, beta: float, rng: NDArray[np.uint64]
) -> tuple[int, bool, float]:
    """Try a step of any of n atoms but vacancies, which stay."""
    i, step = integer_below(rng, n), np.empty(3)
    for k in range(3):
        step[k] = width * (2 * uniform(rng) - 1)
    if eam.atoms.codes[i] == eam.functions.density.shape[0] - 1:
        return i, False, 0.0
    accepted, change = try_step(eam, before, i, step, beta, rng)
    return i, accepted, change


@compiled
def _attempt(
    eam: MovingEAM,
    before: Before,
    trials: Trials,
    number: int,
    active: NDArray[np.int64],
    role: NDArray[np.int8],
    vacancies: NDArray[np.int64],
    counts: NDArray[np.int64],
    beta: float,
    rng: NDArray[np.uint64],
) -> tuple[int, int, int, int, bool, float]:
    """Atoms i and j (or -1), species of i before and wanted, whether accepted, change in eV."""
    code, codes, bias = trials.codes[number], eam.atoms.codes, trials.bias
    if code == DISPLACE:
        i, accepted, change = _displace(eam, before, active.size, trials.widths[number], beta, rng)
        return i, -1, int(codes[i]), int(codes[i]), accepted, change
    i, j, new = propose(code, codes, active, role, trials.sites, 0, vacancies, bias.allowed, rng)
    old = int(codes[i])
    if new == old:
        return i, j, old, new, False, 0.0
    extra = 0.0 if j >= 0 else bias_change(bias, counts, old, new)
    accepted, change = try_species(eam, before, i, j, new, extra, beta, rng)
    return i, j, old, new, accepted, change


@compiled
def _counts(codes: NDArray[np.int8], n_species: int) -> NDArray[np.int64]:
    """Atoms of each species."""
    counts = np.zeros(n_species, dtype=np.int64)
    for code in codes:
        counts[code] += 1
    return counts


@compiled
def _away(places: Array, start: Array, i: int) -> float:
    """How far an atom is from where it was, A."""
    square = 0.0
    for k in range(3):
        square += (places[i, k] - start[i, k]) ** 2
    distance: float = np.sqrt(square)
    return distance


@compiled
def _follow(vacancies: NDArray[np.int64], left: bool, came: bool, i: int, j: int) -> None:
    """Note where a vacancy went that left atom i, or came to it."""
    if left:
        relocate(vacancies, i, j)
    elif came:
        relocate(vacancies, j, i)


@compiled
def metropolis_moving(
    eam: MovingEAM,
    start: Array,
    room: float,
    trials: Trials,
    betas: Array,
    attempts: int,
    rng: NDArray[np.uint64],
    tally: NDArray[np.int64],
    origin: NDArray[np.int64],
) -> tuple[float, int]:
    """Attempt moves of the n moving atoms; ``eam.atoms`` change in place.

    Parameters
    ----------
    eam : MovingEAM
        Filled. Neighbours within the cutoff and what an atom and a trial may go.
    start : array, shape (n, 3)
        Places for which neighbours were looked for, A.
    room : float
        Attempts end when an atom is further from there, A.
    trials : Trials
    betas, attempts, rng, tally, origin
        As of `eam_swaps.metropolis`.

    Returns
    -------
    float, int
        Change of the energy, eV, without the bias, and attempts that were made.
    """
    n, codes, vacancy = len(start), eam.atoms.codes, eam.functions.density.shape[0] - 1
    active, role = np.arange(n), np.ones(n, dtype=np.int8)
    vacancies, counts = np.flatnonzero(codes[:n] == vacancy), _counts(codes[:n], vacancy + 1)
    before, total = room_before(eam.near), 0.0
    for attempt in range(attempts):
        number, beta = choose_move(trials.chances, rng), betas[min(attempt, betas.size - 1)]
        i, j, old, new, accepted, change = _attempt(
            eam, before, trials, number, active, role, vacancies, counts, beta, rng
        )
        tally[number, 0, old, new] += 1
        tally[number, 1, old, new] += int(accepted)
        total += change
        if accepted and j >= 0:
            origin[i], origin[j] = origin[j], origin[i]
            _follow(vacancies, old == vacancy, new == vacancy, i, j)
        elif accepted:
            counts[old] -= 1
            counts[new] += 1
        if _away(eam.atoms.places, start, i) > room:
            return total, attempt + 1
    return total, attempts
