"""What the stages of a study of a spin model found, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...arrays import Array
from ..beside import Beside
from .closures import ClosureScore
from .scan import ScanRow


@dataclass(frozen=True)
class SpinFindings:
    """Runs, assumptions and training of one study.

    Attributes
    ----------
    names : tuple of str
        Of the observables.
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

    names: tuple[str, ...]
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
