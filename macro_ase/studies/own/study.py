"""A study of a person's own system, from its settings to its report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...rng import stream
from ...sampling.needs import Needs
from ...systems.base import System
from ..beside import Beside
from ..design import Study
from ..fixes import checked
from ..registry import source_of
from ..road import (
    PREDICTED,
    SECOND,
    TRUTH,
    Prediction,
    check_lane,
    direct_runs,
    learn,
    predict,
    sample_pairs,
)
from ..runner import Runner
from .compare import OwnFindings
from .design import OwnDesign
from .report import report_of

SMALL = 3
BYTES_PER_SITE = 60


class OwnStudy(Study):
    """A study of ``system``, by default of the one that ``system.class`` names."""

    report_of = staticmethod(report_of)

    def __init__(self, config: dict[str, Any], system: System | None = None) -> None:
        self.design = checked(lambda own: OwnDesign.of(own, system), config)
        source = source_of(type(self.design.system))
        self.inputs = [source] if source is not None else []

    def needs(self) -> Needs:
        """Memory of a chunk and disk in all, roughly."""
        design, plan = self.design, self.design.plan
        patches = (plan.large // plan.small) ** design.system.dimension
        block = (plan.small + 2 * plan.buffer) ** design.system.dimension
        lane = design.lane(0)
        states = min(lane.chunk, design.starts) * len(plan.ages)
        rows = 2 * design.initial_states * design.runs * (design.steps + 1)
        rows += design.starts * len(plan.ages) * patches
        values = 8 * len(design.system.names) * len(design.conditions)
        return Needs(states * (design.sites + patches * block) * BYTES_PER_SITE, 6 * values * rows)

    def compute(self, runner: Runner) -> OwnFindings:
        """Simulate, learn and predict."""
        design = self.design
        lanes = [design.lane(k) for k in range(len(design.conditions))]
        pairs = [runner.timed("pairs", sample_pairs, runner, lane) for lane in lanes]
        joined = {name: np.concatenate([p[name] for p in pairs]) for name in pairs[0]}
        own = [design.system.model_condition(c) for c in design.conditions]
        rows = np.concatenate([np.tile(c, (len(p["z0"]), 1)) for c, p in zip(own, pairs)])
        shift = design.starts + lanes[0].chunk
        joined["snapshot"] = np.concatenate(
            [p["snapshot"] + k * shift for k, p in enumerate(pairs)]
        )
        plan, system = design.plan, design.system
        sites = plan.sites_per_pair(system.dimension)
        what = (joined, rows, system.names, plan.dt, sites, design.learning, design.seed)
        model = runner.timed("learning", learn, runner, "patches", *what)
        cases = [self._compare(runner, k, model) for k in range(len(lanes))]
        scale = joined["z0"].std(axis=0)
        return OwnFindings(cases, model.trained.history, scale, dict(runner.cpu_s))

    def _compare(self, runner: Runner, number: int, model: Any) -> Beside:
        """Direct and predicted runs under a condition, and patches against wholes."""
        design, lane = self.design, self.design.lane(number)
        starts = [design.start(number, k) for k in range(design.initial_states)]

        def direct(use: int, name: str, own: Any) -> Any:
            seeds = [
                (start, stream(design.seed, "own-direct", use, number, k))
                for k, start in enumerate(starts)
            ]
            key, times = f"{name}/{number}", design.times
            return direct_runs(runner, own, key, starts, design.runs, times, seeds, name)

        true, second = (
            runner.timed("direct runs", direct, use, name, lane)
            for use, name in ((TRUTH, "direct runs"), (SECOND, "direct runs again"))
        )
        alone = replace(lane, plan=replace(design.plan, large=design.plan.small, buffer=0))
        small = runner.timed("small system", direct, SMALL, "small system", alone)
        wanted = Prediction(
            [(start, None) for start in starts],
            design.runs,
            design.steps,
            design.interval,
            design.sites,
            kept=len(design.system.names),
        )
        seed = stream(design.seed, "own-predict", PREDICTED, number)
        key = f"predicted/{number}"
        predicted = runner.timed(
            "prediction", predict, runner, "prediction", key, lane, model, wanted, seed
        )
        check = runner.timed("checks", check_lane, runner, lane, "own-check", design.check_runs)
        runs = (design.label(number), design.times, true, second, predicted, small)
        return Beside(*runs, len(model.trained.members), check)
