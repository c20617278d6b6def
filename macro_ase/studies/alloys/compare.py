"""What a study of an alloy found: prediction beside truth, assumptions measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.assumptions import PatchCheck, check_patches, seam_difference
from ...analysis.model_steps import eps_share, step_slope
from ...analysis.order_comparison import Estimate, OrderComparison, compare_order, mean_of_runs
from ...analysis.time_step import TimeStepScan, implied_times
from ...arrays import Array, Chunk
from .design import Design

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel

Chunks = Mapping[str, Chunk]
OF_PAIRS = ("snapshot", "z0", "dz", "n_patches", "met", "seam",
            "whole_snapshot", "whole_z0", "whole_dz")  # fmt: skip
LONG_LAG = 4
SHOWN = 5.0
"""Slowest relaxation times that figures show."""


@dataclass(frozen=True)
class Pairs:
    """What the pairs of one temperature show.

    Attributes
    ----------
    check : PatchCheck
    step : (float, float)
        Slope of increments of wholes against the model's mean step, and its error.
    seam : (array, array)
        Order of the seams less that of the bulk, and its error, shape (d,).
    eps_share : float
        eps over the smallest eigenvalue of the learned patch covariance.
    number : int
    """

    check: PatchCheck
    step: tuple[float, float]
    seam: tuple[Array, Array]
    eps_share: float
    number: int


@dataclass(frozen=True)
class Curves:
    """The first relaxation: times, predicted mean and spread, (n_t, d), and direct runs."""

    times: Array
    mean: Array
    spread: Array
    direct: list[Array]


@dataclass(frozen=True)
class Findings:
    """What the stages made; lists are by temperature.

    Attributes
    ----------
    small : Estimate, shape (n_T, n_all)
        delta of the small system, from the second halves of its runs.
    small_lengths, direct_lengths : list of float
        Of stationary parts, in slowest relaxation times; without direct runs the second is empty.
    history : array, shape (members, epochs, 2)
    cpu_s : mapping
        CPU seconds by stage.
    """

    scan: TimeStepScan
    comparison: OrderComparison
    small: Estimate
    pairs: list[Pairs]
    curves: list[Curves]
    small_lengths: list[float]
    direct_lengths: list[float]
    history: Array
    cpu_s: Mapping[str, float]


def residence_time(runs: Sequence[Chunk]) -> float:
    """Mean residence time over small runs: the clock."""
    return float(np.mean([run["tau_w"][0] for run in runs]))


def compare(
    d: Design,
    small: Chunks,
    scan: TimeStepScan,
    pairs: Chunks,
    model: MacroModel,
    direct: Chunks,
    paths: Sequence[tuple[Array, Array]],
    cpu_s: Mapping[str, float],
) -> Findings:
    """Prediction beside truth; the pairs of one temperature are in memory at a time."""
    step, slowest = scan.chosen, scan.slowest_chosen
    first = [d.burn_in(s, step) for s in slowest]
    truth = [[direct[key] for key in d.keys("direct", t)] for t in d.temperatures]
    late = [[run["z"][f:] for run in runs] for f, runs in zip(first, truth)]
    own = [_small_averages(d, [small[key] for key in d.keys("small", t)]) for t in d.temperatures]
    vacancies = [v for _, v, _ in own]
    return Findings(
        scan,
        compare_order(d.system.order, d.temperatures, truth, paths, vacancies, first),
        Estimate(*(np.array(x) for x in zip(*(delta for delta, _, _ in own)))),
        [_pairs(d, model, pairs, t) for t in d.temperatures],
        [_curves(*each) for each in zip(paths, truth, slowest / step)],
        [n / 2 * d.system.record_events / s for (_, _, n), s in zip(own, slowest)],
        [
            len(runs[0]) / max(implied_times(runs, LONG_LAG)[0], 1.0)
            for runs in late
            if runs and len(runs[0]) > 2 * LONG_LAG
        ],
        model.trained.history,
        cpu_s,
    )


def _small_averages(
    d: Design, runs: Sequence[Chunk]
) -> tuple[tuple[Array, Array], tuple[Array, Array], int]:
    """delta of the small system, vacancy neighbours of the large one, and samples of a run.

    Means over second halves, and their errors.
    """
    n = len(runs[0]["z"])
    late = [(run["z"][n // 2 :], run["extra"][n // 2 :]) for run in runs]
    delta = mean_of_runs([d.system.small_order.delta(z, extra) for z, extra in late])
    return delta, mean_of_runs([extra * d.system.vacancy_scale for _, extra in late]), n


def _pairs(d: Design, model: MacroModel, pairs: Chunks, t: float) -> Pairs:
    parts = [{name: pairs[key][name] for name in OF_PAIRS} for key in d.keys("pairs", t)]
    chunk = {name: np.concatenate([part[name] for part in parts]) for name in OF_PAIRS}
    condition, sizes = d.system.model_condition({"T": t}), (d.system.large.n_sites, d.n_patches)
    return Pairs(
        check_patches(chunk),
        step_slope(model, chunk, condition, *sizes),
        seam_difference(chunk["seam"]),
        eps_share(model, chunk["z0"], condition),
        len(chunk["dz"]),
    )


def _curves(path: tuple[Array, Array], runs: Sequence[Chunk], slowest: float) -> Curves:
    stop = int(np.ceil(SHOWN * slowest)) + 2
    times, z = path[0][:stop], path[1][:, :, :stop]
    return Curves(times, z.mean((0, 1)), z.std((0, 1)), [run["z"][:stop] for run in runs])
