"""Rejection-free samplers: when the next event comes, and which one it is.

In a state with rates k_i the time to the next event is exponential with the total rate, sum k_i,
and event i is the next with probability k_i / sum k_j, whenever it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from ..arrays import Array, finite_array
from .result import FALSE_ALARM, Comparison, Statistic, asserting, joint_p_value, require_level
from .visits import check_visits

ASYMPTOTIC = 200


def check_waiting_times(
    times: ArrayLike,
    total_rate: ArrayLike,
    *,
    wrong: float = 1.25,
    false_alarm: float = FALSE_ALARM,
) -> Comparison:
    """Compare waiting times with exponentials of the total rate.

    Their mean (times the rate, n of them add up to a Gamma variable) and their law (Kolmogorov and
    Smirnov's distance).

    Parameters
    ----------
    times : array, shape (n,)
        Times from one event to the next.
    total_rate : float or array, shape (n,)
        In the states that were left, per unit of the times.
    wrong : float
        The negative control: the same times must reject ``wrong`` x the rate.
    false_alarm : float
        A right clock is rejected as often as this.

    Raises
    ------
    ValueError
        If shapes do not match, or a time is below 0 or a rate not above.

    Examples
    --------
    >>> import numpy as np
    >>> times = np.random.default_rng(0).exponential(1 / 3.0, 5000)
    >>> check_waiting_times(times, 3.0).passed
    True
    >>> check_waiting_times(np.full(5000, 1 / 3.0), 3.0).rejected  # the mean alone is right
    True
    """
    require_level(false_alarm, wrong)
    t = finite_array(times, "times", None)
    rate = np.asarray(total_rate, dtype=float)
    rate = finite_array(np.full(len(t), rate) if rate.ndim == 0 else rate, "total_rate", len(t))
    if len(t) == 0 or t.min() < 0 or rate.min() <= 0:
        raise ValueError("there must be times, 0 or longer, and total_rate must be above 0")
    statistics = _against(t * rate)
    return Comparison(
        what=f"{len(t)} waiting times and exponentials of the total rate",
        statistics=statistics,
        false_alarm=false_alarm,
        worst=f"their mean: {(t * rate).mean():.4g} of 1 over the rate",
        control=f"{wrong:g} times the rate",
        control_p_value=joint_p_value(_against(wrong * t * rate)),
    )


assert_waiting_times = asserting(check_waiting_times, "assert_waiting_times")


def _against(x: Array) -> tuple[Statistic, ...]:
    """Statistics of times in units of their expected mean."""
    total = stats.gamma(len(x))
    chance = 2 * min(total.cdf(x.sum()), total.sf(x.sum()))
    distance = stats.kstest(x, "expon", method="exact" if len(x) < ASYMPTOTIC else "asymp")
    z = (x.mean() - 1) * np.sqrt(len(x))
    return (
        Statistic("z of the mean", float(z), float(chance)),
        Statistic("Kolmogorov-Smirnov's distance", float(distance.statistic), distance.pvalue),
    )


def check_choices(
    events: ArrayLike,
    rates: ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    wrong: float = 1.25,
    false_alarm: float = FALSE_ALARM,
) -> Comparison:
    """Compare which event came next, from one state again and again, with the events' rates.

    Parameters
    ----------
    events : int array, shape (n,)
        Numbers of the events that came; at least 640.
    rates : array, shape (n_events,)
        In any unit.
    labels : sequence, optional
        Names of events.
    wrong : float
        The negative control: the same events must reject that the largest rate is ``wrong`` times
        what it is.
    false_alarm : float
        A right choice is rejected as often as this.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> check_choices(rng.choice(3, 9000, p=[.2, .3, .5]), [2.0, 3.0, 5.0]).passed
    True
    >>> check_choices(rng.integers(3, size=9000), [2.0, 3.0, 5.0]).rejected
    True
    """
    require_level(false_alarm, wrong)
    own = finite_array(rates, "rates", None)
    if len(own) < 2 or own.min() < 0 or not own.max() > 0:
        raise ValueError("rates must be two or more numbers, 0 or larger, and not all 0")
    other = np.where(np.arange(len(own)) == own.argmax(), wrong * own, own)
    return check_visits(
        events,
        own / own.sum(),
        other / other.sum(),
        labels=labels,
        what=f"shares of {len(own)} events and their rates",
        control=f"the largest rate times {wrong:g}",
        false_alarm=false_alarm,
    )


assert_choices = asserting(check_choices, "assert_choices")
