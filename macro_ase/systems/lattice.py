"""Lattice models: tiles, windows with buffers, growing; a person writes how sites move.

A patch is a core and a buffer around it. With couplings of finite reach what lies beyond a rim as
wide as the reach does not matter, so core, buffer and frozen rim are cut out as a little block and
evolve there exactly as they would in the whole lattice with all else frozen. Where the block would
meet itself around the lattice, and where sites feel the mean of all, the whole lattice stays and
only the patch is active.

Inside, states are flat, shape (n_replicas, n_sites), sites in C order; `LatticeSystem.evolve` and
`observe` of a person's own model see them as (n_replicas, side, side) or whatever the dimension is.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..rng import coerce_rng
from .base import Closure, Condition, Increments, Plan, Snapshots, States, System
from .tiles import (
    Moved,
    PatchShape,
    Sites,
    apart,
    block_sites,
    inner_sites,
    repeated,
    side_of,
    tile_corners,
)


@dataclass(frozen=True, kw_only=True)
class LatticePlan(Plan):
    """A plan on a lattice.

    Attributes
    ----------
    initial : tuple, optional
        What the small runs start from, for systems that ask for it.
    baseline : {"none", "naive"}
        "naive": observables of the evolved patch itself stand for those of the whole after the
        step, as if it were the whole.
    """

    initial: Any = None
    baseline: str = "none"

    def rows(self, made: Increments, rng: np.random.Generator) -> tuple[Array, Array | None]:
        """As `Plan.rows`; with the naive baseline, those of one patch."""
        if self.baseline == "naive":
            return made.dz[:, 0], made.dz[:, 0]
        return super().rows(made, rng)


class LatticeSystem(System):
    """A model on a periodic lattice of sites; a person's own says how they move.

    Attributes
    ----------
    values : sequence of int
        What a site may be, from -128 to 127.
    reach : int or None
        How many sites away a site still feels another; None: all feel all.
    """

    values: ClassVar[Any] = (0, 1)
    reach: ClassVar[int | None] = 1

    @abstractmethod
    def evolve(
        self,
        states: States,
        active: NDArray[np.bool_],
        duration: float,
        condition: Condition,
        rng: np.random.Generator,
    ) -> States | None:
        """States after a time in which only active sites move; None if changed in place.

        Parameters
        ----------
        states : int8 array, shape (n_replicas, side, ...)
            Of any side, periodic; may be changed in place.
        active : bool array, shape (side, ...)
        duration : float
        condition : mapping
        rng : numpy.random.Generator
        """

    def initial(
        self, number: int, shape: tuple[int, ...], condition: Condition, rng: np.random.Generator
    ) -> States:
        """States to begin with, shape (number, *shape): random sites, shares drawn evenly.

        Each state has its own shares of the values, so that small runs come from everywhere.
        """
        known = np.array(list(self.values), dtype=np.int8)
        limits = np.cumsum(rng.dirichlet(np.ones(len(known)), number), axis=1)[:, :-1]
        draws = rng.random((number, int(np.prod(shape)), 1))
        states: States = known[(draws > limits[:, None]).sum(axis=2)].reshape(number, *shape)
        return states

    def plan(self, **settings: Any) -> Plan:
        """A `LatticePlan`."""
        return LatticePlan(**settings)

    def nodes(self, dt: float) -> int:
        """Intervals in which rates are followed, of a system that knows its rates."""
        return 0

    def grid(self, states: States) -> States:
        """Flat states as grids, shape (n, side, ...)."""
        side = side_of(states.shape[1], self.dimension)
        return states.reshape(len(states), *(side,) * self.dimension)

    def measured(self, states: States) -> Array:
        """Observables of flat states, shape (n, d)."""
        return np.asarray(self.observe(self.grid(states)), dtype=np.float64)

    def tiles(self, plan: Plan, states: States) -> States:
        """Cores of all patches of flat states, shape (n, K, core**dimension)."""
        corners = tile_corners(plan.large, plan.small, 0, self.dimension)
        return states[:, block_sites(corners, plan.small, plan.large)]

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
        """Let the active sites of blocks, shape (n, edge**dimension), move; default all."""
        mask = np.ones(edge**self.dimension, dtype=bool)
        if active is not None:
            mask = np.isin(np.arange(len(mask)), active)
        mask = mask.reshape((edge,) * self.dimension)
        after = self._evolved(states, mask, dt, condition, rng)
        if not shape.counted:
            return Moved(after[:, core], np.zeros((len(states), 0)))
        mixed = states.copy()
        mixed[:, core] = after[:, core]
        change = self.measured(mixed) - self.measured(states)
        return Moved(after[:, core], change * states.shape[1] / len(core))

    def move(
        self,
        states: States,
        side: int,
        corners: Sites,
        shape: PatchShape,
        dt: float,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Moved:
        """Evolve patches for a time, each from the same states and alone.

        Parameters
        ----------
        states : array, shape (n, side**dimension)
            Left as they are.
        side : int
        corners : int array, shape (K, dimension)
            First indices of each core.
        shape : PatchShape
        dt : float
        condition : mapping
        rng : numpy.random.Generator

        Returns
        -------
        Moved
            Arrays of shape (n, K, ...).
        """
        how, width = (shape, dt, condition, rng), shape.core + 2 * shape.buffer
        if shape.boundary == "periodic":
            return self._in_blocks(states, side, corners, 0, 0, *how)
        if self.reach is not None and width + 2 * self.reach <= side:
            return self._in_blocks(states, side, corners, self.reach, shape.buffer, *how)
        cores = block_sites(corners, shape.core, side)
        around = block_sites(corners - shape.buffer, min(width, side), side)
        done = [
            self.move_block(states, side, active, core, *how) for core, active in zip(cores, around)
        ]
        mean = None if done[0].mean is None else np.stack([m.mean for m in done], axis=1)
        core, change = (np.stack([getattr(m, k) for m in done], axis=1) for k in ("core", "change"))
        return Moved(core, change, mean)

    def _in_blocks(
        self, states: States, side: int, corners: Sites, rim: int, buffer: int, *how: Any
    ) -> Moved:
        """Cut out core, buffer and rim of every patch, and let the first two move."""
        margin = buffer + rim
        edge = how[0].core + 2 * margin
        blocks = states[:, block_sites(corners - margin, edge, side)]
        active = inner_sites(edge, rim, self.dimension) if rim else None
        own = inner_sites(edge, margin, self.dimension)
        moved = self.move_block(blocks.reshape(-1, blocks.shape[2]), edge, active, own, *how)
        parts = (moved.core, moved.change, moved.mean)
        return Moved(*(None if x is None else x.reshape(*blocks.shape[:2], -1) for x in parts))

    def relax(
        self,
        states: States,
        side: int,
        window: int,
        time: float,
        condition: Condition,
        rng: np.random.Generator,
    ) -> States:
        """Short dynamics in windows that overlap, the rest frozen; returns new states.

        Windows tile the lattice twice, the second time shifted by half a window. Those that evolve
        at the same time do not touch, so with short-range couplings each step is exact dynamics of
        a part of the lattice.
        """
        relaxed, shape = states.copy(), PatchShape(window, counted=False)
        for offset in (0, window // 2):
            corners = tile_corners(side, window, offset, self.dimension)
            for group in apart(corners, side // window, self.dimension):
                moved = self.move(relaxed, side, group, shape, time, condition, rng)
                relaxed[:, block_sites(group, window, side)] = moved.core
        return relaxed

    def grow(
        self,
        states: States,
        small: int,
        large: int,
        time: float,
        condition: Condition,
        rng: np.random.Generator,
    ) -> States:
        """States of a large lattice from small ones: repeat, relax, until it is large enough.

        Parameters
        ----------
        states : array, shape (n, small**dimension)
        small, large : int
            Sides; windows are as large as the small lattice.
        time : float
            How long each window relaxes after each repetition; 0 leaves them as they are.
        condition : mapping
        rng : numpy.random.Generator

        Raises
        ------
        ValueError
            If the large side is no multiple of the small one.
        """
        if large % small:
            raise ValueError(f"a side of {large} is no multiple of {small}")
        side = small
        while side < large:
            factor = next(f for f in range(2, large + 1) if large // side % f == 0)
            states, side = repeated(states, factor, self.dimension), side * factor
            if time > 0:
                states = self.relax(states, side, small, time, condition, rng)
        return states

    def aged(
        self,
        plan: Plan,
        number: int,
        condition: Condition,
        rng: np.random.Generator,
    ) -> States:
        """Small runs: their states at the plan's ages, shape (number, n_ages, n_sites)."""
        side = (plan.small,) * self.dimension
        first = np.asarray(self.initial(number, side, condition, rng), dtype=np.int8)
        return self.path(first.reshape(number, -1), plan.ages, condition, rng)

    def path(
        self, states: States, times: Any, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Whole states at ascending times from 0 on, shape (n, n_t, n_sites)."""
        everywhere = np.ones(self.grid(states).shape[1:], dtype=bool)
        kept = []
        for span in np.diff(np.atleast_1d(times), prepend=0.0):
            if span > 0:
                states = self._evolved(states, everywhere, float(span), condition, rng)
            kept.append(states)
        return np.stack(kept, axis=1)

    def _evolved(
        self,
        states: States,
        active: NDArray[np.bool_],
        duration: float,
        condition: Condition,
        rng: np.random.Generator,
    ) -> States:
        """Flat states after `evolve`, which may give new ones or change those it has in place."""
        own = self.grid(states).copy()
        moved = self.evolve(own, active, duration, condition, rng)
        after = own if moved is None else np.asarray(moved)
        return after.astype(states.dtype, copy=False).reshape(states.shape)

    def snapshots(
        self, plan: Plan, number: int, condition: Condition, rng: np.random.Generator
    ) -> Snapshots:
        """Large states from small runs, ages of each run one after another."""
        states, sides = self.aged(plan, number, condition, rng), (plan.small, plan.large)
        grown = [
            self.grow(states[:, k], *sides, min(age, plan.relax_time), condition, rng)
            for k, age in enumerate(plan.ages)
        ]
        large = np.stack(grown, axis=1).reshape(-1, grown[0].shape[1])
        return Snapshots(large, np.repeat(np.arange(number), len(plan.ages)))

    def increments(
        self,
        plan: Plan,
        states: States,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Increments:
        """Every patch of flat states evolved alone.

        Closure variables are means over tiles of a function of the tile's own sites, so their
        change is that of the core alone.
        """
        corners = tile_corners(plan.large, plan.small, 0, self.dimension)
        shape = PatchShape(plan.small, plan.buffer, plan.boundary, nodes=self.nodes(plan.dt))
        moved = self.move(states, plan.large, corners, shape, plan.dt, condition, rng)
        n, k, n_core = moved.core.shape
        after = closure(moved.core.reshape(-1, n_core)).reshape(n, k, -1)
        before = closure(self.tiles(plan, states).reshape(-1, n_core)).reshape(n, k, -1)
        z0 = np.concatenate([self.measured(states), before.mean(axis=1)], axis=-1)
        if getattr(plan, "baseline", "none") == "naive":
            own = self.measured(moved.core.reshape(-1, n_core)).reshape(n, k, -1)
            own = np.concatenate([own, after], axis=-1) - z0[:, None]
            return Increments(z0, own, own)
        more = after - before
        mean = None if moved.mean is None else np.concatenate([moved.mean, more], axis=-1)
        return Increments(z0, np.concatenate([moved.change, more], axis=-1), mean)

    def start(
        self, plan: Plan, start: Any, number: int, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Copies of one large state, flat; `initial` draws it from the seed ``start``."""
        own = coerce_rng(start)
        one = self.initial(1, (plan.large,) * self.dimension, condition, own)
        return np.repeat(np.asarray(one, dtype=np.int8).reshape(1, -1), number, axis=0)

    def wholes(
        self,
        plan: Plan,
        states: States,
        times: Array,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Array:
        """Observables and closure variables of flat states as they evolve, shape (n, n_t, d)."""
        path, now = [], states
        for span in np.diff(times, prepend=0.0):
            now = self.path(now, [span], condition, rng)[:, 0]
            path.append(self.z(plan, now, closure))
        return np.stack(path, axis=1)
