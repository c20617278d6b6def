"""Atoms with any calculator: patches evolve by an engine in their true, frozen surroundings."""

from __future__ import annotations

import copy
import itertools
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..arrays import Array, as_columns
from ..engines.patches.evolution import Laid, TimedEvolution, evolved
from ..patches import Patch
from ..rng import coerce_rng, own_seeds
from .base import Closure, Condition, Increments, Plan, Snapshots, States, System
from .tiles import tile_corners


class AtomsSystem(System):
    """Repetitions of a cell of atoms; a person's own says what is measured.

    A side counts cells along each of the axes of repetition. An atom belongs to the cell in which
    it began, so this is for solids: lattices whose species change places, crystals whose atoms move
    about their sites. A state holds number and position (A) of every atom, and its momentum where
    the evolution is dynamics, cell by cell: shape (n_atoms, 4 or 7).

    Parameters
    ----------
    template : ase.Atoms
        One cell.
    evolution : `MonteCarloEvolution` or `DynamicsEvolution`
        Of any duration: its own does not count. A condition "T" is its temperature in K. A
        thermostat begins anew at every record, so one with a memory will not do.
    axes : tuple of int
        Cell vectors along which the cell is repeated.
    """

    time_unit = "the evolution's unit of time"

    def __init__(
        self, template: Atoms, evolution: TimedEvolution, axes: Sequence[int] = (0, 1, 2)
    ) -> None:
        self.template, self.evolution, self.axes = template, evolution, tuple(axes)
        self.dimension = len(self.axes)

    @abstractmethod
    def shares(self, atoms: Atoms) -> Array:
        """f of every atom, shape (n_atoms, d) or (n_atoms,); its mean over atoms is z."""

    def prepare(self, atoms: Atoms, rng: np.random.Generator) -> None:
        """How runs begin: species at random places; changes the repeated cells."""
        atoms.numbers = rng.permutation(atoms.numbers)

    def plan(self, **settings: Any) -> Plan:
        """The plan of settings.

        Raises
        ------
        ValueError
            If a patch and its buffer leave nothing frozen.
        """
        own = Plan(**settings)
        if own.boundary == "frozen" and own.large <= own.small + 2 * own.buffer:
            raise ValueError(
                f"a patch of {own.small} cells with a buffer of {own.buffer} fills {own.large} "
                "cells: nothing is left to freeze"
            )
        return own

    def repeats(self, side: int) -> tuple[int, int, int]:
        """Cells along every cell vector."""
        first, second, third = (side if axis in self.axes else 1 for axis in range(3))
        return first, second, third

    def atoms_of(self, state: States) -> Atoms:
        """The atoms of a state."""
        side = round((len(state) / len(self.template)) ** (1 / self.dimension))
        atoms: Atoms = self.template.repeat(self.repeats(side))
        atoms.numbers, atoms.positions = np.round(state[:, 0]).astype(int), state[:, 1:4]
        if state.shape[1] > 4:
            atoms.set_momenta(state[:, 4:])
        return atoms

    def state_of(self, atoms: Atoms) -> States:
        """The state of atoms, cell by cell."""
        columns = [atoms.numbers[:, None], atoms.positions]
        if self.evolution.dynamic:
            columns.append(atoms.get_momenta())
        return np.concatenate(columns, axis=1, dtype=np.float64)

    def begun(self, side: int, rng: np.random.Generator) -> Atoms:
        """Atoms to begin with."""
        atoms: Atoms = self.template.repeat(self.repeats(side))
        self.prepare(atoms, rng)
        return atoms

    def observe(self, states: States) -> Array:
        """Means of the shares over atoms, shape (n, d)."""
        return np.array([self._shares(self.atoms_of(state)).mean(axis=0) for state in states])

    def _shares(self, atoms: Atoms) -> Array:
        return as_columns(self.shares(atoms), "shares", len(atoms))

    def _cells(self, state: States) -> States:
        """A state by cells along the axes, shape (side, ..., n_template, columns)."""
        n = len(self.template)
        side = round((len(state) / n) ** (1 / self.dimension))
        return state.reshape(*(side,) * self.dimension, n, state.shape[1])

    def _shift(self, corner: NDArray[np.int64]) -> Array:
        """Vector of some cells along the axes, A."""
        return np.asarray(corner @ np.asarray(self.template.cell)[list(self.axes)])

    def tiles(self, plan: Plan, states: States) -> States:
        """Cores of all patches, each where the small system is, (n, K, n_small, columns)."""
        corners = tile_corners(plan.large, plan.small, 0, self.dimension)
        return np.array([[self._tile(state, plan, c) for c in corners] for state in states])

    def _tile(self, state: States, plan: Plan, corner: NDArray[np.int64]) -> States:
        block = tuple(slice(c, c + plan.small) for c in corner)
        tile = self._cells(state)[block].reshape(-1, state.shape[1]).copy()
        tile[:, 1:4] -= self._shift(corner)
        return tile

    def _block(self, side: int, corner: NDArray[np.int64], edge: int, buffer: int) -> Patch:
        """Cells from a corner on, and so many around them, of a periodic crystal."""
        cells = np.indices((side,) * self.dimension).reshape(self.dimension, -1)
        behind = (cells - np.asarray(corner)[:, None]) % side
        beyond = np.minimum(behind - edge + 1, side - behind)
        distance = np.repeat(np.maximum(beyond, 0).max(axis=0), len(self.template))
        return Patch.mask(distance == 0, (distance > 0) & (distance <= buffer))

    def _own(self) -> TimedEvolution:
        """An evolution with a calculator of its own: calculators are not for several threads."""
        return copy.deepcopy(self.evolution)

    def grow(
        self,
        state: States,
        plan: Plan,
        time: float,
        condition: Condition,
        seed: np.random.SeedSequence,
    ) -> States:
        """A large state from a small one: repeat, let windows evolve in turns, until it is large.

        Windows are as large as the small system and tile the crystal twice, the second time shifted
        by half a window.
        """
        side, evolve = plan.small, self._own().during(time, condition) if time > 0 else None
        while side < plan.large:
            factor = next(f for f in range(2, plan.large + 1) if plan.large // side % f == 0)
            cells = np.tile(self._cells(state), (*(factor,) * self.dimension, 1, 1))
            for number in itertools.product(range(factor), repeat=self.dimension):
                block = tuple(slice(k * side, (k + 1) * side) for k in number)
                cells[block][..., 1:4] += self._shift(side * np.array(number))
            state, side = cells.reshape(-1, state.shape[1]), side * factor
            if evolve is None:
                continue
            atoms = self.atoms_of(state)
            for offset in sorted({0, plan.small // 2}):
                for corner in tile_corners(side, plan.small, offset, self.dimension):
                    evolve(atoms, self._block(side, corner, plan.small, 0), seed.spawn(1)[0])
            state = self.state_of(atoms)
        return state

    def snapshots(
        self, plan: Plan, number: int, condition: Condition, rng: np.random.Generator
    ) -> Snapshots:
        """Large states from small runs, ages of each run one after another."""
        grown, evolution = [], self._own()
        for seed in own_seeds(rng, number):
            begin, run, *each = seed.spawn(2 + len(plan.ages))
            atoms, now = self.begun(plan.small, np.random.default_rng(begin)), 0.0
            for age, own in zip(plan.ages, each):
                if age > now:
                    evolution.during(age - now, condition)(atoms, None, run.spawn(1)[0])
                now, time = age, min(age, plan.relax_time)
                grown.append(self.grow(self.state_of(atoms), plan, time, condition, own))
        return Snapshots(np.array(grown), np.repeat(np.arange(number), len(plan.ages)))

    def increments(
        self,
        plan: Plan,
        states: States,
        closure: Closure,
        condition: Condition,
        rng: np.random.Generator,
    ) -> Increments:
        """Every patch evolved alone: blocks of cells with a buffer, or little periodic systems."""
        evolve = self._own().during(plan.dt, condition)
        corners = tile_corners(plan.large, plan.small, 0, self.dimension)
        tiles, dz, z0 = self.tiles(plan, states), [], []
        for state, own, seed in zip(states, tiles, own_seeds(rng, len(states))):
            before = self._shares(self.atoms_of(state))
            rows = []
            laid = self._laid(plan, state, own, seed.spawn(len(corners)))
            for corner, tile, (atoms, region) in zip(corners, own, evolved(evolve, laid)):
                if plan.boundary == "periodic":
                    after = self.state_of(atoms)
                    change = self._shares(atoms) - self._shares(self.atoms_of(tile))
                    change = change.mean(axis=0)
                else:
                    after = self._tile(self.state_of(atoms), plan, corner)
                    change = (self._shares(atoms) - before)[region.core].mean(axis=0)
                more = closure(after[None])[0] - closure(tile[None])[0]
                rows.append(np.concatenate([change, more]))
            z0.append(np.concatenate([before.mean(axis=0), closure(own).mean(axis=0)]))
            dz.append(rows)
        return Increments(np.array(z0), np.array(dz))

    def _laid(
        self, plan: Plan, state: States, tiles: States, seeds: Sequence[np.random.SeedSequence]
    ) -> Iterator[Laid]:
        """The patches of a state, made as they are asked for: each has atoms of its own."""
        corners = tile_corners(plan.large, plan.small, 0, self.dimension)
        for corner, tile, seed in zip(corners, tiles, seeds):
            if plan.boundary == "periodic":
                yield self.atoms_of(tile), None, seed
                continue
            block = self._block(plan.large, corner, plan.small, plan.buffer)
            yield self.atoms_of(state), block, seed

    def start(
        self, plan: Plan, start: Any, number: int, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Copies of one large state, as `prepare` makes it from the seed ``start``."""
        one = self.state_of(self.begun(plan.large, coerce_rng(start)))
        return np.repeat(one[None], number, axis=0)

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
        evolution, paths = self._own(), []
        for state, seed in zip(states, own_seeds(rng, len(states))):
            atoms, path = self.atoms_of(state), []
            for span in np.diff(times, prepend=0.0):
                if span > 0:
                    evolution.during(float(span), condition)(atoms, None, seed.spawn(1)[0])
                path.append(self.z(plan, self.state_of(atoms)[None], closure)[0])
            paths.append(path)
        return np.array(paths)
