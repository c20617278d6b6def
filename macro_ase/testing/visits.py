"""How often states are visited against their probabilities, by samples that remember each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array, finite_array
from ..reals import require_positive
from ..statistics import integrated_autocorrelation_time
from .blocks import LARGEST_Z_OF_NEIGHBOURS, N_BLOCKS, block_test
from .blocks import neighbours_z as z_of_neighbours
from .result import FALSE_ALARM, Comparison, Statistic, asserting, joint_p_value

LEAST_EXPECTED = 10
BLOCK_OF_MEMORY = 4


@dataclass(frozen=True)
class Visits:
    """A run of numbered states.

    Attributes
    ----------
    numbers : int array, shape (n,)
    weights : array, shape (n,)
        Of mean 1.
    """

    numbers: NDArray[np.int64]
    weights: Array

    @classmethod
    def of(cls, numbers: Any, n_states: int, weights: ArrayLike | None) -> Visits:
        """Checked, cut to whole blocks."""
        own = np.asarray(numbers)
        if own.ndim != 1 or own.dtype.kind not in "iu":
            raise ValueError("visits must be whole numbers of states, shape (n,)")
        n = len(own) - len(own) % N_BLOCKS
        if n < LEAST_EXPECTED * N_BLOCKS:
            raise ValueError(f"{len(own)} visits are too few: at least 640 are needed")
        if own.min() < 0 or own.max() >= n_states:
            raise ValueError(f"visits must be numbers from 0 to {n_states - 1}")
        w = np.ones(n) if weights is None else finite_array(weights, "weights", len(own))[:n]
        if not w.min() >= 0 or not w.max() > 0:
            raise ValueError("weights must be 0 or larger, and not all 0")
        return cls(own[:n].astype(np.int64), w / w.mean())

    def sums(self, values: Array) -> Array:
        """Weighted means over blocks of a value of each state, shape (B,)."""
        each = (self.weights * values[self.numbers]).reshape(N_BLOCKS, -1)
        return np.asarray(each.mean(axis=1))

    def shares(self, n_states: int) -> Array:
        """Weighted shares of states in every block, shape (B, n_states)."""
        block = np.repeat(np.arange(N_BLOCKS), len(self.numbers) // N_BLOCKS)
        place, cells = block * n_states + self.numbers, N_BLOCKS * n_states
        counts = np.bincount(place, self.weights, cells).reshape(N_BLOCKS, n_states)
        return counts * N_BLOCKS / len(self.numbers)

    def memory(self, probabilities: Array) -> float:
        """Visits for an independent one, at least 1, from how often the state changes."""
        changes = max(1.0, float(np.count_nonzero(np.diff(self.numbers))))
        expected = len(self.numbers) * (1 - float((probabilities**2).sum()))
        return max(1.0, 2 * expected / changes - 1)

    def require_length(self, values: Array | None, likeliest: int) -> None:
        """ValueError if blocks are shorter than four times the memory."""
        series = [(self.numbers == likeliest).astype(float)]
        series += [] if values is None else [values[self.numbers]]
        tau = float(integrated_autocorrelation_time(np.array(series).T).max())
        needed = round(BLOCK_OF_MEMORY * N_BLOCKS * tau)
        if len(self.numbers) < needed:
            raise ValueError(
                f"samples remember one another for {tau:.3g} samples: take {needed}, "
                f"not {len(self.numbers)}, or let more happen between them"
            )


def check_visits(
    visits: ArrayLike,
    probabilities: ArrayLike,
    wrong: ArrayLike,
    *,
    values: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    labels: Sequence[Any] | None = None,
    what: str = "shares of visits and probabilities",
    control: str = "the wrong probabilities",
    false_alarm: float = FALSE_ALARM,
) -> Comparison:
    """Compare how often states were visited with their probabilities.

    Two statistics: the shares of all states together (`blocks.block_test`), and the mean of a
    value, such as the energy, which notices a wrong temperature sooner. Both know how long samples
    remember one another. States that are expected less than ten times independently are taken
    together.

    Parameters
    ----------
    visits : int array, shape (n,)
        Numbers of states in the order of the run, at least 640; chains one after the other.
    probabilities, wrong : arrays, shape (n_states,)
        The law; and the negative control, which the same visits must reject.
    values : array, shape (n_states,), optional
        Of every state.
    weights : array, shape (n,), optional
        Residence times, where states are shown once a move and not once a time.
    labels, what, control : optional
        Names of states, and words for the message.
    false_alarm : float
        A right sampler is rejected as often as this.

    Raises
    ------
    ValueError
        If shapes do not match, or samples remember one another for too long: it says what to do.

    Examples
    --------
    >>> import numpy as np
    >>> rolls, fair = np.random.default_rng(0).integers(6, size=6000), np.full(6, 1 / 6)
    >>> loaded = np.array([.15, .15, .15, .15, .15, .25])
    >>> check_visits(rolls, fair, wrong=loaded).passed
    True
    >>> print(check_visits(rolls, loaded, wrong=fair, labels="123456").worst)
    6: a share of 0.1715, not 0.25
    """
    require_positive(false_alarm, "false_alarm", most=0.5)
    exact = _distribution(probabilities, "probabilities")
    other = _distribution(wrong, "wrong", len(exact))
    run = Visits.of(visits, len(exact), weights)
    own = None if values is None else finite_array(values, "values", len(exact))
    run.require_length(own, int(exact.argmax()))
    statistics, worst = _against(run, exact, own, labels)
    blind = joint_p_value(_against(run, other, own, labels)[0])
    words = f"{len(run.numbers)} samples, {what}"
    return Comparison(words, statistics, false_alarm, worst, control, blind)


assert_visits = asserting(check_visits, "assert_visits")


def _distribution(values: ArrayLike, name: str, rows: int | None = None) -> Array:
    p = finite_array(values, name, rows)
    if len(p) < 2 or p.min() < 0 or not np.isclose(p.sum(), 1):
        raise ValueError(f"{name} must be two or more numbers, 0 or larger, adding up to 1")
    return p


def _against(
    run: Visits, p: Array, values: Array | None, labels: Sequence[Any] | None
) -> tuple[tuple[Statistic, ...], str]:
    """Statistics of a run under a law, and the state whose share is furthest from it."""
    group = _groups(p, len(run.numbers) / run.memory(p))
    expected = np.bincount(group, p)
    shares = run.shares(len(p))
    together = np.array([np.bincount(group, row) for row in shares])
    weight = run.sums(np.ones(len(p)))
    off = (together - weight[:, None] * expected) / np.sqrt(expected)
    if z_of_neighbours(off) > LARGEST_Z_OF_NEIGHBOURS:
        raise ValueError(
            f"blocks of {len(run.numbers) // N_BLOCKS} samples remember one another: take more "
            "samples, or let more happen between them"
        )
    statistics = [Statistic("F of shares", *block_test(off))]
    impossible = int((p[run.numbers] == 0).sum())
    if impossible:
        statistics.append(Statistic("impossible visits", impossible, 0.0))
    if values is not None and np.ptp(values) > 1e-12 * np.abs(values).max():
        mean = run.sums(values) - weight * float(p @ values)
        square, chance = block_test(mean[:, None])
        sign = np.sign(mean.mean())
        statistics.append(Statistic("t of the mean", float(sign * np.sqrt(square)), chance))
    furthest = int(np.abs(off.mean(axis=0)).argmax())
    members = np.flatnonzero(group == furthest)
    name = labels[members[0]] if labels is not None else f"state {members[0]}"
    name = name if len(members) == 1 else f"the {len(members)} rarest states"
    share = together[:, furthest].mean()
    return tuple(statistics), f"{name}: a share of {share:.4g}, not {expected[furthest]:.4g}"


def _groups(p: Array, independent: float) -> NDArray[np.int64]:
    """Numbers of groups of states, shape (n_states,): common ones alone, rare ones together."""
    alone = independent * p >= LEAST_EXPECTED
    alone[p.argmax()] = True
    if alone.all():
        return np.arange(len(p))
    if alone.sum() > 1 and independent * p[~alone].sum() < LEAST_EXPECTED:
        alone[np.where(alone, p, np.inf).argmin()] = False
    group = np.cumsum(alone) - 1
    group[~alone] = alone.sum()
    return np.asarray(group)
