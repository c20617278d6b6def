"""Ratios of sums over windows of a run, with errors, and how they change with the window.

A jump of an atom is often undone, at once or after many others, so <|R|^2> over a short window is
too large by a share that falls like 1 / window. Windows of one run, put together by twos, show how
much is left: halves R1 and R2 of a window whose displacements are uncorrelated do not change it,
for

    |R1 + R2|^2 = |R1|^2 + |R2|^2 + 2 R1 . R2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..arrays import Array
from ..statistics import standard_error

FEWEST = 16
"""Windows of the longest kind."""
SIGNIFICANT = 3.0
UNSETTLED = 1 / (math.sqrt(2) - 1)
"""Changes like the last that are still to come, where they fall like 1 / sqrt(window)."""


class Ratio(NamedTuple):
    """A ratio over windows; ``settled``, whether it no longer changes with them."""

    value: float
    error: float
    settled: bool


def ratio_of_sums(series: Array, weights: Array) -> tuple[float, float]:
    """sum(series) / sum(weights) and its standard error.

    Parameters
    ----------
    series, weights : arrays, shape (n,)
        Of windows that follow one another. The error is to first order that of the mean of
        series - ratio * weights, whose autocorrelation is included.
    """
    ratio = float(series.sum() / weights.sum())
    error = standard_error(series - ratio * weights) / weights.mean()
    return ratio, float(error)


def windowed_ratio(halves: Array, wholes: Array, weights: Array) -> Ratio:
    """A ratio over windows whose error knows how it changed when they became twice as long.

    What is left to change falls like 1 / window in the end, so it is as much as the last change
    again; before that, in ordered alloys, more like 1 / sqrt(window), and is 2.4 times as much. The
    error is the root of the sum of squares of the statistical one and of what is left.

    Parameters
    ----------
    halves : array, shape (2 n,)
        Sums over the halves of windows.
    wholes, weights : arrays, shape (n,)
        Sums over the windows.

    Returns
    -------
    Ratio
        Not settled where the change is more than three of its own standard errors; 2.4 of it are
        then taken to be left.
    """
    value, error = ratio_of_sums(wholes, weights)
    difference = (joined(halves, 1) - wholes) / weights.mean()
    change = float(difference.mean())
    settled = abs(change) <= SIGNIFICANT * float(standard_error(difference))
    left = change if settled else UNSETTLED * change
    return Ratio(value, math.hypot(error, left), settled)


def joined(series: Array, number: int) -> Array:
    """Sums, shape (n / 2^number,), over the short windows of each long one."""
    sums: Array = series.reshape(-1, 2**number).sum(axis=1)
    return sums


def longest_level(windows: int) -> int:
    """How often this number of windows can be put together by twos, so that `FEWEST` are left."""
    return int(math.log2(windows // FEWEST))


def middle_level(windows: int) -> int:
    """How often to put them together so that length and number of windows both grow with a run."""
    return max(1, int(math.log2(math.sqrt(windows) / 4)))
