"""What the study of a field system found, and how far it is from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...analysis.assumptions import PatchCheck
from ...analysis.mmd import squared_mmd_with_error, standardise
from ...analysis.path_scores import PathScore, score_paths
from ...arrays import Array

Scores = dict[str, list[PathScore]]


@dataclass(frozen=True)
class FieldFindings:
    """What the stages made; z has the observables first.

    ``true``, ``second`` and ``small`` are direct runs, twice and of the small system, shape
    (n_starts, runs, n_t, d), ``predicted`` runs by lambda, (repeats, n_starts, runs, n_t, d),
    ``ways`` by way to sample, ``closures`` predicted and direct ones from held-out states.
    """

    times: Array
    true: Array
    second: Array
    small: Array
    predicted: dict[float, Array]
    ways: dict[str, Array]
    closures: dict[str, tuple[Array, Array]]
    members: int
    history: Array
    checks: dict[str, PatchCheck]
    cpu_s: dict[str, float]

    def scores(self, d: int) -> tuple[dict[float, list[PathScore]], Scores, Scores]:
        """Of the first d components of z: by lambda, a score a repeat; by way; by closure."""
        true, second = self.true[..., :d], self.second[..., :d]
        others = {"small system itself": self.small, **self.ways}
        return (
            {
                factor: [score_paths(z[..., :d], true, second) for z in runs]
                for factor, runs in self.predicted.items()
            },
            {way: [score_paths(z[..., :d], true, second)] for way, z in others.items()},
            {kind: [score_paths(z, own, own)] for kind, (z, own) in self.closures.items()},
        )

    def mmd(self, d: int | None = None, other: Array | None = None) -> tuple[float, float]:
        """MMD^2 to the truth of other runs, or of the second set of direct ones, and its error."""
        runs = (self.true, self.second) if other is None else (self.true, self.second, other)
        x, *_, y = standardise(*(z[..., :d] for z in runs))
        return squared_mmd_with_error(list(x), list(y))


def over_repeats(scores: list[PathScore]) -> tuple[float, float]:
    """Mean MMD^2 over repeats, and its error from their scatter or, if larger, the bootstrap."""
    values, errors = (np.array([getattr(s, name) for s in scores]) for name in ("mmd", "mmd_error"))
    root = np.sqrt(len(values))
    scatter = values.std(ddof=1) / root if len(values) > 1 else 0.0
    return float(values.mean()), float(max(scatter, errors.mean() / root))
