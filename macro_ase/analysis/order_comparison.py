"""Predicted against directly simulated short-range order: means, spread, relaxation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Array
from ..statistics import relaxation_time, standard_error, std_with_error
from ..systems.alloy_order import BondOrder

CLEAR_CHANGE = 5.0


def rms(values: Array) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def rms_with_error(miss: Array, errors: Array) -> tuple[float, float]:
    """Root mean square of differences, and its standard error from theirs."""
    size = rms(miss)
    return size, rms(miss * errors) / (size * np.sqrt(miss.size))


@dataclass(frozen=True)
class Estimate:
    """Values and their standard errors, arrays of one shape."""

    value: Array
    error: Array

    @property
    def farthest_from_one(self) -> tuple[float, float]:
        """The ratio that is worst on a logarithmic scale, and its error; nan if there is none."""
        if np.all(np.isnan(self.value)):
            return np.nan, np.nan
        worst = int(np.nanargmax(np.abs(np.log(self.value))))
        return float(self.value[worst]), float(self.error[worst])


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
    std_ratio : Estimate, shape (n_T,)
        Predicted over true spread of the bond densities, rms over components.
    relaxation_name : str
        The component whose relaxation is timed.
    relaxation_true, relaxation_predicted : Estimate, shape (n_T,)
        Time in s to 1 - 1/e of its change; nan where it hardly changes.
    vacancy_true, vacancy_predicted : Estimate, shape (n_T, S - 1)
        Mean vacancy neighbours of an atom of each species, directly and from small runs.
    row_sum_residual : float
    """

    temperatures_K: Array
    names: tuple[str, ...]
    delta_true: Estimate
    delta_predicted: Estimate
    std_true: Estimate
    std_predicted: Estimate
    std_ratio: Estimate
    relaxation_name: str
    relaxation_true: Estimate
    relaxation_predicted: Estimate
    vacancy_true: Estimate
    vacancy_predicted: Estimate
    row_sum_residual: float

    @property
    def miss(self) -> Estimate:
        """Predicted less true delta, shape (n_T, n_all)."""
        predicted, true = self.delta_predicted, self.delta_true
        error = np.hypot(np.nan_to_num(predicted.error), true.error)
        return Estimate(predicted.value - true.value, error)

    @property
    def relaxation_ratio(self) -> Estimate:
        """Predicted over true relaxation time, shape (n_T,)."""
        true, predicted = self.relaxation_true, self.relaxation_predicted
        ratio = predicted.value / true.value
        error = np.hypot(predicted.error / predicted.value, true.error / true.value)
        return Estimate(ratio, ratio * error)


def timed_component(order: BondOrder, start: Array, ends: Array) -> int:
    """Mo-Ta where there is one, else the component that changes most; a column of z."""
    names = [set(name.split("-")) for name in order.pair_names]
    if {"Mo", "Ta"} in names:
        return names.index({"Mo", "Ta"})
    return int(np.abs(ends - start)[:, : len(names)].max(axis=0).argmax())


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


def _crossing(times: Array, path: Array, end: float, spread: float) -> float:
    if abs(end - path[0]) < CLEAR_CHANGE * spread:
        return np.nan
    return float(relaxation_time(times, path, path[0], end))


def _spread_over(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


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
    last = np.array([z[:, :, -1].mean(axis=(0, 1)) for _, z in predicted])
    timed = timed_component(order, predicted[0][1][0, 0, 0], last)
    rows = [
        _true_row(order, runs, first, timed) | _predicted_row(order, *path, vacancy, first, timed)
        for runs, path, vacancy, first in zip(direct, predicted, vacancy_small, first_stationary)
    ]
    residual = max(
        order.row_sum_residual(path[1][:, :, -1], vacancy[0])
        for path, vacancy in zip(predicted, vacancy_small)
    )
    columns = {name: _stack([row[name] for row in rows]) for name in rows[0]}
    true, own = columns.pop("z_std_true"), columns.pop("z_std_predicted")
    return OrderComparison(
        temperatures_K=np.array(temperatures_K),
        names=order.all_names,
        std_ratio=_spread_ratio(own, true),
        relaxation_name=order.pair_names[timed],
        row_sum_residual=residual,
        **columns,
    )


def _spread_ratio(predicted: Estimate, true: Estimate) -> Estimate:
    """Root mean square over components of the ratio of spreads, shape (n_T,)."""
    ratio = predicted.value / true.value
    value = np.sqrt((ratio**2).mean(axis=1))
    relative = (true.error / true.value) ** 2 + (
        np.nan_to_num(predicted.error) / predicted.value
    ) ** 2
    return Estimate(value, value * np.sqrt(relative.mean(axis=1) / ratio.shape[1]))


def _true_row(
    order: BondOrder, runs: Sequence[Mapping[str, Array]], first: int, timed: int
) -> dict[str, tuple[Any, Any]]:
    """Estimates from direct runs at one temperature; nan where there are none."""
    if not runs:
        n_all, n_z, n_v = len(order.all_pairs), len(order.pairs), len(order.species)
        sizes = {"delta_true": n_all, "std_true": n_all, "z_std_true": n_z, "vacancy_true": n_v}
        empty = {name: (np.full(n, np.nan), np.full(n, np.nan)) for name, n in sizes.items()}
        return empty | {"relaxation_true": (np.nan, np.nan)}
    late = [run["z"][first:, : len(order.pairs)] for run in runs]
    delta = [order.delta(run["z"][first:], run["extra"][first:]) for run in runs]
    z_std = _std_of_runs(late)
    spread, end = z_std[0][timed], float(mean_of_runs(late)[0][timed])
    mean_path = np.mean([run["z"][:, timed] for run in runs], axis=0)
    singles = [_crossing(run["times"], run["z"][:, timed], end, spread) for run in runs]
    return {
        "delta_true": mean_of_runs(delta),
        "std_true": _std_of_runs(delta),
        "z_std_true": z_std,
        "vacancy_true": mean_of_runs([run["extra"][first:] for run in runs]),
        "relaxation_true": (
            _crossing(runs[0]["times"], mean_path, end, spread),
            _spread_over(singles),
        ),
    }


def _predicted_row(
    order: BondOrder, times: Array, z: Array, vacancy: tuple[Array, Array], first: int, timed: int
) -> dict[str, tuple[Any, Any]]:
    """Estimates from the ensemble's paths at one temperature."""
    late = z[:, :, first:, : len(order.pairs)].reshape(len(z), -1, len(order.pairs))
    delta = np.array([order.delta(member, vacancy[0]) for member in late])
    spread = float(late.std(axis=1)[:, timed].mean())
    ends, paths = late.mean(axis=1)[:, timed], z[..., timed].mean(axis=1)
    each = [_crossing(times, path, float(end), spread) for path, end in zip(paths, ends)]
    return {
        "delta_predicted": _over_members(delta.mean(axis=1)),
        "std_predicted": _over_members(delta.std(axis=1)),
        "z_std_predicted": _over_members(late.std(axis=1)),
        "vacancy_predicted": vacancy,
        "relaxation_predicted": _over_members(np.array(each)),
    }


def _over_members(values: Array) -> tuple[Array, Array]:
    """Mean over the ensemble and its spread.

    Members share most of their data, so their spread, and not that over the root of their
    number, is the error.
    """
    if len(values) == 1:
        return values[0], np.full(values[0].shape, np.nan)
    return values.mean(axis=0), values.std(axis=0, ddof=1)
