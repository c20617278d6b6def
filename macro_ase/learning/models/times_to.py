"""Where the order rests at a temperature, how long the way there takes, and where an order froze.

Of the deviation of z from rest, in standard deviations of the training states, the part that is
left is that along the first deviation,

    p(t) = (z(t) - z_rest) . (z(0) - z_rest) / |z(0) - z_rest|^2,

and the order has arrived when p is first less than x. Against temperature these times are a curve
like those of transformations: slow when cold, for the clock is slow.

The fictive temperature of an order is the one at which the model rests nearest to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Array
from ...schedule import Schedule
from .bands import NORMAL
from .mean_path import Drifts, MeanPath

LONG, WARM_UP, GRID, AT_REST = 1e7, 1e5, 3000, 1e-3


@dataclass(frozen=True)
class TimesTo:
    """How long the order needs, against temperature.

    Attributes
    ----------
    temperatures : array, shape (n_T,)
        In K.
    times : array, shape (n_T,)
        Of one system, the median over all members and paths, in laboratory seconds; 0 where it
        starts at rest, nan where it finds none.
    of_mean : array, shape (n_T,)
        Of the mean without noise. Fluctuations bring a small system there earlier.
    interval_68, interval_95 : array, shape (2, n_T)
        Of one system, over all members and paths.
    within : float
        x.
    """

    temperatures: Array
    times: Array
    of_mean: Array
    interval_68: Array
    interval_95: Array
    within: float


def own_steps(temperature_K: float) -> float:
    """Time counted in training steps."""
    return 1.0


def rest_at(drifts: Drifts, temperatures: Array) -> Array:
    """Scaled states of rest by each member and by the average drift, shape (M + 1, n, d).

    Followed from the hottest to the coldest so slowly that nothing lags behind.
    """
    d = drifts.stacked.d
    hot, cold = float(temperatures.max()), float(temperatures.min())
    way = Schedule(np.array([0.0, WARM_UP, WARM_UP + LONG]), np.array([hot, hot, cold]))
    share = (hot - temperatures) / (hot - cold) if hot > cold else np.ones(len(temperatures))
    return MeanPath(drifts, own_steps, way, np.zeros(d))(WARM_UP + LONG * share)


def mean_steps(
    drifts: Drifts, start: Array, temperature: float, within: float, columns: list[int]
) -> tuple[Array, Array]:
    """Training steps to arrive, shape (M + 1,), and where each rests, (M + 1, d)."""
    times = held_times()
    path = held(drifts, start, temperature)(times)
    rest = path[:, -1]
    return arrival(times, path, rest[:, None], start, within, columns), rest


def held(drifts: Drifts, start: Array, temperature: float) -> MeanPath:
    """Means at one temperature until all rests, by training steps."""
    return MeanPath(drifts, own_steps, Schedule.hold(temperature, LONG), start)


def held_times() -> Array:
    """Training steps at which to look at these means, from 0 to the end."""
    return np.concatenate([[0.0], np.geomspace(1e-3, LONG, GRID)])


def arrival(
    times: Array, paths: Array, rest: Array, start: Array, within: float, columns: list[int]
) -> Array:
    """First times, shape (...), of paths (..., n_t, d) from a start (d,) to rest (..., 1, d).

    inf where a path does not arrive, nan where there is no rest.
    """
    first = (start - rest)[..., columns]
    whole = np.sum(first**2, axis=-1)
    along = np.sum((paths - rest)[..., columns] * first, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.where(whole > AT_REST**2, along / whole, 0.0)
    inside = left <= within
    k = np.argmax(inside, axis=-1)
    before = np.maximum(k - 1, 0)
    high, low = (np.take_along_axis(left, j[..., None], -1)[..., 0] for j in (before, k))
    share = np.where(high > low, (high - within) / np.where(high > low, high - low, 1.0), 1.0)
    found = times[before] + share * (times[k] - times[before])
    found = np.where(inside.any(axis=-1), found, np.inf)
    return np.where(np.isfinite(rest).all(axis=(-1, -2)), found, np.nan)


def interval(
    times: Array, members: Array, middle: float, share: float, outside: float
) -> tuple[float, float]:
    """Limits of a share of arrival times, in ln t wider outside of training as bands are."""
    low, high = np.quantile(times, [(1 - share) / 2, (1 + share) / 2], method="nearest")
    if not (outside > 0 and middle > 0 and np.isfinite(middle)):
        return float(low), float(high)
    apart = float(np.log(members).std(ddof=1)) if len(members) > 1 else 0.0
    extra = NORMAL[share] * outside * apart
    below, above = np.log(middle) - np.log(low), np.log(high) - np.log(middle)
    wide = np.hypot([max(below, 0.0), max(above, 0.0)], extra)
    return float(middle * np.exp(-wide[0])), float(middle * np.exp(wide[1]))


def nearest_temperature(y: Array, rest: Array, temperatures: Array) -> float:
    """The temperature whose rest, shape (n, d), is nearest to a state, shape (d,)."""
    distance = np.linalg.norm(rest - y, axis=1)
    return float(temperatures[np.nanargmin(distance)]) if np.isfinite(distance).any() else np.nan
