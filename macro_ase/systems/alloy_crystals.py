"""What all alloy systems share, whatever moves their atoms: crystals, bonds, upsampling.

A condition is {"T": temperature in K}; the model of an alloy sees 1000 K / T and the composition.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..kinetics.padding import pad
from ..kinetics.shell_bonds import count_bonds
from ..lattice import SiteGrid
from ..rng import children, own_seeds
from ..site_cells import SiteCells
from .alloy_order import BCC_SHELLS, BondOrder
from .alloy_upsampling import SeamSwaps, Upsampler
from .base import Closure, Condition, EventSystem, Increments, Plan, Snapshots, States, no_closure

Codes = NDArray[np.int8]
Sites = SiteGrid | SiteCells


@dataclass(frozen=True, kw_only=True)
class AlloyCrystals(EventSystem):
    """An alloy, small and large, whose observables are bond densities.

    Attributes
    ----------
    small, large : SiteGrid, or SiteCells
        The small system and the large one, bcc or of any cells; to grow states the first must
        divide the second.
    small_states : int8 array, shape (n_states, n_small)
        Initial states of small runs.
    large_state : int8 array, shape (n_large,)
        Initial state of the large system.
    random_start : bool
        Whether these are random alloys: every run then starts from one of its own, for two crystals
        of the same order parameters may relax at different speeds.
    shells : int
        Neighbour shells in the state.
    boundary : {"embedded", "periodic"}
        Where a patch evolves: in the true crystal, or as a periodic tile.
    """

    small: Sites
    large: Sites
    small_states: Codes
    large_state: Codes
    random_start: bool = False
    shells: int = 2
    boundary: Literal["embedded", "periodic"] = "embedded"
    dimension = 3

    @property
    @abstractmethod
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""

    @property
    @abstractmethod
    def seam_swaps(self) -> SeamSwaps:
        """What heals the seams of upsampled states."""

    @abstractmethod
    def n_patches(self, state: Codes) -> int:
        """K of a large state."""

    @abstractmethod
    def events_of(self, small_events: float) -> tuple[float, float, float]:
        """Microscopic events of a small run, and of a patch and of the whole per mean event."""

    def events(
        self,
        runs: int,
        small_events: float,
        states: float,
        healing: float,
        patches: int,
        step: float,
    ) -> dict[str, float]:
        """Events of a study by stage: small runs, large states, patches and every fourth whole.

        ``patches`` are those of a state that evolve, one that does so twice counted twice.
        """
        small, patch, whole = self.events_of(small_events)
        return {
            "small runs": runs * small,
            "large states, before pairs": states * healing * whole,
            "patches, each alone": states * patches * patch * step,
            "wholes, for the checks": states / 4 * whole * step,
        }

    @abstractmethod
    def path(
        self,
        grid: Sites,
        start: Codes,
        times: Array,
        temperature: float,
        seed: np.random.SeedSequence,
        kept: Collection[int] = (),
    ) -> tuple[Array, Array, list[Codes]]:
        """A crystal from a state on: bond densities, vacancy neighbours, states of rows kept.

        Times start with that of the state.
        """

    @abstractmethod
    def evolve_patches(
        self,
        state: Codes,
        dt: float,
        temperature: float,
        patches: NDArray[np.int64],
        seeds: Sequence[np.random.SeedSequence],
    ) -> list[tuple[NDArray[Any], bool]]:
        """Change of the whole's bonds by each of some patches alone, and whether it met another."""

    @cached_property
    def order(self) -> BondOrder:
        """Bond densities of the large system and what follows from them."""
        return BondOrder(self.species, self._counts(self.large_state), self._shell_sizes)

    @cached_property
    def small_order(self) -> BondOrder:
        """The same of the small one."""
        return BondOrder(self.species, self._counts(self.small_states[0]), self._shell_sizes)

    def over_small(self, order: BondOrder) -> Array:
        """z of a crystal of these numbers over that of a small one as ordered, shape (d,).

        The ratio of two random ones: of n sites either lacks 1 / (n - 1) of alpha, and shares of
        species and vacancies are not the same to the last atom.
        """
        ratio: Array = order.random_state(self.shells) / self.small_order.random_state(self.shells)
        return ratio

    @cached_property
    def _shell_sizes(self) -> tuple[int, ...]:
        """Neighbours of a site by shell."""
        if isinstance(self.small, SiteCells):
            return tuple(table.shape[1] for table in self.small.shells(self.shells))
        return BCC_SHELLS

    def _counts(self, state: Codes) -> NDArray[np.int64]:
        return np.bincount(state, minlength=len(self.species) + 1)

    @cached_property
    def upsampler(self) -> Upsampler:
        """Tiles small states into large ones, of bcc."""
        assert isinstance(self.small, SiteGrid) and isinstance(self.large, SiteGrid)
        return Upsampler(self.small, self.large, self.seam_swaps, self.shells)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the observables, such as ``"Mo-Ta"``."""
        return self.order.state_names(self.shells)

    def bonds(self, state: Codes, grid: Sites) -> NDArray[np.int64]:
        """Ordered bond counts of a state by shell, shape (n_shells, S, S)."""
        if isinstance(grid, SiteCells):
            return grid.bonds(state, self.shells, len(self.species) + 1)
        return count_bonds(grid, pad(grid, state), self.shells, len(self.species) + 1)[0, ...]

    def observe(self, states: States) -> Array:
        """Bond densities of small or large states, shape (n, d)."""
        grid = self.large if states.shape[1] == self.large.n_sites else self.small
        return np.array([self.order.state(self.bonds(s, grid), grid.n_sites) for s in states])

    @property
    def vacancy_scale(self) -> float:
        """Vacancy concentration of the large system over that of the small one."""
        small = float(np.mean(self.small_states == len(self.species)))
        return float(self.order.fractions[-1] / small) if small else 1.0

    def model_condition(self, condition: Condition) -> Array:
        """1000 K / T, then the fraction of every species of atom but the last."""
        atoms = self.order.counts[:-1]
        return np.concatenate([[1000 / condition["T"]], atoms[:-1] / atoms.sum()])

    def alone(self) -> Self:
        """The same with the small system for the large one, from the first of its states."""
        return replace(self, large=self.small, large_state=self.small_states[0])

    def small_start(self, seed: np.random.SeedSequence) -> Codes:
        """Where a small run starts: one of `small_states`, or a random one of its own."""
        rng = np.random.default_rng(seed)
        return self._own(self.small_states[rng.integers(len(self.small_states))], rng)

    def large_start(self, seed: np.random.SeedSequence) -> Codes:
        """Where a run of the large system starts: `large_state`, or a random one of its own."""
        return self._own(self.large_state, np.random.default_rng(seed))

    def _own(self, state: Codes, rng: np.random.Generator) -> Codes:
        return rng.permutation(state) if self.random_start else state

    def plan(self, **settings: Any) -> Plan:
        """The plan of settings; sides are those of the crystals along the first axis, in cells.

        Raises
        ------
        ValueError
            If other sides are asked for.
        """
        sides = {"small": self.small.size[0], "large": self.large.size[0]}
        other = {k: v for k, v in sides.items() if settings.get(k, v) != v}
        if other:
            raise ValueError(f"the crystals have {other} cells, and no others")
        usual: dict[str, Any] = {"ages": (0.0,), "relax_time": 0.0}
        return Plan(**(usual | settings | sides))

    def snapshots(
        self, plan: Plan, number: int, condition: Condition, rng: np.random.Generator
    ) -> Snapshots:
        """Large states from small runs, ages of each run one after another."""
        grown, t, rows = [], condition["T"], range(1, 1 + len(plan.ages))
        for seed in own_seeds(rng, number):
            choice, run, *own = seed.spawn(2 + len(plan.ages))
            start = self.small_start(choice)
            states = self.path(self.small, start, np.array([0.0, *plan.ages]), t, run, rows)[2]
            for state, age, each in zip(states, plan.ages, own):
                tile, heal = each.spawn(2)
                large = self.upsampler(state, t, tile)
                times = np.array([0.0, min(age, plan.relax_time)])
                grown += self.path(self.large, large, times, t, heal, (1,))[2]
        return Snapshots(np.array(grown), np.repeat(np.arange(number), len(plan.ages)))

    def increments(
        self,
        plan: Plan,
        states: States,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
        patches: int = 0,
    ) -> Increments:
        """Patches of large states evolved alone for ``plan.dt``; there are no closures.

        All K, or ``patches`` chosen at random of each state: what a patch does is the same, and so
        is K times its change, whose mean is that of all.

        Raises
        ------
        ValueError
            If a closure is asked for.
        """
        if closure is not no_closure:
            raise ValueError("alloys have no closure variables")
        n, k, dz, met, chosen = self.large.n_sites, self.n_patches(states[0]), [], [], []
        for state, seed in zip(states, own_seeds(rng, len(states))):
            numbers, seeds = _chosen(seed, k, patches)
            evolved = self.evolve_patches(state, plan.dt, condition["T"], numbers, seeds)
            dz.append([self.order.state(change, n) * k for change, _ in evolved])
            met.append([one for _, one in evolved])
            chosen.append(numbers)
        which = (np.array(chosen), k) if patches else (None, None)
        made = self.observe(states), np.array(dz), None, np.array(met, dtype=np.int8)
        return Increments(*made, *which)

    def start(
        self, plan: Plan, start: Any, number: int, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Copies of the large system's initial state."""
        return np.repeat(self.large_state[None], number, axis=0)

    def wholes(
        self,
        plan: Plan,
        states: States,
        times: Array,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Array:
        """Bond densities of whole states as they evolve, shape (n, n_t, d)."""
        seeds = own_seeds(rng, len(states))
        return np.array([self.direct(s, times, condition, own)[0] for s, own in zip(states, seeds)])

    def tiles(self, plan: Plan, states: States) -> States:
        """Blocks of the small size, shape (n, K, n_small)."""
        return np.array([self.upsampler.tiles(state) for state in states])

    def direct(
        self, state: States, times: Array, condition: Condition, seed: np.random.SeedSequence
    ) -> tuple[Array, Array]:
        """Run the large crystal; the second array holds vacancy neighbours (n_t, S - 1)."""
        return self.path(self.large, state, times, condition["T"], seed)[:2]


def _chosen(
    seed: np.random.SeedSequence, k: int, patches: int
) -> tuple[NDArray[np.int64], list[np.random.SeedSequence]]:
    """Numbers of the patches to evolve, of k, and the seed of each, whoever else evolves."""
    if not 0 < patches < k:
        return np.arange(k), seed.spawn(k)
    rng = np.random.default_rng(children(seed, [k])[0])
    numbers = np.sort(rng.choice(k, patches, replace=False))
    return numbers, children(seed, numbers)


def kept_rows(n_times: int, share: int = 32) -> set[int]:
    """Rows whose states are kept: log-spaced in the first half, equidistant in the second."""
    half = n_times // 2
    early = np.unique(np.round(np.geomspace(1, half, share)).astype(int) - 1)
    late = np.linspace(half, n_times - 1, share).astype(int)
    return {int(k) for k in (*early, *late)}
