"""Predicted against directly simulated short-range order: means, spread, relaxation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..systems.alloy_order import BondOrder
from .statistics import relaxation_time, standard_error, std_with_error

Array = NDArray[np.float64]
CLEAR_CHANGE = 5.0


@dataclass(frozen=True)
class Estimate:
    """Values and their standard errors, arrays of one shape."""

    value: Array
    error: Array


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
    return int(np.abs(ends - start).max(axis=0).argmax())


def _mean_of_runs(runs: Sequence[Array]) -> tuple[Array, Array]:
    """Mean over runs and time, and its error from the autocorrelation within runs."""
    means = np.array([run.mean(axis=0) for run in runs])
    errors = np.array([standard_error(run) for run in runs])
    return means.mean(axis=0), np.sqrt((errors**2).mean(axis=0) / len(runs))


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
    direct : by temperature, runs with ``times``, ``z`` (n_t, d) and ``extra`` (n_t, S - 1)
    predicted : by temperature, times (n_t,) and z (members, paths, n_t, d)
    vacancy_small : by temperature, mean and error of vacancy neighbours in small runs
    first_stationary : by temperature, first row counted as stationary
    """
    rows: dict[str, list[tuple[Any, Any]]] = {
        name: []
        for name in (
            "delta_true",
            "delta_predicted",
            "std_true",
            "std_predicted",
            "std_ratio",
            "relaxation_true",
            "relaxation_predicted",
            "vacancy_true",
            "vacancy_predicted",
        )
    }
    ends = np.array([runs[0]["z"][-1] for runs in direct])
    timed = timed_component(order, direct[0][0]["z"][0], ends)
    residual = 0.0
    for runs, (times, z), vacancy, first in zip(direct, predicted, vacancy_small, first_stationary):
        late = [run["z"][first:] for run in runs]
        neighbours = _mean_of_runs([run["extra"][first:] for run in runs])
        z_mean, z_std = _mean_of_runs(late)[0], _std_of_runs(late)
        delta_runs = [order.delta(run["z"][first:], run["extra"][first:]) for run in runs]
        members = z[:, :, first:].reshape(len(z), -1, z.shape[-1])
        delta_members = np.array([order.delta(m, vacancy[0]) for m in members])
        member_std = members.std(axis=1)
        ratios = np.sqrt((member_std**2 / z_std[0] ** 2).mean(axis=1))
        residual = max(residual, order.row_sum_residual(members.mean(axis=(0, 1)), vacancy[0]))
        rows["delta_true"].append(_mean_of_runs(delta_runs))
        rows["delta_predicted"].append(_over_members(delta_members.mean(axis=1)))
        rows["std_true"].append(_std_of_runs(delta_runs))
        rows["std_predicted"].append(_over_members(delta_members.std(axis=1)))
        true_error = np.sqrt(((z_std[1] / z_std[0]) ** 2).mean() / z_std[0].size)
        rows["std_ratio"].append(
            (ratios.mean(), np.hypot(_spread_over(ratios), ratios.mean() * true_error))
        )
        rows["vacancy_true"].append(neighbours)
        rows["vacancy_predicted"].append(vacancy)
        spread, end = z_std[0][timed], float(z_mean[timed])
        mean_path = np.mean([run["z"][:, timed] for run in runs], axis=0)
        singles = [_crossing(r["times"], r["z"][:, timed], end, spread) for r in runs]
        rows["relaxation_true"].append(
            (_crossing(runs[0]["times"], mean_path, end, spread), _spread_over(singles))
        )
        paths, ends_of = z[..., timed].mean(axis=1), members[..., timed].mean(axis=1)
        each = [_crossing(times, p, e, spread) for p, e in zip(paths, ends_of)]
        rows["relaxation_predicted"].append((float(np.mean(each)), _spread_over(each)))
    return OrderComparison(
        temperatures_K=np.array(temperatures_K),
        names=order.all_names,
        relaxation_name=order.pair_names[timed],
        row_sum_residual=residual,
        **{name: _stack(values) for name, values in rows.items()},
    )


def _over_members(values: Array) -> tuple[Array, Array]:
    """Mean over the ensemble and the error of that mean."""
    if len(values) == 1:
        return values[0], np.full(values[0].shape, np.nan)
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
