"""Predicted against directly simulated short-range order: means, spread, relaxation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtr

from ..arrays import Array
from ..statistics import relaxation_time, standard_error, std_with_error
from ..systems.alloy_order import BondOrder

CLEAR_CHANGE = 5.0
WIDTH_95 = 1.96
MANY = 1e6


def rms(values: Array) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def rms_with_error(
    miss: Array, errors: Array, independent: float | None = None
) -> tuple[float, float]:
    """Root mean square of differences, and its standard error from theirs.

    As if so many of them were ``independent``; default all.
    """
    size = rms(miss)
    return size, rms(miss * errors) / (size * np.sqrt(independent or miss.size))


@dataclass(frozen=True)
class Estimate:
    """Values and their standard errors, arrays of one shape."""

    value: Array
    error: Array

    @property
    def farthest_from_one(self) -> tuple[float, float]:
        """The ratio that is worst on a logarithmic scale, and its error; nan if there is none."""
        value, error = np.ravel(self.value), np.ravel(self.error)
        if np.all(np.isnan(value)):
            return np.nan, np.nan
        worst = int(np.nanargmax(np.abs(np.log(value))))
        return float(value[worst]), float(error[worst])

    def over(self, other: Estimate) -> Estimate:
        """The ratio to another one; an error that is not known counts as none."""
        ratio = self.value / other.value
        parts = [np.nan_to_num(e.error) / e.value for e in (self, other)]
        return Estimate(ratio, ratio * np.hypot(*parts))


@dataclass(frozen=True)
class Curves:
    """A first relaxation: times, predicted mean and spread, (n_t, d), and direct runs."""

    times: Array
    mean: Array
    spread: Array
    direct: list[Array]

    @classmethod
    def of(
        cls, path: tuple[Array, Array], runs: Sequence[Mapping[str, Array]], stop: int
    ) -> Curves:
        """Of some rows of a prediction, times and z (members, paths, n_t, d), and of its truth."""
        times, z = path[0][:stop], path[1][:, :, :stop]
        return cls(times, z.mean((0, 1)), z.std((0, 1)), [run["z"][:stop] for run in runs])


@dataclass(frozen=True)
class OrderComparison:
    """Prediction and truth at every temperature.

    Attributes
    ----------
    temperatures_K : array, shape (n_T,)
    names : tuple of str
        Components of delta, A <= B.
    delta_true, delta_predicted : Estimate, shape (n_T, n_all)
        Stationary means.
    std_true, std_predicted : Estimate, shape (n_T, n_all)
        Stationary standard deviations.
    spread_true, spread_predicted : Estimate, shape (n_T, d)
        The same of the bond densities of unlike pairs, ``pair_names``.
    relaxation_true, relaxation_predicted : Estimate, shape (n_T, d)
        Time in s in which each of these makes 1 - 1/e of its change; nan where it hardly changes.
    vacancy_true, vacancy_predicted : Estimate, shape (n_T, S - 1)
        Mean vacancy neighbours of an atom of each species, directly and from small runs.
    row_sum_residual : float
    n_runs, n_members : int
        Direct runs and members, whose scatter is behind errors.
    """

    temperatures_K: Array
    names: tuple[str, ...]
    pair_names: tuple[str, ...]
    delta_true: Estimate
    delta_predicted: Estimate
    std_true: Estimate
    std_predicted: Estimate
    spread_true: Estimate
    spread_predicted: Estimate
    relaxation_true: Estimate
    relaxation_predicted: Estimate
    vacancy_true: Estimate
    vacancy_predicted: Estimate
    row_sum_residual: float
    n_runs: int
    n_members: int

    @property
    def miss(self) -> Estimate:
        """Predicted less true delta, shape (n_T, n_all)."""
        predicted, true = self.delta_predicted, self.delta_true
        error = np.hypot(np.nan_to_num(predicted.error), true.error)
        return Estimate(predicted.value - true.value, error)

    @property
    def sro_rms(self) -> tuple[float, float]:
        """Root mean square of `miss` and its error; like pairs follow from unlike ones."""
        independent = len(self.temperatures_K) * len(self.pair_names)
        return rms_with_error(self.miss.value, self.miss.error, independent)

    @property
    def std_ratio(self) -> Estimate:
        """Predicted over true standard deviation of bond densities, shape (n_T, d)."""
        return self.spread_predicted.over(self.spread_true)

    @property
    def relaxation_ratio(self) -> Estimate:
        """Predicted over true relaxation time, shape (n_T, d)."""
        return self.relaxation_predicted.over(self.relaxation_true)

    @property
    def deviations(self) -> Array:
        """Of independent comparisons: means, spreads and times, as normal numbers if errors hold.

        Errors from the scatter of a few members or runs are uncertain themselves: Student's t, with
        the degrees of freedom of B. L. Welch, Biometrika 34, 28 (1947).
        """
        unlike = [self.names.index(name) for name in self.pair_names]
        own, miss, few = self.delta_predicted, self.miss, self.n_members - 1
        means = _normal_scores(miss.value, own.error, self.delta_true.error, few, np.inf)
        found = [means[:, unlike]]
        for predicted, true, freedom in (
            (self.spread_predicted, self.spread_true, np.inf),
            (self.relaxation_predicted, self.relaxation_true, self.n_runs - 1),
        ):
            errors = predicted.error / predicted.value, true.error / true.value
            found.append(_normal_scores(1 - true.value / predicted.value, *errors, few, freedom))
        scores: Array = np.concatenate([x.ravel() for x in found])
        return scores[np.isfinite(scores)]

    def coverage(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Shares of `deviations` within 68 and 95 % intervals, and their standard errors."""
        return coverage(self.deviations)


def coverage(deviations: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """Shares of differences, each in its error, within 68 and 95 %, and their standard errors."""
    size = np.abs(deviations)
    if not len(size):
        return (np.nan, np.nan), (np.nan, np.nan)
    shares = [float(np.mean(size <= width)) for width in (1.0, WIDTH_95)]
    (one, two), n = shares, len(size)
    return (one, np.sqrt(one * (1 - one) / n)), (two, np.sqrt(two * (1 - two) / n))


def _normal_scores(difference: Array, one: Array, other: Array, few: float, fewer: float) -> Array:
    """Differences in their errors as Student's t, by two errors and the numbers behind these."""
    first, second = np.nan_to_num(one) ** 2, other**2
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = (first + second) ** 2 / (
            np.where(first > 0, first**2 / few, 0.0) + np.where(second > 0, second**2 / fewer, 0.0)
        )
        t = difference / np.sqrt(first + second)
    tail = stdtr(np.minimum(freedom, MANY), -np.abs(t))
    scores: Array = -np.sign(t) * ndtri(tail)
    return scores


def mean_of_runs(runs: Sequence[Array]) -> tuple[Array, Array]:
    """Mean over runs and time, and its error from the autocorrelation within runs."""
    means = np.array([run.mean(axis=0) for run in runs])
    errors = np.array([standard_error(run) for run in runs])
    return means.mean(axis=0), np.sqrt((errors**2).mean(axis=0) / len(runs))


def small_averages(
    order: BondOrder, runs: Sequence[Mapping[str, Array]], scale: float
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """delta of a small system, and vacancy neighbours times a scale; over second halves of runs.

    Each with its standard error.
    """
    late = [[run[name][len(run[name]) // 2 :] for name in ("z", "extra")] for run in runs]
    delta = mean_of_runs([order.delta(z, extra) for z, extra in late])
    return delta, mean_of_runs([extra * scale for _, extra in late])


def _std_of_runs(runs: Sequence[Array]) -> tuple[Array, Array]:
    values = [std_with_error(run) for run in runs]
    mean = np.concatenate(runs).mean(axis=0)
    std = np.sqrt(np.mean([((run - mean) ** 2).mean(axis=0) for run in runs], axis=0))
    return std, np.sqrt(np.mean([error**2 for _, error in values], axis=0) / len(runs))


def crossings(times: Array, path: Array, end: Array, spread: Array) -> Array:
    """Times (d,) at which a path (n_t, d) has made 1 - 1/e of its change; nan if that is small."""
    clear = np.abs(end - path[0]) >= CLEAR_CHANGE * spread
    each = zip(path.T, end, clear)
    return np.array(
        [relaxation_time(times, own, own[0], float(to)) if ok else np.nan for own, to, ok in each]
    )


def _relaxation_of_runs(
    times: Array, runs: Sequence[Array], end: Array, spread: Array
) -> tuple[Array, Array]:
    """Crossings of the mean path of runs, and their errors; nan of one run.

    An error is that of the mean path from half to one and a half of the time, over the slope
    change / (e time) of an exponential: a jackknife of crossings is not consistent.
    """
    paths, n = np.array(runs), len(runs)
    mean = paths.mean(axis=0)
    value = crossings(times, mean, end, spread)
    error = np.full(value.shape, np.nan)
    for k in np.flatnonzero(np.isfinite(value)) if n > 1 else ():
        near = np.abs(times - value[k]) <= max(value[k] / 2, times[1] - times[0])
        width = np.sqrt(paths[:, near, k].var(axis=0, ddof=1).mean() / n)
        error[k] = np.e * value[k] * width / abs(end[k] - mean[0, k])
    return value, error


def _stack(estimates: Sequence[tuple[Any, Any]]) -> Estimate:
    values, errors = zip(*estimates)
    return Estimate(np.array(values), np.array(errors))


def compare_order(
    order: BondOrder,
    temperatures_K: Sequence[float],
    direct: Sequence[Sequence[Mapping[str, Array]]],
    predicted: Sequence[tuple[Array, Array]],
    vacancy_small: Sequence[tuple[Array, Array]],
    first_stationary: Sequence[int],
) -> OrderComparison:
    """Put predictions beside direct runs.

    Parameters
    ----------
    order : BondOrder
    temperatures_K : sequence, length n_T
    direct : by temperature, runs with ``times``, ``z`` (n_t, d) and ``extra`` (n_t, S - 1);
        without runs the truth is nan
    predicted : by temperature, times (n_t,) and z (members, paths, n_t, d)
    vacancy_small : by temperature, mean and error of vacancy neighbours in small runs
    first_stationary : by temperature, first row counted as stationary
    """
    rows = [
        _true_row(order, runs, first) | _predicted_row(order, *path, vacancy, first)
        for runs, path, vacancy, first in zip(direct, predicted, vacancy_small, first_stationary)
    ]
    residual = max(
        order.row_sum_residual(path[1][:, :, -1], vacancy[0])
        for path, vacancy in zip(predicted, vacancy_small)
    )
    columns = {name: _stack([row[name] for row in rows]) for name in rows[0]}
    return OrderComparison(
        temperatures_K=np.array(temperatures_K),
        names=order.all_names,
        pair_names=order.pair_names,
        row_sum_residual=residual,
        n_runs=len(direct[0]),
        n_members=len(predicted[0][1]),
        **columns,
    )


def _true_row(
    order: BondOrder, runs: Sequence[Mapping[str, Array]], first: int
) -> dict[str, tuple[Any, Any]]:
    """Estimates from direct runs at one temperature; nan where there are none."""
    if not runs:
        n_all, n_z, n_v = len(order.all_pairs), len(order.pairs), len(order.species)
        sizes = {"delta_true": n_all, "std_true": n_all, "vacancy_true": n_v}
        sizes |= {"spread_true": n_z, "relaxation_true": n_z}
        return {name: (np.full(n, np.nan), np.full(n, np.nan)) for name, n in sizes.items()}
    z = [run["z"][:, : len(order.pairs)] for run in runs]
    late = [own[first:] for own in z]
    delta = [order.delta(run["z"][first:], run["extra"][first:]) for run in runs]
    spread, end = _std_of_runs(late), mean_of_runs(late)[0]
    rows = min(map(len, z))
    same = [own[:rows] for own in z]
    return {
        "delta_true": mean_of_runs(delta),
        "std_true": _std_of_runs(delta),
        "spread_true": spread,
        "vacancy_true": mean_of_runs([run["extra"][first:] for run in runs]),
        "relaxation_true": _relaxation_of_runs(runs[0]["times"][:rows], same, end, spread[0]),
    }


def _predicted_row(
    order: BondOrder, times: Array, z: Array, vacancy: tuple[Array, Array], first: int
) -> dict[str, tuple[Any, Any]]:
    """Estimates from the ensemble's paths at one temperature."""
    z = z[..., : len(order.pairs)]
    late = z[:, :, first:].reshape(len(z), -1, z.shape[-1])
    delta = np.array([order.delta(member, vacancy[0]) for member in late])
    spread = late.std(axis=1)
    ends, paths = late.mean(axis=1), z.mean(axis=1)
    each = [crossings(times, path, end, spread.mean(axis=0)) for path, end in zip(paths, ends)]
    return {
        "delta_predicted": _over_members(delta.mean(axis=1)),
        "std_predicted": _over_members(delta.std(axis=1)),
        "spread_predicted": _over_members(spread),
        "vacancy_predicted": vacancy,
        "relaxation_predicted": _over_members(np.array(each)),
    }


def _over_members(values: Array) -> tuple[Array, Array]:
    """Mean over the ensemble and its spread.

    Members draw their runs from the same ones, so their spread, and not that over the root of
    their number, is the error.
    """
    if len(values) == 1:
        return values[0], np.full(values[0].shape, np.nan)
    return values.mean(axis=0), values.std(axis=0, ddof=1)
