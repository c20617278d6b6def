"""The choice of dt: long enough that the observables forget, short enough for the rest.

Too short a step sees flicker and memory in the observables, and relaxation times come out
too short. The implied relaxation times at lag t of the modes of the observables,

    t_k = -t / ln(lambda_k),   C(0)^-1 C(t) v = lambda v

(C the lagged covariance; L. Molgedey and H. G. Schuster, Phys. Rev. Lett. 72, 3634
(1994)), level off once the lag is long enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..ratios import whole_ratio

AGREEMENT = 0.10


def implied_times(runs: Sequence[Array], lag: int) -> Array:
    """Relaxation times, in samples, of the modes of stationary runs.

    Parameters
    ----------
    runs : sequence of arrays, shape (n_t, d)
    lag : int
        In samples.

    Returns
    -------
    array, shape (d,)
        Longest first; 0 where a mode is not correlated over the lag.

    Raises
    ------
    ValueError
        If a run holds no pair of samples a lag apart, values that are not finite, or observables
        that depend on each other.
    """
    for run in runs:
        if np.ndim(run) != 2 or not 0 < lag < len(run) or not np.isfinite(run).all():
            raise ValueError(
                f"runs must be finite, of shape (n_t, d) with n_t > {lag}, not {np.shape(run)}"
            )
    mean = np.concatenate(runs).mean(axis=0)
    centred = [run - mean for run in runs]
    now = np.concatenate([x[:-lag] for x in centred])
    later = np.concatenate([x[lag:] for x in centred])
    lagged = now.T @ later / len(now)
    both = (now.T @ now + later.T @ later) / (2 * len(now))
    scale = np.sqrt(np.diagonal(both))
    if not scale.all() or np.linalg.matrix_rank(both / np.outer(scale, scale)) < len(both):
        raise ValueError("an observable of the runs does not vary, or depends on the others")
    values = np.linalg.eigvals(np.linalg.solve(both, (lagged + lagged.T) / 2)).real
    with np.errstate(invalid="ignore", divide="ignore"):
        times = np.where((values > 0) & (values < 1), -lag / np.log(values), np.nan)
    return np.sort(np.nan_to_num(times, nan=-1.0))[::-1].clip(min=0.0)


@dataclass(frozen=True)
class TimeStepScan:
    """Slowest relaxation times against the step.

    Attributes
    ----------
    temperatures : array, shape (n_T,)
    steps : array, shape (n_h,)
        Candidate steps, in mean events.
    slowest : array, shape (n_T, n_h)
        Slowest implied relaxation time at each step, in mean events.
    slowest_doubled : array, shape (n_T, n_h)
        The same at twice the step.
    chosen : float
        The smallest step at which the two agree within 10 % at every temperature, else that
        at which they agree best.
    """

    temperatures: Array
    steps: Array
    slowest: Array
    slowest_doubled: Array
    chosen: float

    @property
    def _column(self) -> int:
        return list(self.steps).index(self.chosen)

    @property
    def slowest_chosen(self) -> Array:
        """Slowest relaxation time at twice the chosen step, shape (n_T,), in mean events."""
        return self.slowest_doubled[:, self._column]

    @property
    def disagreement(self) -> Array:
        """How far that at the chosen step is from it, relative, shape (n_T,)."""
        return np.abs(1 - self.slowest[:, self._column] / self.slowest_chosen)


def scan_time_steps(
    runs: Sequence[Sequence[Array]],
    temperatures: Sequence[float],
    spacing: float,
    steps: Sequence[float],
) -> TimeStepScan:
    """Choose the step from stationary small runs.

    Parameters
    ----------
    runs : sequence (by temperature) of sequences of arrays, shape (n_t, d)
    temperatures : sequence of float
    spacing : float
        Mean events between samples.
    steps : sequence of float
        Candidates in mean events, multiples of the spacing.

    Raises
    ------
    ValueError
        If a candidate is not a multiple of the spacing, there is none, or a run is too short.
    """
    wrong = [h for h in steps if whole_ratio(h, spacing) is None]
    if wrong or not len(steps):
        raise ValueError(f"time steps {wrong} are not multiples of {spacing:g} events")
    if len(runs) != len(temperatures) or not len(runs):
        raise ValueError(f"runs of {len(runs)} temperatures, and {len(temperatures)} temperatures")
    ordered = sorted(steps)
    lags = [round(h / spacing) for h in ordered]

    def slowest(factor: int) -> Array:
        times = [[implied_times(run, factor * lag)[0] for lag in lags] for run in runs]
        return np.array(times) * spacing

    once, twice = slowest(1), slowest(2)
    disagreement = np.abs(1 - once / twice).max(axis=0)
    good = disagreement <= AGREEMENT
    number = int(np.argmax(good) if good.any() else np.argmin(disagreement))
    return TimeStepScan(np.array(temperatures), np.array(ordered), once, twice, ordered[number])
