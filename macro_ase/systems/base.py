"""What a study asks of a microscopic system.

    start -> small runs -> Snapshots -> grown Snapshots -> Increments of patches, and of Wholes

Replicas come first in every array. A condition names its values, such as ``{"T": 1.2}``; it may be
empty. `lattice.LatticeSystem`, `field.FieldSystem` and `atoms.AtomsSystem` fill in what systems of
their kind share, so that a person writes how their own system moves and what is measured.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arrays import Array
from ..ratios import either, near_divisors
from ..refusals import Refused
from .handed_over import Increments as Increments
from .handed_over import PatchPairs as PatchPairs
from .handed_over import Snapshots as Snapshots
from .handed_over import States as States
from .handed_over import Trajectory as Trajectory

Condition = Mapping[str, float]
Closure = Callable[[States], Array]
"""From tiles, shape (n, ...), to closure variables, shape (n, c): means over each tile."""
NO_CONDITION: Condition = {}
BOUNDARIES = ("frozen", "periodic")


def no_closure(tiles: States) -> Array:
    """No closure variables, shape (n, 0)."""
    return np.zeros((len(tiles), 0))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How small systems become large states, and how patches of these evolve.

    Attributes
    ----------
    small, large : int
        Sides of the small system, which is also the core of a patch, and of the large one.
    ages : tuple of float
        Ages at which states of small runs are kept, ascending.
    relax_time : float
        How long windows of a grown state relax after each step of growing, though never longer
        than the state is old.
    dt : float
        How long a patch evolves.
    buffer : int
        Cells or sites around the core that evolve too and do not count.
    boundary : {"frozen", "periodic"}
        "frozen": true surroundings, which stand still. "periodic": every core is a little periodic
        system of its own, for comparison.
    """

    small: int
    large: int
    ages: tuple[float, ...]
    relax_time: float
    dt: float
    buffer: int = 0
    boundary: str = "frozen"

    def __post_init__(self) -> None:
        if self.small < 1 or self.large < self.small or self.large % self.small:
            near = near_divisors(self.small, self.large)
            raise Refused(
                f"small must divide large = {self.large} into whole patches, not {self.small}: "
                f"the nearest is {either(near)}",
                {"small": near[0]} if near else None,
            )
        if not 0 <= self.buffer <= (self.large - self.small) // 2:
            most = (self.large - self.small) // 2
            text = f"buffer must be from 0 to {most}, not {self.buffer}"
            raise Refused(text, {"buffer": min(max(self.buffer, 0), most)})
        if self.boundary not in BOUNDARIES:
            allowed = ", ".join(BOUNDARIES)
            text = f"boundary must be one of {allowed}, not {self.boundary!r}"
            raise Refused(text, {"boundary": BOUNDARIES[0]})
        if not 0 < self.dt < np.inf or not 0 <= self.relax_time < np.inf:
            raise ValueError(
                f"dt must be above 0 and relax_time 0 or more, not {self.dt} and {self.relax_time}"
            )
        if not self.ages or self.ages[0] < 0 or np.any(np.diff(self.ages) <= 0):
            raise ValueError(f"ages must ascend from 0 or later, not {list(self.ages)}")

    def rows(self, made: Increments, rng: np.random.Generator) -> tuple[Array, Array | None]:
        """What is learned from: an increment of each state, and its mean, (n, d) each.

        The mean over the K patches of a state has the covariance of one patch, over K.
        """
        mean = None if made.mean is None else made.mean.mean(axis=1)
        return made.dz.mean(axis=1), mean

    def events(self, starts: int, dimension: int) -> dict[str, float]:
        """Sites times the time that each evolves, by stage, of so many small runs."""
        small, side, grown = self.small**dimension, self.small, 0.0
        while side < self.large:
            side *= next(f for f in range(2, self.large + 1) if self.large // side % f == 0)
            grown += 2 * side**dimension
        relaxed = sum(min(age, self.relax_time) for age in self.ages)
        patches = (self.large // self.small) ** dimension * len(self.ages)
        block = min(self.small + 2 * self.buffer, self.large) ** dimension
        return {
            "small runs": starts * small * self.ages[-1],
            "growing": starts * grown * relaxed,
            "patches": starts * patches * block * self.dt,
        }

    def sites_per_pair(self, dimension: int) -> float:
        """Sites that an increment of `rows` stands for: the model's n_s."""
        return float(self.large**dimension)


class System(ABC):
    """A microscopic system whose patches can evolve alone.

    Attributes
    ----------
    names : tuple of str
        Of the observables: means over sites, cells or atoms.
    time_unit : str
        For people.
    dimension : int
        Axes along which a side is counted.
    """

    time_unit: ClassVar[str] = "time"
    dimension = 2

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Of the observables; a plain class attribute will do."""

    @abstractmethod
    def observe(self, states: States) -> Array:
        """Observables of states, shape (n, d)."""

    @abstractmethod
    def snapshots(
        self, plan: Plan, number: int, condition: Condition, rng: np.random.Generator
    ) -> Snapshots:
        """Large states from ``number`` small runs, one of each age, run by run."""

    @abstractmethod
    def increments(
        self,
        plan: Plan,
        states: States,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Increments:
        """Every patch of large states evolved alone for ``plan.dt``."""

    @abstractmethod
    def start(
        self, plan: Plan, start: Any, number: int, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Large states to begin direct runs from, alike as far as ``start`` says what they are."""

    @abstractmethod
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

    @abstractmethod
    def tiles(self, plan: Plan, states: States) -> States:
        """The cores of all patches of large states, shape (n, K, ...)."""

    def plan(self, **settings: Any) -> Plan:
        """The plan of settings by name, as `Plan` takes them.

        Raises
        ------
        ValueError
            If this system cannot be sampled so.
        """
        return Plan(**settings)

    def arguments(self) -> dict[str, Any]:
        """What the constructor was given, of what is kept under the same names."""
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def measured(self, states: States) -> Array:
        """`observe` of states as this system keeps them, shape (n, d)."""
        return np.asarray(self.observe(states), dtype=np.float64)

    def z(self, plan: Plan, states: States, closure: Closure = no_closure) -> Array:
        """Observables of large states, then closure variables, shape (n, d)."""
        tiles = self.tiles(plan, states)
        own = closure(tiles.reshape(-1, *tiles.shape[2:])).reshape(*tiles.shape[:2], -1)
        return np.concatenate([self.measured(states), own.mean(axis=1)], axis=1)

    def model_condition(self, condition: Condition) -> Array:
        """What a macroscopic model is conditioned on, shape (c,)."""
        return np.array([float(value) for value in condition.values()])

    def streams(self, seed: np.random.SeedSequence) -> Sequence[np.random.Generator]:
        """Generators of a chunk for its states, its patches and its choices."""
        return [np.random.default_rng(own) for own in seed.spawn(3)]


class EventSystem(System):
    """A system whose time step is counted in events of a patch and chosen from small runs.

    States have their sites on the last axis; conditions hold a temperature "T". Seeds are
    `numpy.random.SeedSequence`, one per item, so that results do not depend on order.

    Attributes
    ----------
    event : str
        What counts as one event of a patch, for people.
    record_events : float
        Mean events of a patch between two samples of a small run.
    substeps : int
        Of the model's paths within a step, see `learning.models.macro_model`.
    """

    event: ClassVar[str]
    record_events: ClassVar[float]
    substeps: ClassVar[int]

    @abstractmethod
    def least_small_events(self, longest_step: float) -> float:
        """Events of a small run whose stationary half holds twice the longest lag of a scan."""

    @abstractmethod
    def small_trajectory(
        self,
        n_events: float,
        condition: Condition,
        seed: np.random.SeedSequence,
        start: States | None = None,
    ) -> Trajectory:
        """A run of the small system from a state, or from a typical initial one."""

    @abstractmethod
    def increments(
        self,
        plan: Plan,
        states: States,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
        patches: int = 0,
    ) -> Increments:
        """As of any system; of so many patches of each state chosen at random, or of all (0)."""

    @abstractmethod
    def upsample(
        self,
        state: States,
        healing_events: float,
        condition: Condition,
        seed: np.random.SeedSequence,
    ) -> tuple[States, Array]:
        """A large state like a small one, and what measures how well its seams healed.

        Every patch evolves for ``healing_events`` mean events before the state is used.
        """

    @abstractmethod
    def direct(
        self, state: States, times: Array, condition: Condition, seed: np.random.SeedSequence
    ) -> tuple[Array, Array]:
        """Observables (n_t, d) and further ones (n_t, e) of the whole, evolved from a state."""
