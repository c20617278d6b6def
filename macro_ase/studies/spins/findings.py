"""What the stages of a study of a spin model found, as its results are made from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.assumptions import PatchCheck
from ...analysis.run_errors import LateMoments, late_moments
from .scan import Scan

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SpinFindings:
    """Runs, assumptions and training of one study.

    Attributes
    ----------
    times : array, shape (n_t,)
    true, second : arrays, shape (n_starts, runs, n_t, d)
        Direct runs, twice.
    predicted : dict
        Predicted runs by side of the patches, as ``true``, one model's after another's.
    members : int
        Models of an ensemble.
    checks : dict
        `PatchCheck` by side.
    histories : dict
        Training and validation losses by side, shape (members, epochs, 2).
    scan : Scan
    """

    times: Array
    true: Array
    second: Array
    predicted: dict[int, Array]
    members: int
    checks: dict[int, PatchCheck]
    histories: dict[int, Array]
    scan: Scan

    @property
    def all_direct(self) -> Array:
        """Both sets of direct runs, shape (n_starts, 2 runs, n_t, d)."""
        return np.concatenate([self.true, self.second], axis=1)

    @property
    def late_direct(self) -> LateMoments:
        """Moments of the second halves of direct runs."""
        return late_moments(self.all_direct)

    def late(self, side: int) -> LateMoments:
        """Moments of the second halves of predicted runs."""
        return late_moments(self.predicted[side], self.members)

    @property
    def by_label(self) -> dict[str, Array]:
        """Predicted runs by what a table calls them."""
        return {f"{side} x {side}": runs for side, runs in self.predicted.items()}
