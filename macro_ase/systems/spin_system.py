"""Lattice spins: states, dynamics, macroscopic observables, and patches by compiled kernels.

Replicas are the first axis: states are int8 arrays of shape (n_replicas, side**2), sites in C
order. Times are those of Glauber dynamics, one attempt a site and unit of time.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
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
from .base import Closure, Condition, Plan, States, no_closure
from .lattice import LatticePlan, LatticeSystem
from .tiles import Moved, PatchShape, Sites, side_of

Spins = NDArray[np.int8]
LONGEST_INTERVAL = 0.25


@dataclass(frozen=True, kw_only=True)
class SpinPlan(LatticePlan):
    """A plan for spins.

    Attributes
    ----------
    magnetisation : (float, float)
        Range of the small runs' initial mean spins.
    """

    magnetisation: tuple[float, float] = (-0.8, 0.8)


@dataclass(frozen=True)
class SpinSystem(LatticeSystem):
    """A spin model on squares of any side, at one temperature.

    Attributes
    ----------
    temperature : float
    field : float
        h.
    columns, core_columns : tuple of int
        Columns of a tally that hold n z, and its change by flips in the core.
    per_site : tuple of float
        What n z is divided by besides n.
    """

    temperature: float
    field: float
    values: ClassVar[tuple[int, ...]] = (-1, 1)
    columns: ClassVar[tuple[int, ...]]
    core_columns: ClassVar[tuple[int, ...]]
    per_site: ClassVar[tuple[float, ...]]

    def __post_init__(self) -> None:
        require_temperature(self.temperature)
        require_finite(self.field, "field")

    @abstractmethod
    def model(self, side: int) -> SpinModel:
        """The model on a square of a side."""

    def model_condition(self, condition: Condition) -> Array:
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

    def per_sites(self, tally: NDArray[np.int64], n_sites: int) -> Array:
        """Observables, shape (..., d), from a tally, shape (..., 5)."""
        values: Array = tally[..., self.columns] / (n_sites * np.array(self.per_site))
        return values

    def dz(self, tally: NDArray[np.int64], n_core: int) -> Array:
        """Whole changes of n z by flips in the core, over n_core: shape (..., d)."""
        changes: Array = tally[..., self.core_columns] / (n_core * np.array(self.per_site))
        return changes

    @abstractmethod
    def core_rates(self, ensemble: SpinEnsemble, core: NDArray[np.int64]) -> Array:
        """Mean change per unit of time by flips in the core, from the flips' rates.

        Shape (n_replicas, d), n z as in ``core_columns``. A core change minus its time integral
        is pure noise (a martingale).
        """

    @abstractmethod
    def energy(self, z: Array) -> Array:
        """H / n of observables, shape (..., d): it follows from them, so z need not hold it."""

    def observe(self, spins: States, side: int | None = None) -> Array:
        """Observables of flat states, shape (n_replicas, d)."""
        side = side_of(spins.shape[1], 2) if side is None else side
        return self.per_sites(self.model(side).tally(spins), side**2)

    def measured(self, states: States) -> Array:
        """As `observe`."""
        return self.observe(states)

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
            z.append(self.per_sites(ensemble.advance(time)[:, 0], side**2))
            states.append(ensemble.spins.copy())
        return np.stack(z, axis=1), np.stack(states, axis=1)

    def direct(self, spins: Spins, side: int, times: ArrayLike, rng: Seed) -> Array:
        """Observables of states as they evolve, shape (n_replicas, n_times, d)."""
        return self.per_sites(self.ensemble(spins, side, rng).advance(times), side**2)

    def evolve(
        self,
        states: States,
        active: NDArray[np.bool_],
        duration: float,
        condition: Condition,
        rng: np.random.Generator,
    ) -> States:
        """States, shape (n_replicas, side, side), after a time in which only active sites flip."""
        side, flat = states.shape[1], states.reshape(len(states), -1)
        ensemble = self.ensemble(flat, side, rng, np.flatnonzero(active))
        ensemble.advance(duration)
        return ensemble.spins.reshape(states.shape)

    def nodes(self, dt: float) -> int:
        """Intervals of the trapezoidal rule for the time integral of the rates."""
        return math.ceil(dt / LONGEST_INTERVAL)

    def move_block(
        self,
        states: States,
        edge: int,
        active: Sites | None,
        core: Sites,
        shape: PatchShape,
        dt: float,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Moved:
        """As `LatticeSystem.move_block`; changes are whole ones by flips in the core."""
        mask, n_core = np.isin(np.arange(edge**2), core), len(core)
        ensemble = self.ensemble(states, edge, rng, active, mask)
        mean = self._followed(ensemble, core, dt, shape.nodes) / (n_core * np.array(self.per_site))
        own, change = ensemble.spins[:, core], self.dz(ensemble.tally, n_core)
        return Moved(own, change, mean if shape.nodes else None)

    def _followed(self, ensemble: SpinEnsemble, core: Sites, dt: float, nodes: int) -> Array:
        """Advance by dt; time integral of the rates at which the core's flips change n z."""
        mean = np.zeros((len(ensemble.spins), len(self.names)))
        if not nodes:
            ensemble.advance(dt)
            return mean
        mean += self.core_rates(ensemble, core) * dt / (2 * nodes)
        for k in range(1, nodes + 1):
            ensemble.advance(dt * k / nodes)
            weight = (1 if k < nodes else 0.5) / nodes
            mean += self.core_rates(ensemble, core) * dt * weight
        return mean

    def aged(
        self, plan: Plan, number: int, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Small runs from mean spins drawn evenly from the plan's range."""
        assert isinstance(plan, SpinPlan)
        magnetisations = rng.uniform(*plan.magnetisation, number)
        initial = self.random_states(plan.small, magnetisations, rng)
        return self.run(initial, plan.small, plan.ages, rng)[1]

    def start(
        self, plan: Plan, start: Any, number: int, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Large states in random order of the mean spin ``start``."""
        return self.random_states(plan.large, np.full(number, start), rng)

    def wholes(
        self,
        plan: Plan,
        states: States,
        times: Array,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Array:
        """Observables of whole states as they evolve, shape (n, n_t, d)."""
        if closure is not no_closure:
            return super().wholes(plan, states, times, closure, condition, rng)
        return self.direct(states, plan.large, times, rng)

    def streams(self, seed: np.random.SeedSequence) -> Sequence[np.random.Generator]:
        """One generator for all."""
        return [coerce_rng(seed)] * 3
