"""Detailed balance of a Monte Carlo move: as many steps from i to j as back, in equilibrium.

Steps begin in states drawn from exp(-E / kT) itself. With N_ij of them from i to j,

    N_ij, given N_ij + N_ji,   is binomial with probability 1/2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from ..arrays import Array
from ..counts import require_count
from ..rng import Seed, coerce_rng
from .result import FALSE_ALARM, Comparison, Statistic, asserting, joint_p_value, require_level
from .states import Numbered, boltzmann

LEAST_STEPS = 10


def check_reversible(
    step: Callable[[Any], Any],
    states: Sequence[Any] | NDArray[Any],
    energy: Callable[[Any], float] | ArrayLike,
    kT: float,
    *,
    n_steps: int = 20_000,
    rng: Seed = 0,
    wrong: float = 1.25,
    false_alarm: float = FALSE_ALARM,
) -> Comparison:
    """Compare how often a move goes from one state to another with how often it goes back.

    Two statistics: chi-squared over pairs of states with ten steps or more, and steps up in energy
    against steps down. A move that passes keeps exp(-E / kT); one that fails may keep it yet, as
    moves in a fixed order do.

    Parameters
    ----------
    step : callable
        From a state the next, by one move, from its argument and random numbers alone.
    states, energy, kT
        As of `check_boltzmann`.
    n_steps : int
    rng : seed or Generator
        Of the states that steps begin in.
    wrong, false_alarm : float
        The same steps must reject ``wrong`` x kT; a move in balance is rejected this often.

    Raises
    ------
    ValueError
        If a state is reached that is not among those given.

    Examples
    --------
    >>> import numpy as np
    >>> random, energies = np.random.default_rng(0), [0.0, 1.0, 0.5, 2.0]
    >>> def hop(well, factor=1.0):
    ...     new = (well + random.choice([-1, 1])) % 4
    ...     up = energies[new] - energies[well]
    ...     return new if random.random() < np.exp(-factor * up) else well
    >>> check_reversible(hop, range(4), energies, kT=1.0).passed
    True
    >>> check_reversible(lambda well: hop(well, 0.0), range(4), energies, kT=1.0).rejected
    True
    """
    require_level(false_alarm, wrong)
    numbered, n = Numbered(states), require_count(n_steps, "n_steps", 1)
    energies = numbered.energies(energy)
    exact, other = boltzmann(energies, kT), boltzmann(energies, wrong * kT)
    starts = coerce_rng(rng).choice(len(exact), size=n, p=exact)
    ends = np.array([numbered.number(step(numbered.states[k])) for k in starts])
    pairs, words = _Pairs.of(starts, ends, energies), f"{n} steps between {len(exact)} states"
    statistics, worst = pairs.against(np.full(len(pairs.up), 0.5), numbered.states)
    blind, _ = pairs.against(pairs.share_up(exact, other), numbered.states)
    control, chance = f"balance at {wrong:g} kT", joint_p_value(blind)
    what = f"{words} and their reversals"
    return Comparison(what, statistics, false_alarm, worst, control, chance)


assert_reversible = asserting(check_reversible, "assert_reversible")


@dataclass(frozen=True)
class _Pairs:
    """Steps between pairs of states: from the one of lower energy up, and down again."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    up: Array
    down: Array

    @classmethod
    def of(cls, starts: Any, ends: Any, energies: Array) -> _Pairs:
        rank = np.argsort(np.argsort(energies, kind="stable"))
        moved = starts != ends
        first, second = starts[moved], ends[moved]
        rises = rank[first] < rank[second]
        low, high = np.where(rises, first, second), np.where(rises, second, first)
        codes, place = np.unique(low * len(energies) + high, return_inverse=True)
        up, both = (np.bincount(place, w, len(codes)).astype(float) for w in (rises, None))
        return cls(codes // len(energies), codes % len(energies), up, both - up)

    def share_up(self, start: Array, balance: Array) -> Array:
        """Of the steps of each pair, if moves that begin by one law are in balance by another."""
        odds = start[self.low] * balance[self.high] / (start[self.high] * balance[self.low])
        return np.asarray(odds / (1 + odds))

    def against(self, share: Array, states: Sequence[Any]) -> tuple[tuple[Statistic, ...], str]:
        """Statistics if this share of the steps of each pair goes up, and the worst pair."""
        if not len(self.up):
            return (Statistic("steps", 0.0, 1.0),), "no step at all"
        total = self.up + self.down
        variance = total * share * (1 - share)
        off = self.up - share * total
        z = float(off.sum() / np.sqrt(variance.sum()))
        often = total >= LEAST_STEPS
        chi2, degrees = float((off[often] ** 2 / variance[often]).sum()), int(often.sum())
        k = int((np.abs(off) / np.sqrt(variance)).argmax())
        way = f"{states[self.low[k]]} -> {states[self.high[k]]}"
        found = [Statistic("z of steps up", z, float(2 * stats.norm.sf(abs(z))))]
        if degrees:
            chance = float(stats.chi2.sf(chi2, degrees))
            found.insert(0, Statistic(f"chi2 of {degrees} pairs", chi2, chance))
        return tuple(found), f"{way}: {self.up[k]:.0f} steps, and {self.down[k]:.0f} back"
