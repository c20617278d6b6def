"""What the predator-prey study found, and how far it is from the truth."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.mmd import squared_mmd_with_error, standardise
from ...analysis.path_scores import PathScore, score_paths
from ...sampling.field_pairs import Array
from .scan import ScanRow


@dataclass(frozen=True)
class Findings:
    """What the stages of the study made; z has the means of u and v first.

    Attributes
    ----------
    times : array, shape (n_t,)
    true, second : arrays, shape (n_waves, runs, n_t, d)
        Direct runs, twice, with the closure variables of the first repeat.
    predicted : dict
        By lambda, shape (repeats, n_waves, runs, n_t, d).
    ways : dict
        By other way to sample, as ``true``.
    closures : dict
        Predicted and direct runs from held-out waves by closure, shape (n_waves, runs, n_t, 2).
    histories : list of arrays
        Losses of training, by repeat.
    scan : list of ScanRow
    """

    times: Array
    true: Array
    second: Array
    predicted: dict[float, Array]
    ways: dict[str, Array]
    closures: dict[str, tuple[Array, Array]]
    histories: list[Array]
    scan: list[ScanRow]


@dataclass(frozen=True)
class Scores:
    """Scores of the means of u and v.

    Attributes
    ----------
    repeats : dict
        By lambda, of every repeat.
    ways, closures : dict
    floor, floor_error : float
        MMD^2 of truth against truth.
    """

    repeats: dict[float, list[PathScore]]
    ways: dict[str, PathScore]
    closures: dict[str, PathScore]
    floor: float
    floor_error: float


def scores_of(findings: Findings) -> Scores:
    """All scores."""
    true, second = findings.true[..., :2], findings.second[..., :2]
    x, y = standardise(true, second)
    held_out = findings.closures.items()
    return Scores(
        {
            factor: [score_paths(z[..., :2], true, second) for z in runs]
            for factor, runs in findings.predicted.items()
        },
        {way: score_paths(z[..., :2], true, second) for way, z in findings.ways.items()},
        {kind: score_paths(runs, direct, direct) for kind, (runs, direct) in held_out},
        *squared_mmd_with_error(list(x), list(y)),
    )
