"""Predictions for a person's own system beside direct runs, and beside what is simpler."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...analysis.assumptions import PatchCheck
from ...analysis.run_errors import LateMoments, late_moments, mean_errors
from ...arrays import Array


@dataclass(frozen=True)
class Compared:
    """What was found under one condition.

    Attributes
    ----------
    true, second : arrays, shape (n_starts, runs, n_t, d)
        Direct runs, twice.
    predicted : array, shape (n_starts, members * paths, n_t, d)
        One member's after another's.
    small : array, shape (n_starts, runs, n_t, d)
        Direct runs of the small system.
    members : int
    check : PatchCheck
    """

    true: Array
    second: Array
    predicted: Array
    small: Array
    members: int
    check: PatchCheck

    @property
    def direct(self) -> LateMoments:
        """Moments of the second halves of all direct runs."""
        return late_moments(np.concatenate([self.true, self.second], axis=1))

    @property
    def late(self) -> LateMoments:
        """Moments of the second halves of predicted runs."""
        return late_moments(self.predicted, self.members)

    @property
    def own(self) -> LateMoments:
        """Moments of the second halves of the small system's runs."""
        return late_moments(self.small)

    def errors(self) -> tuple[Array, Array]:
        """Errors of the mean path, shape (n_starts, d), and of truth against truth, (d,)."""
        true = self.true.mean(axis=1)
        floor = mean_errors(self.second.mean(axis=1), true).mean(axis=0)
        return mean_errors(self.predicted.mean(axis=1), true), floor


@dataclass(frozen=True)
class OwnFindings:
    """What the stages made.

    Attributes
    ----------
    compared : list of Compared
        By condition.
    history : array, shape (members, epochs, 2)
    scale : array, shape (d,)
        Spread of the observables over the training states.
    cpu_s : dict
        CPU seconds by stage.
    """

    compared: list[Compared]
    history: Array
    scale: Array
    cpu_s: dict[str, float]
