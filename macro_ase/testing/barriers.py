"""Detailed balance of barriers or rates: forward less backward is the change of energy.

    E_b(s -> s') - E_b(s' -> s) = E(s') - E(s),        k(s -> s') / k(s' -> s) = exp(-(E' - E) / kT)

Without an energy the differences must add up to 0 around every closed loop (A. N. Kolmogorov, Math.
Ann. 112, 155 (1936)): only then is there an energy that they belong to.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..barriers.base import BarrierModel
from ..counts import require_count
from ..reals import require_positive
from .result import Comparison, Statistic, asserting
from .states import state_key

Moves = Callable[[Any], Iterable[tuple[Any, float]]]
"""From a state to the states that it can go to, each with its barrier (or rate)."""

Ways = dict[Hashable, list[float]]
TOLERANCE = 1e-6


def vacancy_hops(model: BarrierModel, atoms: Atoms) -> Moves:
    """Hops of all vacancies of a crystal by a barrier model, as moves between tuples of numbers.

    Parameters
    ----------
    model : BarrierModel
    atoms : ase.Atoms
        With its vacancies marked ``X``; `atoms.numbers` is a state.

    Returns
    -------
    callable
        From atomic numbers to a list of (numbers after a hop, barrier in eV).

    Examples
    --------
    >>> from macro_ase import ConstantBarriers, build_crystal
    >>> crystal = build_crystal("bcc", "NbMo", (3, 3, 3), vacancies=1, rng=0)
    >>> hops = vacancy_hops(ConstantBarriers({"Nb": 0.9, "Mo": 1.1}), crystal)
    >>> len(hops(crystal.numbers))
    8
    """
    frame = atoms.copy()

    def moves(numbers: Any) -> list[tuple[Any, float]]:
        frame.numbers[:] = numbers
        found = []
        for vacancy in np.flatnonzero(frame.numbers == 0):
            for target, barrier_eV in zip(*model.hop_barriers(frame, int(vacancy))):
                after = frame.numbers.copy()
                after[[vacancy, target]] = after[[target, vacancy]]
                found.append((tuple(after.tolist()), float(barrier_eV)))
        return found

    return moves


def check_barriers(
    moves: Moves,
    states: Sequence[Any] | NDArray[Any],
    energy: Callable[[Any], float],
    *,
    kT: float | None = None,
    tolerance: float = TOLERANCE,
) -> Comparison:
    """Compare barriers there and back with the change of the energy.

    The negative control is built in: energies with the other sign must not fit.

    Parameters
    ----------
    moves : callable
        From a state the list of (next state, barrier); infinite barriers are left out.
    states : sequence or array
        States whose moves, there and back, are looked at; a few random ones will do.
    energy : callable
        Of a state, in the unit of the barriers.
    kT : float, optional
        `moves` gives rates, and -kT ln(rate) is the barrier; rates of 0 are left out.
    tolerance : float
        Largest difference that passes, in the unit of the energy.

    Raises
    ------
    ValueError
        If no state has a move.

    Examples
    --------
    Barriers halfway between two energies, and barriers that know only where they begin.

    >>> energies = [0.0, 0.3, -0.2]
    >>> def halfway(s):
    ...     return [(t, 1.0 + (energies[t] - energies[s]) / 2) for t in range(3) if t != s]
    >>> def started(s):
    ...     return [(t, 1.0 - energies[s] / 2) for t in range(3) if t != s]
    >>> check_barriers(halfway, range(3), energies.__getitem__).passed
    True
    >>> print(check_barriers(started, range(3), energies.__getitem__))  # doctest: +ELLIPSIS
    6 moves and their energies: differ; largest violation = 0.25; ... 1 -> 2: -0.25 there less ...
    """
    require_positive(tolerance, "tolerance")
    n_moves, largest, turned, worst = _violations(_Remembered(moves, kT), states, energy)
    if not n_moves:
        raise ValueError("no state has a move to look at")
    return _exact(
        f"{n_moves} moves and their energies", largest, tolerance, worst, "the other sign", turned
    )


assert_barriers = asserting(check_barriers, "assert_barriers")


def _violations(
    ways: _Remembered, states: Sequence[Any] | NDArray[Any], energy: Callable[[Any], float]
) -> tuple[int, float, float, str]:
    """Number of moves, the largest violation, that with the other sign, and where it is."""
    worst, largest, turned, n_moves = "", 0.0, 0.0, 0
    for state in states:
        before = float(energy(state))
        for after, there in ways(state).items():
            back = ways(after).get(state_key(state), [])
            change = float(energy(ways.state(after))) - before
            difference = _difference(there, back)
            off, n_moves = abs(difference - change), n_moves + len(there)
            turned = max(turned, abs(difference + change))
            if off > largest:
                largest, way = off, f"{state_key(state)} -> {after}"
                worst = f"{way}: {difference:.6g} there less back, {change:.6g} in energy"
    return n_moves, largest, turned, worst


def check_loops(
    moves: Moves,
    start: Any,
    *,
    n_states: int = 100,
    kT: float | None = None,
    tolerance: float = TOLERANCE,
) -> Comparison:
    """Follow barriers around the closed loops near a state: no energy is needed.

    States are visited outwards from the first. The first way to each gives it an energy, and every
    other closes a loop, around which barriers there less barriers back must add up to 0. The
    negative control is built in: with all differences counted upwards the loops must stay open.

    Parameters
    ----------
    moves, kT, tolerance
        As of `check_barriers`.
    start
        State to begin with.
    n_states : int
        States to be visited. Loops are the more frequent, the fewer species there are.

    Raises
    ------
    ValueError
        If no loop closed.

    Examples
    --------
    Wells in a ring, by a potential; and with a wind around the ring.

    >>> from math import sin
    >>> def ring(wind):
    ...     return lambda s: [((s + d) % 5, 1 + (sin((s + d) % 5) - sin(s)) / 2 + wind * d)
    ...                       for d in (-1, 1)]
    >>> check_loops(ring(0.0), 0).passed, check_loops(ring(0.1), 0).rejected
    (True, True)
    """
    require_positive(tolerance, "tolerance")
    edges = _edges(_Remembered(moves, kT), start, require_count(n_states, "n_states", 2))
    loops, worst = _misfits(edges)
    if not len(loops):
        raise ValueError(f"no loop closes within {n_states} states: visit more, or fewer species")
    upwards = [(a, b, abs(difference)) for a, b, difference in edges]
    return _exact(
        f"{len(loops)} closed loops of barriers",
        float(loops.max()),
        tolerance,
        worst,
        "all steps upwards",
        float(_misfits(upwards)[0].max()),
    )


assert_loops = asserting(check_loops, "assert_loops")


class _Remembered:
    """Barriers by the state that they lead to, each state asked once."""

    def __init__(self, moves: Moves, kT: float | None) -> None:
        self.moves, self.kT = moves, None if kT is None else require_positive(kT, "kT")
        self._ways: dict[Hashable, Ways] = {}
        self._states: dict[Hashable, Any] = {}

    def __call__(self, state: Any) -> Ways:
        key = state_key(state)
        if key not in self._ways:
            ways: Ways = {}
            for after, value in self.moves(self._states.get(key, state)):
                barrier = self._barrier(float(value))
                if barrier < math.inf:
                    ways.setdefault(state_key(after), []).append(barrier)
                    self._states.setdefault(state_key(after), after)
            self._ways[key] = ways
        return self._ways[key]

    def state(self, key: Hashable) -> Any:
        """As the moves gave it."""
        return self._states[key]

    def _barrier(self, value: float) -> float:
        if math.isnan(value) or (self.kT is not None and value < 0):
            raise ValueError(f"moves gave {value}, which is no barrier or rate")
        if self.kT is None:
            return value
        return -self.kT * math.log(value) if value > 0 else math.inf


def _difference(there: list[float], back: list[float]) -> float:
    """Barriers there less those back; of several ways, all alike or infinite."""
    if len(there) != len(back):
        return math.inf
    ways = np.subtract(sorted(there), sorted(back))
    return float(ways[np.abs(ways - np.median(ways)).argmax()])


def _edges(ways: _Remembered, start: Any, n_states: int) -> list[tuple[Hashable, Hashable, float]]:
    """(known state, state, barriers there less back), outwards from the first state."""
    waiting, edges = deque([start]), []
    ways_to: dict[Hashable, dict[Hashable, list[float]]] = {state_key(start): {}}
    done: dict[Hashable, Ways] = {}
    while waiting and len(done) < n_states:
        state = waiting.popleft()
        here, own = state_key(state), ways(state)
        for other in dict.fromkeys([*ways_to[here], *(k for k in own if k in done)]):
            there = ways_to[here].get(other, [])
            edges.append((other, here, _difference(there, own.get(other, []))))
        done[here] = own
        for other, barriers in own.items():
            if other not in ways_to:
                ways_to[other] = {}
                waiting.append(ways.state(other))
            ways_to[other][here] = barriers
    return edges


def _misfits(
    edges: list[tuple[Hashable, Hashable, float]],
) -> tuple[NDArray[np.float64], str]:
    """By how much every loop fails to close, and the edge that closes the worst."""
    energy: dict[Hashable, float] = {}
    misfits, names = [], []
    for known, state, difference in edges:
        reached = energy.setdefault(known, 0.0) + difference
        if state in energy or math.isinf(difference):
            off = reached - energy.get(state, 0.0)
            misfits.append(abs(off))
            names.append(f"{known} -> {state}: off by {off:.6g}")
        else:
            energy[state] = reached
    return np.array(misfits), names[int(np.argmax(misfits))] if misfits else ""


def _exact(
    what: str, largest: float, tolerance: float, worst: str, control: str, wrong: float
) -> Comparison:
    """A comparison without chance: its p-values are 0 or 1."""
    found = Statistic("largest violation", largest, float(largest <= tolerance))
    return Comparison(what, (found,), 0.0, worst, control, float(wrong <= tolerance))
