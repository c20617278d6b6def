"""What a system gives to learning from forces on some of its particles.

dx/dt = f(x) is deterministic; a particle has one coordinate of x or several.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..observables.differentiable import Observables

States = NDArray[np.floating]
FINER = 2
"""Test runs made again have a time step shorter by this factor."""


class TrueRuns(NamedTuple):
    """True runs to compare with.

    Attributes
    ----------
    times : array, shape (n_t,)
    start : array, shape (runs, N)
        States at the first time.
    z, again : arrays, shape (runs, n_t, m)
        Observables, and the same with a finer time step: how far true runs are from each other is
        the floor of the errors.
    """

    times: Array
    start: States
    z: Array
    again: Array


class ForceSystem(ABC):
    """A system whose dynamics is learned from forces; its subclasses are frozen dataclasses.

    Attributes
    ----------
    particles : str
        What particles are called.
    z_names : tuple of str
        Of the observables.
    n_particles : int
    states_per_run : int
        Kept of each training run.
    observables : Observables
        phi*, with their Jacobian.
    features : array, shape (n_features, N), or None
        What an encoder takes principal components of, if not of the states.
    evaluations_per_run, training_evaluations : int
        Of the force on a particle, in a run to compare with and in one to learn from.
    """

    particles: ClassVar[str]

    @property
    @abstractmethod
    def described(self) -> str:
        """What it is, for the beginning of a sentence."""

    @property
    @abstractmethod
    def z_names(self) -> tuple[str, ...]:
        """Of the observables."""

    @property
    @abstractmethod
    def n_particles(self) -> int:
        """Particles of a state."""

    @property
    @abstractmethod
    def states_per_run(self) -> int:
        """States kept of each training run."""

    @property
    @abstractmethod
    def observables(self) -> Observables:
        """phi*."""

    @property
    def features(self) -> Array | None:
        """Rows, or None: the states themselves."""
        return None

    @property
    @abstractmethod
    def evaluations_per_run(self) -> int:
        """Of the force on a particle."""

    @property
    def training_evaluations(self) -> int:
        """The same of a run to learn from."""
        return self.evaluations_per_run

    @abstractmethod
    def training_states(self, runs: int, rng: np.random.Generator) -> States:
        """States kept of training runs, in single precision, shape (runs * states_per_run, N)."""

    @abstractmethod
    def test_runs(self, runs: int, rng: np.random.Generator) -> TrueRuns:
        """True runs, from other starts."""

    def training(self, runs: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        """`training_states` by name."""
        return {"states": self.training_states(runs, rng)}

    def test(self, runs: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        """`test_runs` by name."""
        return self.test_runs(runs, rng)._asdict()

    @abstractmethod
    def columns(self, particles: NDArray[np.int64]) -> NDArray[np.int64]:
        """Coordinates of particles, (n, k) to (n, k * coordinates of a particle)."""

    @abstractmethod
    def forces(self, states: States, particles: NDArray[np.int64] | None = None) -> Array:
        """dx/dt of all coordinates, shape (n, N), or of those that `columns` names."""

    @abstractmethod
    def coarser(self) -> ForceSystem:
        """The same runs at a share of the cost: a longer time step, or fewer cells."""


def uniform(limits: tuple[float, float], number: int, rng: np.random.Generator) -> Array:
    """Numbers, shape (number,), uniform between two limits."""
    return rng.uniform(limits[0], limits[1], number)
