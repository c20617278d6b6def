"""What a study of an alloy found: prediction beside truth, assumptions measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.model_steps import PairsShown, examine
from ...analysis.order_comparison import (
    Curves,
    Estimate,
    OrderComparison,
    compare_order,
    small_averages,
)
from ...analysis.time_step import TimeStepScan, implied_times
from ...arrays import Array, Chunk
from ...rng import stream
from .design import Design
from .lattice_order import LatticeOrder, lattice_order
from .own_order import without_own_order
from .small_states import pasts

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel

Chunks = Mapping[str, Chunk]
OF_PAIRS = ("snapshot", "patch", "z0", "dz", "n_patches", "met", "seam",
            "whole_snapshot", "whole_z0", "whole_dz")  # fmt: skip
LONG_LAG = 4
SHOWN = 5.0
"""Slowest relaxation times that figures show."""


@dataclass(frozen=True)
class Findings:
    """What the stages made; lists are by temperature.

    ``small`` is delta of the small system, shape (n_T, n_all); lengths of stationary parts are in
    slowest relaxation times, and there are none of direct runs that are too short or not there.
    ``apart`` is by how much delta is higher in small runs from other temperatures than in those
    from crystals of their own, of the same shape, if there are two of each.
    ``own`` is the model at the size of the small runs beside these, which it has learned from;
    ``lattice`` is the order of their lattice, if it is bcc or fcc.
    """

    scan: TimeStepScan
    comparison: OrderComparison
    own: OrderComparison
    small: Estimate
    apart: Estimate | None
    pairs: list[PairsShown]
    curves: list[Curves]
    small_lengths: list[float]
    direct_lengths: list[float]
    history: Array
    lattice: LatticeOrder | None
    cpu_s: Mapping[str, float]


def joined(chunks: Chunks, keys: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Some arrays of chunks, one after another."""
    parts = [[chunk[name] for name in names] for chunk in (chunks[key] for key in keys)]
    return {name: np.concatenate(own) for name, own in zip(names, zip(*parts))}


def beside_small_runs(
    d: Design,
    runs: Sequence[Sequence[Chunk]],
    step: float,
    model: MacroModel,
    vacancies: Sequence[tuple[Array, Array]],
) -> OrderComparison:
    """The model at the size of the small runs, beside those that begin with random crystals."""
    system, each = d.system.alone(), round(step / d.system.record_events)
    n_sites, n_patches = system.small.n_sites, system.n_patches(system.large_state)
    thinned = [
        [{name: run[name][::each] for name in ("times", "z", "extra")} for run in own]
        for own in (of_one[: d.fresh_runs] for of_one in runs)
    ]
    paths = []
    for t, own in zip(d.temperatures, thinned):
        z0 = np.resize([run["z"][0] for run in own], (max(d.paths, len(own)), len(d.system.names)))
        steps, seed = len(own[0]["z"]) - 1, stream(d.seed, "predict small", round(1000 * t))
        condition = d.system.model_condition({"T": t})
        made = model.simulate(z0, condition, steps, n_sites, n_patches, len(z0), seed)
        paths.append((made.times, made.z))
    small = [(value / d.system.vacancy_scale, error) for value, error in vacancies]
    first = [len(own[0]["z"]) // 2 for own in thinned]
    return compare_order(d.system.small_order, d.temperatures, thinned, paths, small, first)


def apart(d: Design, runs: Sequence[Sequence[Chunk]]) -> Estimate | None:
    """`Findings.apart`, of the small runs by temperature."""
    n, order = d.fresh_runs, d.system.small_order
    if min(n, d.small_runs - n) < 2:
        return None
    found = []
    for own in runs:
        fresh, after = (small_averages(order, x, 1.0)[0] for x in (own[:n], own[n:]))
        found.append((after[0] - fresh[0], np.hypot(after[1], fresh[1])))
    return Estimate(*(np.array(x) for x in zip(*found)))


def of_pairs(d: Design, small: Chunks, pairs: Chunks, temperature: float) -> dict[str, Any]:
    """What `analysis.model_steps.examine` asks of the pairs of a temperature."""
    names = (*OF_PAIRS, *(("evolved",) if d.patches_per_state else ()))
    own = joined(pairs, d.keys("pairs", temperature), names)
    own["dz"] = without_own_order(d, [small[key] for key in d.keys("small", temperature)], own)
    if d.remembers:
        own["whole_past"] = pasts(d, small, temperature)[own["whole_snapshot"]]
    return own


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
    system, step, slowest = d.system, scan.chosen, scan.slowest_chosen
    first = [d.burn_in(s, step) for s in slowest]
    truth = [[direct[key] for key in d.keys("direct", t)] for t in d.temperatures]
    late = [[run["z"][f:] for run in runs] for f, runs in zip(first, truth)]
    small_runs = [[small[key] for key in d.keys("small", t)] for t in d.temperatures]
    scale = system.vacancy_scale
    averages = [small_averages(system.small_order, runs, scale) for runs in small_runs]
    stops = [int(np.ceil(SHOWN * s / step)) + 2 for s in slowest]
    shown = [
        examine(model, of_pairs(d, small, pairs, t), own, *d.sampled_sizes)
        for t, own in ((t, system.model_condition({"T": t})) for t in d.temperatures)
    ]
    return Findings(
        scan,
        compare_order(system.order, d.temperatures, truth, paths, [v for _, v in averages], first),
        beside_small_runs(d, small_runs, step, model, [v for _, v in averages]),
        Estimate(*(np.array(x) for x in zip(*(delta for delta, _ in averages)))),
        apart(d, small_runs),
        shown,
        [Curves.of(*each) for each in zip(paths, truth, stops)],
        [len(r[0]["z"]) / 2 * system.record_events / s for r, s in zip(small_runs, slowest)],
        [
            len(runs[0]) / max(implied_times(runs, LONG_LAG)[0], 1.0)
            for runs in late
            if runs and len(runs[0]) > 2 * LONG_LAG
        ],
        model.trained.history,
        lattice_order(system, small_runs),
        cpu_s,
    )
