"""Studies of spin models: from settings to predictions beside direct runs.

small runs -> upsampled, relaxed states -> patches evolved alone -> one model for each side
direct runs of the large system -> prediction beside truth
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...arrays import Array, Chunk
from ...rng import stream
from ...sampling.needs import Needs
from ...systems.base import NO_CONDITION, no_closure
from ..beside import Beside
from ..design import Study
from ..road import SECOND, TRUTH, check_lane, direct_runs, learn, predict, sample_pairs
from ..runner import Runner
from .closures import ClosureScore, compare_closures, fit_closures
from .compare import SpinFindings
from .curie_weiss import exact_means
from .design import SpinDesign
from .report import report_of
from .scan import scan_patches

CHECK_STARTS = 2048
SMALL_RUNS = 3
BYTES_PER_SITE = 28


class SpinStudy(Study):
    """A study of the Curie-Weiss or the Ising model."""

    design_type, report_of = SpinDesign, staticmethod(report_of)

    def needs(self) -> Needs:
        """Memory of a chunk, that of pairs or of direct runs, and disk in all."""
        design = self.design
        plan = next(iter(design.plans.values()))
        chunk = min(design.lane(next(iter(design.plans))).chunk, design.starts)
        rows = max(chunk * len(plan.ages), design.direct.runs)
        starts = len(design.direct.magnetisations)
        records = starts * design.direct.runs * (design.direct.steps + 1)
        pairs = design.starts * len(plan.ages)
        stored = 8 * len(design.system.names) * (4 * records + 3 * pairs) * len(design.plans)
        return Needs(rows * design.side**2 * BYTES_PER_SITE, stored)

    def compute(self, runner: Runner) -> SpinFindings:
        """Simulate, learn, predict and compare."""
        design, timed = self.design, runner.timed
        closures = timed("closure", self._closures, runner)
        models, checks, scores = {}, {}, []
        for patch, closure in closures.items():
            lane = design.lane(patch, closure)
            pairs = timed(f"pairs {patch}", sample_pairs, runner, lane)
            own = (runner, patch, pairs, f"patch{patch}", design.closures.kind, closure)
            models[patch] = timed(f"learning {patch}", self._learn, *own)
            if patch == design.closures.compare_patch:
                scores = timed("closures", self._compare, runner, pairs, closure, models[patch])
        true, second = (timed("direct runs", self._direct, runner, use) for use in (TRUTH, SECOND))
        predicted = {
            p: timed(f"prediction {p}", self._predict, runner, p, closures[p], model)
            for p, model in models.items()
        }
        small = {p: timed("small systems", self._small, runner, p) for p in models}
        for p in models:
            lane = design.lane(p)
            checks[p] = timed(f"checks {p}", check_lane, runner, lane, "spin-check", CHECK_STARTS)
        scan = timed("scan", scan_patches, runner, design)
        exact = timed("exact means", exact_means, design)
        members = design.learning["members"]
        histories = {p: model.trained.history for p, model in models.items()}
        cases = {
            p: Beside(f"{p} x {p}", design.times, true, second, runs, small[p], members, checks[p])
            for p, runs in predicted.items()
        }
        return SpinFindings(
            design.system.names, cases, histories, scan, dict(runner.cpu_s), scores, exact
        )

    def _closures(self, runner: Runner) -> dict[int, Any]:
        """Closure variables of tiles by side; none where the settings have none."""
        design = self.design
        named = bool(design.closures.magnetisations)
        return fit_closures(runner, design) if named else dict.fromkeys(design.plans, no_closure)

    def _columns(self, closure: Any, kind: str) -> list[int]:
        """Columns of z that a model takes, of all that is measured."""
        n = len(self.design.system.names)
        return list(range(n)) if closure is no_closure else closure.columns(kind, n)

    def _learn(
        self, runner: Runner, patch: int, pairs: Chunk, name: str, kind: str, closure: Any
    ) -> Any:
        """The model of patches of a side with one closure."""
        design, columns = self.design, self._columns(closure, kind)
        own = {key: pairs[key][:, columns] for key in ("z0", "dz", "mean")}
        own["snapshot"] = pairs["snapshot"]
        plan, system = design.plans[patch], design.system
        condition, sites = system.model_condition(NO_CONDITION), plan.sites_per_pair(2)
        what = (own, condition, system.names, plan.dt, sites, design.learning, design.seed)
        return learn(runner, name, *what)

    def _compare(
        self, runner: Runner, pairs: Chunk, closure: Any, model: Any
    ) -> list[ClosureScore]:
        """Closures by held-out prediction, if there are several."""
        table = self.design.closures
        patch, kinds = table.compare_patch, table.kinds(table.compare_patch)
        if len(kinds) < 2:
            return []
        models = {
            kind: model
            if kind == table.kind
            else self._learn(runner, patch, pairs, f"closure-{kind}", kind, closure)
            for kind in kinds
        }
        return compare_closures(runner, self.design, closure, models)

    def _direct(self, runner: Runner, use: int) -> Array:
        """Direct runs; the second set shows what noise alone does to the errors."""
        design = self.design
        lane, direct = design.lane(next(iter(design.plans))), design.direct
        seeds = [
            (design.start_seed(k, use), stream(design.seed, "direct", k, use))
            for k in range(len(direct.magnetisations))
        ]
        what = (direct.magnetisations, direct.runs, design.times, seeds)
        return direct_runs(runner, lane, f"direct/{use}", *what)

    def _predict(self, runner: Runner, patch: int, closure: Any, model: Any) -> Array:
        """Predicted runs from the same initial mean spins."""
        design = self.design
        columns = self._columns(closure, design.closures.kind)
        wanted = design.prediction(design.learning["members"], columns)
        lane, seed = design.lane(patch, closure), stream(design.seed, "predict", patch)
        key = f"predicted/{patch}"
        return predict(runner, f"prediction {patch}", key, lane, model, wanted, seed)

    def _small(self, runner: Runner, patch: int) -> Array:
        """Direct runs of the small system itself, from the same initial mean spins."""
        design, direct = self.design, self.design.direct
        plan = replace(design.plans[patch], large=patch, buffer=0)
        lane = replace(design.lane(patch), plan=plan)
        seeds = [
            (stream(design.seed, "small-start", k, patch), stream(design.seed, "small", k, patch))
            for k in range(len(direct.magnetisations))
        ]
        what = (direct.magnetisations, direct.runs, design.times, seeds, "small systems")
        return direct_runs(runner, lane, f"small/{patch}", *what)
