"""Field systems: from small runs to large states, and what patches of these do alone.

    z0 = phi(x),   mean = (1/K) sum_I (A_I + B_I) / 2

A_I and B_I are K times the changes of phi by patch I when it evolves alone, twice. Averaged over
the K patches that is the drift of the whole, in which what one patch gains from its neighbour
cancels. An increment dz has this mean, without what sets one patch's drift apart from another's,
and the noise of one patch J, K times that of the whole in covariance:

    independent   dz = mean + d_J - (1 - 1/sqrt 2) (1/K) sum_I d_I,   d = (A - B) / sqrt 2
    antithetic    dz = mean + (A_J - B_J) / 2
    single        dz = A_J

B has random numbers of its own, or, for "antithetic", the opposites of A's: their even part is
drift without noise of first order, their odd part noise, so that this is for weak noise. The last
term of "independent" takes away what noise in the mean would let patches share. "single" increments
also hold the difference between the patch's drift and that of the whole.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ..arrays import Array
from ..rng import coerce_rng
from .base import Closure, Condition, Increments, Plan, Snapshots, States, System
from .field_equation import FieldEquation, replica_states
from .field_growing import interpolate, local_relax, repeat
from .field_patches import FieldPatches
from .field_steps import inside, laplacian

__all__ = ["FieldPlan", "FieldSystem", "inside", "laplacian", "replica_states"]
INCREMENTS = ("independent", "antithetic", "single")
GROWING = ("repetition", "interpolation")


@dataclass(frozen=True, kw_only=True)
class FieldPlan(Plan):
    """A plan for fields; sides are counted in cells. Windows of grown states change every 2 dt.

    Attributes
    ----------
    core : int
        Cells of a patch along each axis; 0: as many as the small system has.
    growing : {"repetition", "interpolation"}
        "repetition" lays copies side by side, mirrored at walls.
    spacing : float
        Edge of the small system's cells, in those of the large one. As large as the factor of
        interpolation, it makes the small system a coarse picture of the large one; 1 keeps the
        cells as they are and stretches what interpolation makes of them. The noise per area is that
        of the large.
    increments : {"independent", "antithetic", "single"}
    """

    core: int = 0
    growing: str = "repetition"
    spacing: float = 1.0
    increments: str = "independent"

    @property
    def width(self) -> int:
        """Cells of a patch along each axis."""
        return self.core or self.small

    def rows(self, made: Increments, rng: np.random.Generator) -> tuple[Array, Array | None]:
        """The increment of one patch of each state, drawn at random, and the mean of all."""
        one = rng.integers(0, made.dz.shape[1], len(made.dz))
        drawn = made.dz[np.arange(len(made.dz)), one]
        return drawn, drawn if self.increments == "single" else made.mean

    def sites_per_pair(self, dimension: int) -> float:
        """Cells of a patch."""
        return float(self.width**dimension)

    def events(self, starts: int, dimension: int) -> dict[str, float]:
        """Cells times the time that each evolves, by stage, of so many small runs."""
        large, patches = self.large**dimension, (self.large // self.width) ** dimension
        relaxed = sum(min(age, self.relax_time) for age in self.ages)
        block = min(self.width + 2 * self.buffer, self.large) ** dimension
        return {
            "small runs": starts * self.small**dimension * self.ages[-1],
            "growing": starts * large * relaxed,
            "patches": 2 * starts * len(self.ages) * patches * block * self.dt,
        }


class FieldSystem(FieldEquation, System):
    """Fields of one equation on a grid of cells; the base of a person's own.

    A subclass names its ``fields`` and observables, writes `equation`, `observe` and `initial`, and
    `amplitude` where noise is multiplicative. All else are attributes of the class, which the
    constructor changes by name and which conditions may name too::

        class FisherKPP(FieldSystem):
            fields, names = ("u",), ("mean u",)
            growth, noise, low, time_step = 1.0, 0.1, 0.0, 0.01

            def equation(self, u):
                inner = inside(u)
                return laplacian(u, self.cell) + self.growth * inner * (1 - inner)

            def amplitude(self, u):
                return np.sqrt(u)

            def observe(self, states):
                return states.mean(axis=-1)

            def initial(self, number, shape, condition, rng):
                return rng.uniform(0.1, 1, (number, 1, 1)) * np.ones(shape)

        FisherKPP(growth=0.5)

    Attributes
    ----------
    fields, names : tuple of str
        Of the fields and of the observables.
    cells : int or tuple of int
        Cells along each axis.
    axes : {1, 2}
    spacing : float
        Edge h of a cell.
    boundary : {"neumann", "periodic"}
    ghost : int
        Layers of ghost cells that the equation needs: 1 for each Laplacian within another.
    noise : float
        Per square root of time.
    noise_kind : {"lattice", "white"}
    low, high : float
        Limits of all fields. Above a lower limit noise multiplies: a step takes u - low to a
        log-normal number of the mean and variance of Euler's step, so that u stays above and the
        limit adds nothing to its mean. What drift alone takes below is set to the limit, and what
        exceeds the upper one to that.
    time_step : float
        Of the simulation; 0: a fifth of the longest stable one, where that is known.
    cellwise : bool
        Whether observables are means of a function of each cell alone, so that the change by a
        patch is that of its own cells' mean; else the whole is observed with each patch in turn.

    closures : mapping
        Functions of tiles, shape (n, n_fields, *width), to what may be closure variables, by name:
        means over a tile's cells, shape (n, c).

    Raises
    ------
    ValueError
        If a number makes no sense, or there is no such attribute.
    """

    cellwise: bool = False
    closures: ClassVar[Mapping[str, Closure]] = {}

    @abstractmethod
    def initial(
        self, number: int, shape: tuple[int, ...], condition: Condition, rng: np.random.Generator
    ) -> States:
        """States to begin with, shape (number, n_fields, *shape)."""

    @property
    def dimension(self) -> int:  # type: ignore[override]
        """Axes of the grid."""
        return len(self.grid)

    @property
    def step(self) -> float:
        """Time step of the simulation.

        Raises
        ------
        ValueError
            If it is too long, or not given where the longest stable one is not known.
        """
        longest = self.longest_step()
        step = self.time_step or 0.2 * longest
        if not 0 < step <= longest or np.isinf(step):
            most = "" if np.isinf(longest) else f" and at most {longest:.4g} on {self.grid} cells"
            raise ValueError(f"time_step must be above 0{most}, not {step:g}")
        return step

    def at(self, condition: Condition) -> Self:
        """This system under a condition, which names attributes."""
        return self.changed(**condition) if condition else self

    def plan(self, **settings: Any) -> FieldPlan:
        """A `FieldPlan`, if patches of its kind tile this system."""
        plan = FieldPlan(**settings)
        for name, allowed in (("increments", INCREMENTS), ("growing", GROWING)):
            if getattr(plan, name) not in allowed:
                raise ValueError(f"{name} must be of {', '.join(allowed)}")
        large, small = self._patches(plan).system, self.on_grid(plan.small, plan.spacing)
        large.number_of_steps(plan.dt, self.step)
        small.number_of_steps(plan.dt, small.step)
        return plan

    def model_condition(self, condition: Condition) -> Array:
        """Values of the condition, shape (c,); without one it is 1."""
        return super().model_condition(condition) if condition else np.ones(1)

    def measured(self, states: States) -> Array:
        """`observe` of states on a grid of any size."""
        own = self if states.shape[2:] == self.grid else self.on_grid(states.shape[2])
        return np.asarray(own.observe(states), dtype=np.float64)

    def tiles(self, plan: Plan, states: States) -> States:
        """Cores of all patches, shape (n, K, n_fields, *width)."""
        return self._patches(plan).tiles(states)

    def _patches(self, plan: Any) -> FieldPatches:
        return FieldPatches(self.on_grid(plan.large), plan.width, plan.buffer, plan.boundary)

    def snapshots(
        self, plan: Any, number: int, condition: Condition, rng: np.random.Generator
    ) -> Snapshots:
        """Large states from small runs, ages of each run one after another."""
        own = self.at(condition)
        patches, small = own._patches(plan), own.on_grid(plan.small, plan.spacing)
        first = small.initial(number, small.grid, condition, rng)
        path = small.run(first, plan.ages, small.step, rng)
        grow = interpolate if plan.growing == "interpolation" else repeat
        factor, ring = plan.large // plan.small, self.boundary == "periodic"
        grown = []
        for k, age in enumerate(plan.ages):
            time, large = min(age, plan.relax_time), grow(path[:, k], factor, ring)
            grown.append(local_relax(patches, large, time, 2 * plan.dt, own.step, rng))
        states = np.stack(grown, axis=1).reshape(-1, *grown[0].shape[1:])
        return Snapshots(states, np.repeat(np.arange(number), len(plan.ages)))

    def increments(
        self,
        plan: Any,
        states: States,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Increments:
        """Every patch evolved alone, twice."""
        own, opposite = self.at(condition), plan.increments == "antithetic"
        patches, again = own._patches(plan), copy.deepcopy(rng)
        a, b = (
            own._changes(patches, states, patches.evolve(states, plan.dt, own.step, *how), closure)
            for how in ((rng, 1), (again, -1) if opposite else (rng, 1))
        )
        mean, odd = (a + b).mean(axis=1) / 2, (a - b) / 2 if opposite else (a - b) / np.sqrt(2)
        if not opposite:
            odd -= (1 - 1 / np.sqrt(2)) * odd.mean(axis=1, keepdims=True)
        dz = a if plan.increments == "single" else mean[:, None] + odd
        return Increments(own.z(plan, states, closure), dz, mean)

    def _changes(
        self, patches: FieldPatches, states: States, after: States, closure: Closure
    ) -> Array:
        """K times the change of observables and closure variables by each patch, (n, K, d)."""
        flat = [x.reshape(-1, *x.shape[2:]) for x in (after, patches.tiles(states))]
        values = [closure(x) for x in flat]
        if self.cellwise:
            values = [np.concatenate([self.measured(x), v], axis=1) for x, v in zip(flat, values)]
        own = (values[0] - values[1]).reshape(*after.shape[:2], -1)
        if self.cellwise:
            return own
        before, mixed = self.measured(states), []
        for k in range(patches.number):
            with_one = patches.placed(states, after[:, k], k)
            mixed.append(patches.number * (self.measured(with_one) - before))
        return np.concatenate([np.stack(mixed, axis=1), own], axis=-1)

    def start(
        self, plan: Plan, start: Any, number: int, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Copies of one large state, which `initial` draws from the seed ``start``."""
        large = self.at(condition).on_grid(plan.large)
        one = large.initial(1, large.grid, condition, coerce_rng(start))
        return np.repeat(one, number, axis=0)

    def wholes(
        self,
        plan: Plan,
        states: States,
        times: Array,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Array:
        """Observables and closure variables of whole states as they evolve, shape (n, n_t, d)."""
        large = self.at(condition).on_grid(plan.large)
        frames = large.frames(states, times, large.step, rng)
        return np.stack([large.z(plan, x, closure) for x in frames], axis=1)
