"""What the studies of lattice spins ask of a model: states, dynamics, macroscopic observables.

Replicas are the first axis: states are int8 arrays of shape (n_replicas, side**2), sites in C
order. Times are those of Glauber dynamics, one attempt a site and unit of time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..engines.spins.ensemble import SpinEnsemble
from ..engines.spins.lattice import random_spins
from ..engines.spins.models import SpinModel, require_temperature
from ..reals import require_finite
from ..rng import Seed, coerce_rng

Spins = NDArray[np.int8]


@dataclass(frozen=True)
class SpinSystem(ABC):
    """A spin model on squares of any side, at one temperature.

    Attributes
    ----------
    temperature : float
    field : float
        h.
    is_local : bool
        Whether spins feel their neighbours only, so that a patch needs no more than its rim.
    z_names : tuple of str
        Names of the observables.
    columns, core_columns : tuple of int
        Columns of a tally that hold n z, and its change by flips in the core.
    per_site : tuple of float
        What n z is divided by besides n.
    """

    temperature: float
    field: float
    is_local: ClassVar[bool]
    z_names: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[int, ...]]
    core_columns: ClassVar[tuple[int, ...]]
    per_site: ClassVar[tuple[float, ...]]

    def __post_init__(self) -> None:
        require_temperature(self.temperature)
        require_finite(self.field, "field")

    @abstractmethod
    def model(self, side: int) -> SpinModel:
        """The model on a square of a side."""

    @property
    def condition(self) -> Array:
        """What a macroscopic model is conditioned on: 1000 / T, shape (1,)."""
        return np.array([1000 / self.temperature])

    def ensemble(
        self,
        spins: ArrayLike,
        side: int,
        rng: Seed,
        active: ArrayLike | None = None,
        core: ArrayLike | None = None,
    ) -> SpinEnsemble:
        """Replicas, as `SpinEnsemble` takes them."""
        return SpinEnsemble(self.model(side), spins, self.temperature, rng, active, core)

    def z(self, tally: NDArray[np.int64], n_sites: int) -> Array:
        """Observables, shape (..., d), from a tally, shape (..., 5)."""
        return tally[..., self.columns] / (n_sites * np.array(self.per_site))

    def dz(self, tally: NDArray[np.int64], n_core: int) -> Array:
        """Whole changes of n z by flips in the core, over n_core: shape (..., d)."""
        return tally[..., self.core_columns] / (n_core * np.array(self.per_site))

    @abstractmethod
    def core_rates(self, ensemble: SpinEnsemble, core: NDArray[np.int64]) -> Array:
        """Mean change per unit of time by flips in the core, from the flips' rates.

        Shape (n_replicas, d), n z as in ``core_columns``. A core change minus its time integral
        is pure noise (a martingale).
        """

    @abstractmethod
    def energy(self, z: Array) -> Array:
        """H / n of observables, shape (..., d): it follows from them, so z need not hold it."""

    def observe(self, spins: Spins, side: int) -> Array:
        """Observables of states, shape (n_replicas, d)."""
        return self.z(self.model(side).tally(spins), side**2)

    def random_states(self, side: int, magnetisations: ArrayLike, rng: Seed) -> Spins:
        """States in random order, one for each mean spin."""
        generator = coerce_rng(rng)
        return np.stack(
            [random_spins(side**2, m, generator) for m in np.atleast_1d(magnetisations)]
        )

    def run(self, spins: Spins, side: int, times: ArrayLike, rng: Seed) -> tuple[Array, Spins]:
        """Evolve states.

        Parameters
        ----------
        spins : int8 array, shape (n_replicas, side**2)
        side : int
        times : array, shape (n_times,)
            Ascending, from 0.
        rng : seed

        Returns
        -------
        z : array, shape (n_replicas, n_times, d)
        states : int8 array, shape (n_replicas, n_times, side**2)
        """
        ensemble, z, states = self.ensemble(spins, side, rng), [], []
        for time in np.atleast_1d(times):
            z.append(self.z(ensemble.advance(time)[:, 0], side**2))
            states.append(ensemble.spins.copy())
        return np.stack(z, axis=1), np.stack(states, axis=1)

    def direct(self, spins: Spins, side: int, times: ArrayLike, rng: Seed) -> Array:
        """Observables of states as they evolve, shape (n_replicas, n_times, d)."""
        return self.z(self.ensemble(spins, side, rng).advance(times), side**2)


def spin_parameters(config: dict[str, Any]) -> tuple[float, float]:
    """Temperature and field of a study's settings.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    table = config["system"]
    if not table["temperature"] > 0:
        raise ValueError(f"system.temperature must be above 0, not {table['temperature']:g}")
    return table["temperature"], table["field"]
