"""Closures of the Ising study: what they are made from, and which predicts best.

Likelihoods over different variables cannot be compared, so closures are compared by held-out
multi-step prediction of z* = (m, broken bonds) alone: the error of the mean over runs from initial
states that are not those of the study, and the spread of late times.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.run_errors import late_moments, mean_errors
from ...arrays import Array
from ...observables.spin_correlations import next_correlations
from ...report import Table, Value
from ...rng import stream
from ...sampling.pairs import tiles_chunk
from ...systems.base import NO_CONDITION, States
from ..road import PREDICTED, SECOND, TRUTH, Prediction, direct_runs, predict
from ..runner import Runner
from .design import SpinDesign

TILE_STARTS = 96
FLOOR = "direct against direct"


@dataclass(frozen=True)
class ClosureScore:
    """Held-out prediction by a model with one closure.

    ``errors`` of m and of broken bonds, shape (n_starts, 2); ``spread``, shape (2,), is the
    standard deviation over the second halves of runs, over that of direct runs.
    """

    kind: str
    errors: Array
    spread: Array

    @classmethod
    def of(cls, kind: str, runs: Array, true: Array) -> ClosureScore:
        """Score of runs, shape (n_starts, n, n_t, 2), against direct ones."""
        errors = mean_errors(runs.mean(axis=1), true.mean(axis=1))
        return cls(kind, errors, late_moments(runs).std / late_moments(true).std)


def fit_closures(runner: Runner, design: SpinDesign) -> dict[int, Any]:
    """`SeveralClosures` by side, from tiles of relaxed large states."""
    from ...learning.encoders.tile_closure import SeveralClosures, TileClosure

    table, system = design.closures, design.system
    jobs = {
        f"tiles/{p}": (system, plan, TILE_STARTS, NO_CONDITION, stream(design.seed, "tiles", p))
        for p, plan in design.plans.items()
    }
    done = runner.chunks("tiles", tiles_chunk, jobs)
    features: dict[str, Any] = {"correlations": next_correlations}
    kinds = {patch: table.kinds(patch) for patch in design.plans}
    if any("encoder" in own for own in kinds.values()):
        compared = table.compare_patch in design.plans
        patch = table.compare_patch if compared else max(design.plans)
        features["encoder"] = _encoder(runner, design, done[f"tiles/{patch}"]["tiles"])
    made = {}
    for patch, own in kinds.items():
        tiles = done[f"tiles/{patch}"]["tiles"]
        fitted = {kind: TileClosure.fit(features[kind], tiles) for kind in own if kind in features}
        made[patch] = SeveralClosures(fitted)
    return made


def _encoder(runner: Runner, design: SpinDesign, tiles: States) -> Any:
    """The one encoder of all sides, trained on the tiles that closures are compared on."""
    from ...learning.encoders.patch_encoder import PatchEncoder, train_encoder
    from ...learning.options import EncoderOptions

    def make(folder: Path) -> PatchEncoder:
        table = design.closures
        options = EncoderOptions(table.variables, table.channels, table.steps)
        observed = design.system.observe(tiles)
        own = stream(design.seed, "encoder")
        encoder, _ = train_encoder(tiles, observed, options, own, folder)
        encoder.save(folder)
        return PatchEncoder.load(folder)

    return runner.kept("encoder", PatchEncoder.load, make).encode


def compare_closures(
    runner: Runner, design: SpinDesign, closures: Any, models: dict[str, Any]
) -> list[ClosureScore]:
    """Errors of held-out runs by closure, and of a second set of direct runs.

    ``closures`` are those of the patches on which they are compared, ``models`` are by closure.
    """
    table, seed = design.closures, design.seed
    starts = list(enumerate(table.magnetisations))
    lane = design.lane(table.compare_patch)
    direct = {}
    for use in (TRUTH, SECOND):
        seeds = [
            (stream(seed, "held-out", k, use), stream(seed, "held-out-direct", k, use))
            for k, _ in starts
        ]
        wanted = (table.magnetisations, table.runs, design.times, seeds, "held-out runs")
        direct[use] = direct_runs(runner, lane, f"heldout/{use}", *wanted)
    scores, names = [], len(design.system.names)
    own = design.lane(table.compare_patch, closures)
    for kind, model in models.items():
        wanted_paths = Prediction(
            [(m, stream(seed, "held-out", k, PREDICTED)) for k, m in starts],
            table.runs,
            design.direct.steps,
            design.direct.interval,
            design.side**2,
            columns=closures.columns(kind, names),
            kept=names,
        )
        how = (own, model, wanted_paths, stream(seed, "held-out-predict", table.compare_patch))
        runs = predict(runner, f"closure {kind}", f"closure/{kind}", *how)
        scores.append(ClosureScore.of(kind, runs, direct[TRUTH]))
    return [*scores, ClosureScore.of(FLOOR, direct[SECOND], direct[TRUTH])]


def closure_table(scores: list[ClosureScore]) -> Table:
    """Held-out errors by closure."""
    return Table(
        "Held-out prediction: error of the mean over runs from other initial states; spread of "
        "late times over that of direct runs",
        ["closure", "error of m", "of broken bonds", "spread of m", "of broken bonds"],
        [
            [
                score.kind,
                *(Value(e, form=".2e") for e in np.mean(score.errors, axis=0)),
                *(Value(x, form=".3f") for x in score.spread),
            ]
            for score in scores
        ],
    )
