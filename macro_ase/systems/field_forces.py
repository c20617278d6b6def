"""Fields without noise as systems of forces: a particle is a cell, with one value of each field.

Chen and Li, arXiv 2410.23938, have two: waves of predators and prey, whose z* are the means of both
species, and rings of one phase under the Allen-Cahn equation, whose z* is the free energy E.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..observables.differentiable import LinearObservables
from .allen_cahn import AllenCahn
from .field import FieldSystem
from .forces import FINER, ForceSystem, States, TrueRuns, uniform
from .predator_prey import PredatorPrey

STAGES = 4
"""Evaluations of the forces in a Runge-Kutta step of order four."""
QUARTERS = 4
WAVES = 6


@dataclass(frozen=True)
class FieldForces(ForceSystem):
    """Cells of a field, and runs by the Runge-Kutta method of order four.

    Attributes
    ----------
    field : FieldSystem
        Without noise.
    step : float
        Time step.
    """

    field: FieldSystem
    step: float
    particles: ClassVar[str] = "cells"
    images: ClassVar[int] = 1
    """How many parts of the system, all alike, the field stands for."""

    @property
    @abstractmethod
    def times(self) -> Array:
        """When states may be kept."""

    @property
    def test_times(self) -> Array:
        """When runs are compared."""
        return self.times

    @property
    def z_names(self) -> tuple[str, ...]:
        """Of the observables."""
        return self.field.names

    @property
    def n_particles(self) -> int:
        """Cells."""
        return math.prod(self.field.grid)

    @property
    def evaluations_per_run(self) -> int:
        """Of the rates of a cell."""
        return self._evaluations(self.test_times)

    @property
    def training_evaluations(self) -> int:
        """The same of a run to learn from."""
        return self._evaluations(self.times)

    def _evaluations(self, times: Array) -> int:
        spans = np.diff(times, prepend=0.0)
        steps = sum(self.field.number_of_steps(span, self.step, "rk4") for span in spans)
        return STAGES * steps * self.n_particles

    def test_runs(self, runs: int, rng: np.random.Generator) -> TrueRuns:
        """True runs, and the same with a finer time step."""
        start, times = self.start(runs, rng), self.test_times
        z, again = (
            self.images * self.field.direct(start, times, self.step / k, None, "rk4")
            for k in (1, FINER)
        )
        return TrueRuns(times, start.reshape(runs, -1), z, again)

    @abstractmethod
    def start(self, runs: int, rng: np.random.Generator) -> Array:
        """First fields, shape (runs, n_fields, *grid)."""

    def columns(self, particles: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first field in cells, then the second."""
        each = [particles + k * self.n_particles for k in range(len(self.field.fields))]
        return np.concatenate(each, axis=-1)

    def forces(self, states: States, particles: NDArray[np.int64] | None = None) -> Array:
        """Right-hand side, of all coordinates or of those of some cells of each state."""
        rates = self.field.rates(as_fields(self.field, states)).reshape(len(states), -1)
        if particles is None:
            return rates
        return np.take_along_axis(rates, self.columns(particles), axis=1)


def as_fields(field: FieldSystem, states: States) -> Array:
    """States, shape (n, N), as fields, (n, n_fields, *grid)."""
    shape = (len(states), len(field.fields), *field.grid)
    return np.asarray(states, dtype=np.float64).reshape(shape)


@dataclass(frozen=True)
class PredatorPreyForces(FieldForces):
    """Waves u = m + k cos(half_waves pi x), v = 1 - u between walls.

    Attributes
    ----------
    means, amplitudes : (float, float)
        Ranges of m and k, which are uniform.
    half_waves : float
    interval : float
        States are kept at multiples of it.
    frames : int
        How many, the first included.
    """

    field: PredatorPrey
    means: tuple[float, float]
    amplitudes: tuple[float, float]
    half_waves: float
    interval: float
    frames: int

    @property
    def described(self) -> str:
        """What it is."""
        return f"Predators and prey on {self.n_particles} cells without noise"

    @property
    def times(self) -> Array:
        """Kept times."""
        return np.asarray(self.interval * np.arange(self.frames), dtype=np.float64)

    @property
    def states_per_run(self) -> int:
        """Kept times."""
        return self.frames

    @cached_property
    def observables(self) -> LinearObservables:
        """Means of u and of v."""
        n = self.n_particles
        return LinearObservables(np.repeat(np.eye(2) / n, n, axis=1))

    def training_states(self, runs: int, rng: np.random.Generator) -> States:
        """States at every kept time."""
        paths = self.field.run(self.start(runs, rng), self.times, self.step, None, "rk4")
        return paths.reshape(-1, 2 * self.n_particles).astype(np.float32)

    def start(self, runs: int, rng: np.random.Generator) -> Array:
        """Waves of random means and amplitudes."""
        means = uniform(self.means, runs, rng)
        return self.field.wave(means, uniform(self.amplitudes, runs, rng), self.half_waves)

    def coarser(self) -> PredatorPreyForces:
        """With the longest time step that is stable and divides the interval."""
        longest = min(self.field.longest_step("rk4"), self.interval)
        return replace(self, step=self.interval / math.ceil(self.interval / longest - 1e-9))


@dataclass(frozen=True)
class QuarterFreeEnergy:
    """E of the square from its quarter, with dE/dv = - (rate of v) x (area of a cell)."""

    quarter: AllenCahn

    def __call__(self, states: States) -> Array:
        """E, (n, N) to (n, 1)."""
        return QUARTERS * self.quarter.observe(as_fields(self.quarter, states))

    def jacobian(self, states: States) -> Array:
        """dE/dv of the quarter's cells, shape (n, 1, N)."""
        rates = self.quarter.rates(as_fields(self.quarter, states))
        return -QUARTERS * self.quarter.cell**2 * rates.reshape(len(states), 1, -1)


@dataclass(frozen=True)
class AllenCahnForces(FieldForces):
    """Shrinking rings; the square is its own mirror image, and one quarter is computed.

    The images lie across both axes through the middle, and walls reflect, so that the quarter's
    cells stand for theirs.

    Attributes
    ----------
    field : AllenCahn
        The quarter between walls.
    outer, inner : (float, float)
        Ranges of the radii of rings, which are uniform.
    time : float
    frames, snapshots : int
        Into how many intervals a run is cut, and how many of their ends are kept.
    test_every : int
        Intervals between times of comparison.
    """

    field: AllenCahn
    outer: tuple[float, float]
    inner: tuple[float, float]
    time: float
    frames: int
    snapshots: int
    test_every: int
    images: ClassVar[int] = QUARTERS

    @property
    def described(self) -> str:
        """What it is."""
        return f"Rings on {2 * self.field.n_side} x {2 * self.field.n_side} cells"

    @property
    def times(self) -> Array:
        """Times at which states may be kept."""
        return np.linspace(0.0, self.time, self.frames + 1)

    @property
    def test_times(self) -> Array:
        """When runs are compared."""
        return self.times[:: self.test_every]

    @property
    def states_per_run(self) -> int:
        """Snapshots."""
        return self.snapshots

    @property
    def features(self) -> Array:
        """Cosine waves weighted by 1 / (1 + k^2 + l^2), k and l < ``WAVES``, as rows."""
        x = (np.arange(self.field.n_side) + 0.5) / self.field.n_side
        number = np.arange(WAVES)
        waves = np.cos(np.pi * number[:, None] * x)
        weights = 1 / (1 + number[:, None] ** 2 + number**2) / self.n_particles
        rows = weights[:, :, None, None] * waves[:, None, :, None] * waves[None, :, None]
        return rows.reshape(WAVES**2, -1)

    @property
    def observables(self) -> QuarterFreeEnergy:
        """The free energy."""
        return QuarterFreeEnergy(self.field)

    def training_states(self, runs: int, rng: np.random.Generator) -> States:
        """A few states of each run: spaced evenly in E, one late.

        States at rest are all alike, and E falls fast while a ring's hole, or the ring, vanishes.
        """
        return np.concatenate([self._snapshots(rng) for _ in range(runs)])

    def _snapshots(self, rng: np.random.Generator) -> States:
        frames = self.field.run(self.start(1, rng), self.times, self.step, None, "rk4")[0]
        energy, number = self.field.free_energy(frames), self.snapshots - 1
        levels = energy[0] * (number - np.arange(number) - rng.random(number)) / number
        rows = np.minimum(np.searchsorted(-energy, -levels), len(frames) - 1)
        rows = np.append(rows, rng.integers(len(frames)))
        states: States = frames[rows].reshape(len(rows), -1).astype(np.float32)
        return states

    def start(self, runs: int, rng: np.random.Generator) -> Array:
        """Rings of random radii."""
        outer = uniform(self.outer, runs, rng)
        half = self.field.n_side
        square = replace(self.field, n_side=2 * half, edge=2 * self.field.edge)
        rings = square.torus(outer, uniform(self.inner, runs, rng))
        return np.ascontiguousarray(rings[:, :, :half, :half])

    def coarser(self) -> AllenCahnForces:
        """Half as many cells along each edge, and a time step four times as long."""
        field = replace(self.field, n_side=max(4, self.field.n_side // 2))
        step = self.step * (field.cell / self.field.cell) ** 2
        return replace(self, field=field, step=min(step, field.longest_step("rk4")))
