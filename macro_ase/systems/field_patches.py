"""Patches of a grid of cells, in one or two dimensions, each evolved alone.

A patch is a core of cells and a buffer at every side. It evolves between ghost cells, in as many
layers as the equation needs, that hold what its neighbours held at the start, while everything
else stands still; at a wall of the grid it keeps the wall. Only the core counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..kinetics.stencils import GIVEN, NEUMANN, PERIODIC
from ..ratios import either, near_divisors
from ..refusals import Refused
from ..rng import Seed, coerce_rng
from .base import BOUNDARIES
from .field_equation import FieldEquation, replica_states
from .field_steps import Ends

EULER = "euler-maruyama"


@dataclass(frozen=True)
class Windows:
    """Blocks of a grid that evolve at the same time, each alone.

    Attributes
    ----------
    starts : int array, shape (n_windows, n_axes)
        First cells.
    width : tuple of int
        Cells along each axis.
    ends : tuple of (int, int)
        Codes of the boundaries at the two ends of each axis.
    """

    starts: NDArray[np.int64]
    width: tuple[int, ...]
    ends: Ends

    def cells(self, system: FieldEquation, beyond: int = 0) -> tuple[NDArray[np.int64], ...]:
        """Index of their cells, and of those so far beyond, by axis: (n_windows, *width)."""
        axes, index = len(self.width), []
        for k, (width, n) in enumerate(zip(self.width, system.grid)):
            places = self.starts[:, k, None] + np.arange(-beyond, width + beyond)
            if system.boundary == "periodic":
                places %= n
            else:  # a wall mirrors
                places = np.where(places < 0, -1 - places, places)
                places = np.where(places >= n, 2 * n - 1 - places, places)
            shape = [-1 if a == k else 1 for a in range(axes)]
            index.append(places.reshape(len(places), *shape))
        return tuple(index)

    def evolve(
        self,
        system: FieldEquation,
        fields: Array,
        time: float,
        dt: float,
        rng: np.random.Generator,
        sign: int = 1,
    ) -> Array:
        """What is in them after a time, shape (n_replicas, n_windows, n_fields, *width)."""
        where: Any = (slice(None), slice(None), *self.cells(system, system.ghost))
        cut = fields[where].swapaxes(1, 2)
        padded = np.ascontiguousarray(cut).reshape(-1, *cut.shape[2:])
        n_steps = system.number_of_steps(time, dt)
        if n_steps:
            states = replica_states(rng, len(padded))
            system.advance_padded(padded, n_steps, time / n_steps, EULER, states, self.ends, sign)
        return system.unpad(padded).reshape(*cut.shape[:3], *self.width)


@dataclass(frozen=True)
class FieldPatches:
    """Patches that tile the grid of a system.

    Attributes
    ----------
    system : FieldEquation
        The large one.
    core : int or tuple of int
        Cells of a patch that count, along each axis.
    buffer : int
        Cells at each side that evolve too and do not count.
    boundary : {"frozen", "periodic"}
        "periodic" closes every core to a little ring or torus, for comparison.

    Raises
    ------
    ValueError
        If the patches do not tile the grid, or there is no such boundary.
    """

    system: FieldEquation
    core: int | tuple[int, ...]
    buffer: int = 0
    boundary: str = "frozen"

    def __post_init__(self) -> None:
        least = max(2, 2 * self.system.ghost)
        for width, n in zip(self.width, self.system.grid):
            if width < least or n % width:
                more = f" and is at least {least}" if least > 2 else ""
                near = near_divisors(width, n, least)
                raise Refused(
                    f"a patch must have a number of cells that divides {n}{more}, not {width}: "
                    f"the nearest is {either(near)}",
                    {"patch": near[0]} if near else None,
                )
        if not 0 <= self.buffer <= min(self.width):
            raise ValueError(f"a buffer must have 0 to {min(self.width)} cells, not {self.buffer}")
        if self.boundary not in BOUNDARIES:
            raise ValueError(
                f"boundary must be one of {', '.join(BOUNDARIES)}, not {self.boundary!r}"
            )
        if self.boundary == "periodic" and self.buffer:
            raise ValueError("a periodic patch has no buffer")

    @property
    def width(self) -> tuple[int, ...]:
        """Cells of a core along each axis."""
        return (self.core,) * len(self.system.grid) if isinstance(self.core, int) else self.core

    @property
    def counts(self) -> tuple[int, ...]:
        """Patches along each axis."""
        return tuple(n // width for n, width in zip(self.system.grid, self.width))

    @property
    def number(self) -> int:
        """K, patches of the grid."""
        return math.prod(self.counts)

    def tiles(self, fields: Array) -> Array:
        """Cores, shape (n_replicas, K, n_fields, *width)."""
        axes = len(self.width)
        parts = [n for pair in zip(self.counts, self.width) for n in pair]
        cut = fields.reshape(*fields.shape[:2], *parts)
        numbers, inner = range(2, 2 + 2 * axes, 2), range(3, 3 + 2 * axes, 2)
        cut = cut.transpose(0, *numbers, 1, *inner)
        return np.ascontiguousarray(cut).reshape(len(fields), self.number, -1, *self.width)

    def placed(self, fields: Array, core: Array, number: int) -> Array:
        """Fields with one core, shape (n_replicas, n_fields, *width), in its place."""
        after = fields.copy()
        first = np.array(np.unravel_index(number, self.counts)) * self.width
        where = [slice(a, a + width) for a, width in zip(first.tolist(), self.width)]
        after[(slice(None), slice(None), *where)] = core
        return after

    def evolve(self, fields: Array, time: float, dt: float, rng: Seed, sign: int = 1) -> Array:
        """Every patch of every state evolved alone from that state.

        Parameters
        ----------
        fields : array, shape (n_replicas, n_fields, *grid)
        time, dt : float
            As in `FieldEquation.advance`.
        rng : seed
        sign : {1, -1}
            -1 turns every random number over: the two changes have a mean without odd noise.

        Returns
        -------
        array, shape (n_replicas, K, n_fields, *width)
            Cores after the time.
        """
        after = np.empty((len(fields), self.number, fields.shape[1], *self.width))
        generator = coerce_rng(rng)
        for rows, ends in self.groups():
            low, high = (np.where(np.array(e) == GIVEN, self.buffer, 0) for e in zip(*ends))
            starts = np.stack(np.unravel_index(rows, self.counts), axis=1) * self.width - low
            wide = tuple((low + self.width + high).tolist())
            moved = Windows(starts, wide, ends).evolve(
                self.system, fields, time, dt, generator, sign
            )
            core = [slice(a, a + width) for a, width in zip(low.tolist(), self.width)]
            after[:, rows] = moved[(slice(None), slice(None), slice(None), *core)]
        return after

    def groups(self) -> list[tuple[NDArray[np.int64], Ends]]:
        """Numbers of patches by what lies at their ends."""
        wall = self.system.boundary == "neumann"
        along = [self._along(n, wall) for n in self.counts]
        places = np.unravel_index(np.arange(self.number), self.counts)
        groups = []
        for ends in product(*(sorted(set(codes)) for codes in along)):
            here = [[code == end for code in codes] for codes, end in zip(along, ends)]
            within = np.all([np.array(h)[place] for h, place in zip(here, places)], axis=0)
            groups.append((np.flatnonzero(within), ends))
        return groups

    def _along(self, n: int, wall: bool) -> list[tuple[int, int]]:
        """Codes at the two ends of each of n patches along an axis."""
        if self.boundary == "periodic" or (n == 1 and not wall):
            return [(PERIODIC, PERIODIC)] * n
        left = [NEUMANN if wall and k == 0 else GIVEN for k in range(n)]
        return list(zip(left, [NEUMANN if wall and k == n - 1 else GIVEN for k in range(n)]))

    def windows(self, shifted: bool) -> list[Windows]:
        """Windows that cover the grid: the cores, or blocks shifted by half of them."""
        if not shifted:
            numbers = [(np.stack(np.unravel_index(k, self.counts), 1), e) for k, e in self.groups()]
            return [Windows(n * self.width, self.width, ends) for n, ends in numbers]
        found = []
        for pieces in product(*(self._shifted(k) for k in range(len(self.width)))):
            starts = np.stack(np.meshgrid(*(p[0] for p in pieces), indexing="ij"), axis=-1)
            windows = starts.reshape(-1, len(pieces)), tuple(p[1] for p in pieces)
            found.append(Windows(*windows, tuple(p[2] for p in pieces)))
        return [windows for windows in found if len(windows.starts)]

    def _shifted(self, axis: int) -> list[tuple[NDArray[np.int64], int, tuple[int, int]]]:
        """Starts, width and ends of blocks shifted by half a core along an axis."""
        n, core, half = self.system.grid[axis], self.width[axis], self.width[axis] // 2
        starts = core * np.arange(self.counts[axis])
        if self.system.boundary == "periodic":
            return [(starts + half, core, (GIVEN, GIVEN))]
        first, last = np.array([0]), np.array([n - core + half])
        return [
            (first, half, (NEUMANN, GIVEN)),
            (starts[:-1] + half, core, (GIVEN, GIVEN)),
            (last, core - half, (GIVEN, NEUMANN)),
        ]
