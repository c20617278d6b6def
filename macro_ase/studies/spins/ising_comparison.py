"""Which closure predicts best, by held-out runs.

Likelihoods over different variables cannot be compared, so closures are compared by held-out
multi-step prediction of z* = (m, broken bonds) alone: the error of the mean over runs from initial
states that are not those of the study, and the spread of late times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.run_errors import late_moments, mean_errors
from ...arrays import Array
from ...rng import coerce_rng, stream
from ...systems.spin_system import Spins
from ..stages import Chunk
from .runs import PREDICTED, SECOND, TRUTH, predict_runs

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel
    from .ising import IsingStudy

FLOOR = "direct against direct"


@dataclass(frozen=True)
class ClosureScore:
    """Held-out prediction by a model with one closure.

    Attributes
    ----------
    kind : str
    errors : array, shape (n_starts, 2)
        Of m and of broken bonds.
    spread : array, shape (2,)
        Standard deviation over the second halves of runs, over that of direct runs.
    """

    kind: str
    errors: Array
    spread: Array

    @classmethod
    def of(cls, kind: str, runs: Array, true: Array) -> ClosureScore:
        """Score of runs, shape (n_starts, n, n_t, 2), against direct ones."""
        errors = mean_errors(runs.mean(axis=1), true.mean(axis=1))
        return cls(kind, errors, late_moments(runs).std / late_moments(true).std)


def compare_closures(study: IsingStudy, patch: int, pairs: Chunk) -> list[ClosureScore]:
    """Errors of held-out runs by closure, and of a second set of direct runs."""
    true, second = (_direct_runs(study, use) for use in (TRUTH, SECOND))
    scores = []
    for kind in study.kinds(patch):
        columns = study.closures[patch].columns(kind, len(study.system.names))
        name = f"patch{patch}" if kind == study.kind else f"closure-{kind}"
        model = study.learn(patch, pairs, columns, name)
        key = f"closure/{kind}"
        jobs = {key: (study, patch, model, columns)}
        predicted = study.stages.chunks(f"closure {kind}", compare_chunk, jobs)[key]["z"]
        scores.append(ClosureScore.of(kind, predicted, true))
    return [*scores, ClosureScore.of(FLOOR, second, true)]


def _direct_runs(study: IsingStudy, use: int) -> Array:
    """Held-out direct runs, shape (n_starts, n, n_t, 2)."""
    numbers = range(len(study.config["closure"]["magnetisations"]))
    jobs = {f"heldout/{use}/{k}": (study, k, use) for k in numbers}
    done = study.stages.chunks("held-out runs", held_out_chunk, jobs)
    return np.stack([done[key]["z"] for key in jobs])


def held_out_states(study: IsingStudy, number: int, use: int, runs: int) -> Spins:
    """States of an initial mean spin that the study's own runs do not have."""
    m = study.config["closure"]["magnetisations"][number]
    rng = coerce_rng(stream(study.seed, "held-out", number, use))
    return study.system.random_states(study.side, np.full(runs, m), rng)


def held_out_chunk(study: IsingStudy, number: int, use: int) -> dict[str, Array]:
    """Direct runs from the held-out initial mean spin of a number."""
    states = held_out_states(study, number, use, study.config["closure"]["runs"])
    rng = stream(study.seed, "held-out-direct", number, use)
    return {"z": study.system.direct(states, study.side, study.times, rng)}


def compare_chunk(
    study: IsingStudy, patch: int, model: MacroModel, columns: list[int]
) -> dict[str, Array]:
    """Predicted runs from the held-out states of other draws."""
    table = study.config["closure"]
    paths = -(-table["runs"] // len(model.trained.members))
    numbers = range(len(table["magnetisations"]))
    states = [held_out_states(study, k, PREDICTED, paths) for k in numbers]
    own = stream(study.seed, "held-out-predict", patch)
    return {"z": predict_runs(study, patch, model, states, columns, own)}


def closure_table(scores: list[ClosureScore]) -> dict[str, Any]:
    """Held-out errors by closure."""
    rows = [
        [s.kind, *(f"{e:.2e}" for e in s.errors.mean(axis=0)), *(f"{x:.3f}" for x in s.spread)]
        for s in scores
    ]
    return {
        "caption": "Held-out prediction: error of the mean over runs from other initial states; "
        "spread of late times over that of direct runs",
        "columns": ["closure", "error of m", "of broken bonds", "spread of m", "of broken bonds"],
        "rows": rows,
    }
