"""Observables of a system's coordinates, with their Jacobian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array

States = NDArray[np.floating]


class Observables(Protocol):
    """Given macroscopic observables phi*."""

    def __call__(self, states: States) -> Array:
        """Values, (n, N) to (n, m)."""

    def jacobian(self, states: States) -> Array:
        """phi*', shape (n, m, N), or (1, m, N) where it does not depend on the state."""


@dataclass(frozen=True)
class LinearObservables:
    """phi*(x) = A x.

    Attributes
    ----------
    rows : array, shape (m, N)
        A.
    """

    rows: Array

    def __call__(self, states: States) -> Array:
        """Values, (n, N) to (n, m)."""
        return np.asarray(states, dtype=np.float64) @ self.rows.T

    def jacobian(self, states: States) -> Array:
        """A, shape (1, m, N)."""
        return self.rows[None]
