"""What a system gives to the studies of partial forces."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
States = NDArray[np.floating]


class TestRuns(NamedTuple):
    """True runs to compare with.

    Attributes
    ----------
    times : array, shape (n_t,)
    start : array, shape (runs, N)
        States at the first time.
    z : array, shape (runs, n_t, m)
        Observables.
    again : array, shape (runs, n_t, m)
        The same runs made otherwise (another time step, or other free seeds): how far true runs
        are from each other is the floor of the errors.
    """

    times: Array
    start: States
    z: Array
    again: Array


class ForceSystem(Protocol):
    """What a system gives to `ForcesStudy`.

    Attributes
    ----------
    z_names : tuple of str
        Of the observables.
    n_particles : int
    states_per_run : int
        Kept of each training run.
    observables : learning.encoders.first_layer.Observables
        With their Jacobian.
    features : array, shape (n_features, N), optional
        What the encoder takes principal components of, if not of the states.
    """

    z_names: ClassVar[tuple[str, ...]]

    @property
    def n_particles(self) -> int:
        """Particles of a state."""

    @property
    def states_per_run(self) -> int:
        """States kept of each training run."""

    @property
    def observables(self) -> Any:
        """phi*."""

    @property
    def features(self) -> Array | None:
        """Features, or None."""

    def training_states(self, runs: int, rng: np.random.Generator) -> States:
        """States kept of training runs, shape (n, N)."""

    def test_runs(self, runs: int, rng: np.random.Generator) -> TestRuns:
        """True runs."""

    def columns(self, particles: NDArray[np.int64]) -> NDArray[np.int64]:
        """Coordinates of particles, (n, k) to (n, k * coordinates of a particle)."""

    def forces(self, states: States, particles: NDArray[np.int64] | None = None) -> Array:
        """dx/dt of all coordinates, shape (n, N), or of those that `columns` names."""


def uniform(limits: list[float], number: int, rng: np.random.Generator) -> Array:
    """Numbers, shape (number,), uniform between two limits."""
    return rng.uniform(limits[0], limits[1], number)
