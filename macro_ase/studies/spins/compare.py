"""What the stages of a study of a spin model found, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...analysis.run_errors import first_peak
from ...arrays import Array
from ..beside import Beside
from .closures import ClosureScore
from .scan import ScanRow


@dataclass(frozen=True)
class SpinFindings:
    """Runs, assumptions and training of one study.

    Attributes
    ----------
    cases : dict
        `Beside` by side of the patches; all have the same truth.
    histories : dict
        Training and validation losses by side, shape (members, epochs, 2).
    scan : list of ScanRow
    cpu_s : dict
        CPU seconds by stage.
    scores : list of ClosureScore
        Of closures that were compared.
    exact : array, shape (n_starts, n_t, 1), optional
        Exact means of m.
    """

    cases: dict[int, Beside]
    histories: dict[int, Array]
    scan: list[ScanRow]
    cpu_s: dict[str, float]
    scores: list[ClosureScore] = field(default_factory=list)
    exact: Array | None = None

    @property
    def truth(self) -> Beside:
        """A case, for what all share."""
        return next(iter(self.cases.values()))

    @property
    def by_label(self) -> dict[str, Array]:
        """Predicted runs by what a table calls them."""
        return {case.label: case.predicted for case in self.cases.values()}


def peak_ratio(runs: Array, true: Array, starts: list[float]) -> float:
    """First peak of the mean broken bonds from the lowest start, over the true one."""
    low = int(np.argmin(starts))
    peak, truth = (first_peak(x[low, :, :, 1].mean(axis=0)) for x in (runs, true))
    return peak / truth
