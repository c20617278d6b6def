"""The study of a field system: means of fields, predicted from patches, beside direct runs.

Everything from the small runs on is repeated with other seeds. The covariance that the likelihood
of a patch sees is lambda times that of the whole; paths are predicted for several lambda.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import Array
from ...learning.encoders.tile_closure import Features, SeveralClosures, TileClosure
from ...observables.field_moments import tile_means
from ...rng import stream
from ...sampling.needs import Needs
from ...sampling.pairs import tiles_chunk
from ..design import Study
from ..road import (
    SECOND,
    TRUTH,
    Lane,
    Prediction,
    check_lane,
    direct_runs,
    learn,
    predict,
    sample_pairs,
)
from ..runner import Runner
from .compare import FieldFindings
from .design import FieldDesign, slug
from .report import report_of

TILE_STARTS = 12
HELD_OUT, SMALL = 2, 3


class FieldStudy(Study):
    """A study of a field system that ships."""

    design_type, report_of = FieldDesign, staticmethod(report_of)

    def needs(self) -> Needs:
        """Memory of a chunk and disk in all, roughly."""
        design, ages = self.design, len(self.design.plan.ages)
        state = 8 * len(design.system.fields) * design.sites
        rows = design.repeats * design.starts * ages
        rows += 3 * len(design.direct) * design.runs * len(design.times)
        return Needs(state * max(40 * ages, 4 * design.runs), 200 * rows)

    def compute(self, runner: Runner) -> FieldFindings:
        """Simulate, learn and predict."""
        design, timed = self.design, runner.timed
        made = [timed(f"closure {r}", self._closures, runner, r) for r in range(design.repeats)]
        first, lane = made[0], design.lane(0, made[0])
        d, own = len(design.system.names), first.columns(design.kind, len(design.system.names))
        true, second = (self._direct(runner, use, lane)[..., own] for use in (TRUTH, SECOND))
        models = [timed(f"learning {r}", self._model, runner, r, c) for r, c in enumerate(made)]
        predicted = {
            x: np.stack([self._predict(runner, f"{r}-{x:g}", r, c, x) for r, c in enumerate(made)])
            for x in sorted({*design.lambdas, design.k})
        }
        ways = {
            way: self._predict(runner, f"way-{slug(way)}", 0, first, design.k, way=way)
            for way in design.plans
            if way
        }
        closures = {}
        for kind in design.compared:
            held_out = self._direct(runner, HELD_OUT, lane)[..., :d]
            runs = self._predict(runner, f"closure-{kind}", 0, first, design.k, kind)
            closures[kind] = (runs[..., :d], held_out)
        lanes = [design.checked_lane(number) for number in range(len(design.scan))]
        checks = [timed("checks", check_lane, runner, x, "field-check", x.starts) for x in lanes]
        return FieldFindings(
            times=design.times,
            true=true,
            second=second,
            small=self._direct(runner, SMALL, design.small_lane(first)),
            predicted=predicted,
            ways=ways,
            closures=closures,
            members=design.learning["members"],
            history=models[0].trained.history,
            checks=dict(zip(design.scan, checks)),
            cpu_s=dict(runner.cpu_s),
        )

    def _closures(self, runner: Runner, repeat: int) -> SeveralClosures:
        """Closures of one repetition; of the first, all that are compared."""
        design, seed = self.design, self.design.seed_of(repeat)
        key = f"tiles/{repeat}"
        job: Any = (design.system, design.plan, TILE_STARTS, {}, stream(seed, "field-tiles"))
        tiles = runner.chunks(key, tiles_chunk, {key: job})[key]["tiles"]
        features: dict[str, Features] = dict(design.system.closures)
        wanted = {design.kind, *(design.compared if repeat == 0 else ())}
        if "encoder" in wanted:
            own = stream(seed, "field-encoder")
            features["encoder"] = _encoder(runner, f"encoder{repeat}", tiles, design.encoder, own)
        kinds = [kind for kind in features if kind in wanted]
        return SeveralClosures({k: TileClosure.fit(features[k], tiles, tile_means) for k in kinds})

    def _direct(self, runner: Runner, use: int, lane: Lane) -> Array:
        """Direct runs, shape (n_starts, runs, n_t, d), closure variables included."""
        design, name = self.design, f"direct runs {use}"
        starts = design.held_out if use == HELD_OUT else design.direct
        own = [stream(design.seed, "direct", use, k) for k in range(len(starts))]
        job = (starts, design.runs, design.times, list(zip(own, own)), name)
        return runner.timed(name, direct_runs, runner, lane, f"direct/{use}", *job)

    def _model(
        self, runner: Runner, repeat: int, closures: SeveralClosures, kind: str = "", way: str = ""
    ) -> Any:
        """The model of one closure and way to sample, the study's own by default."""
        design, kind, plan = self.design, kind or self.design.kind, self.design.plans[way]
        pairs = sample_pairs(runner, design.lane(repeat, closures, way))
        used = ("z0", "dz") if plan.increments == "single" else ("z0", "dz", "mean")
        system, name = design.system, f"{repeat}-{kind}" + (f"-{slug(way)}" if way else "")
        columns = closures.columns(kind, len(system.names))
        own = {name: pairs[name][:, columns] for name in used} | {"snapshot": pairs["snapshot"]}
        sites = plan.sites_per_pair(system.dimension)
        what = (system.model_condition({}), system.names, plan.dt, sites, design.learning)
        return learn(runner, name, own, *what, design.seed_of(repeat))

    def _predict(
        self,
        runner: Runner,
        name: str,
        repeat: int,
        closures: SeveralClosures,
        factor: float,
        kind: str = "",
        way: str = "",
    ) -> Array:
        """Predicted runs, shape (n_starts, runs, n_t, d); of a given closure, held out."""
        design, model = self.design, self._model(runner, repeat, closures, kind, way)
        own = {k: c for k, c in closures.closures.items() if k == (kind or design.kind)}
        starts = [(start, None) for start in (design.held_out if kind else design.direct)]
        runs, times, sites = design.runs, design.times, factor * model.sites_per_patch
        wanted = Prediction(starts, runs, len(times) - 1, float(times[1]), sites, factor)
        seed = stream(design.seed_of(repeat), "predict")
        job = (design.lane(repeat, SeveralClosures(own)), model, wanted, seed)
        return predict(runner, "prediction", f"predicted/{name}", *job)[:, :runs]


def _encoder(
    runner: Runner, name: str, tiles: Array, options: tuple[int, int, int], seed: Any
) -> Features:
    from ...learning.encoders.field_encoder import FieldEncoder, train_field_encoder
    from ...learning.options import EncoderOptions

    def make(folder: Path) -> FieldEncoder:
        encoder, _ = train_field_encoder(tiles, EncoderOptions(*options), seed, folder)
        encoder.save(folder)
        return FieldEncoder.load(folder)

    return runner.kept(name, FieldEncoder.load, make).encode
