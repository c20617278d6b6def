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

    ``cases`` are by side of the patches, with one truth; ``histories`` hold losses by side, shape
    (members, epochs, 2); ``scores`` are of closures that were compared; ``exact`` holds means of m,
    shape (n_starts, n_t, 1), where they are known.
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
