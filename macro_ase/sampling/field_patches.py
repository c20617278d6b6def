"""Patches of a line of cells: upsampling by interpolation, local relaxation, evolution alone.

A patch is a core of cells and a buffer on both sides. It evolves between ghost cells that hold
what its neighbours held at the start, while everything else stands still; at a wall of the line it
keeps the wall. Only the core counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..kinetics.field_steps import EULER_MARUYAMA, advance
from ..kinetics.stencils import GIVEN, NEUMANN, PERIODIC
from ..rng import Seed, coerce_rng
from ..systems.field_system import replica_states
from ..systems.predator_prey import PredatorPrey

Array = NDArray[np.float64]
BOUNDARIES = ("frozen", "periodic")


@dataclass(frozen=True)
class FieldPatches:
    """Patches that tile the line of a system.

    Attributes
    ----------
    system : PredatorPrey
        The large one.
    core : int
        Cells of a patch that count.
    buffer : int
        Cells on each side that evolve too and do not count.
    boundary : {"frozen", "periodic"}
        "periodic" closes every core to a little ring, for comparison.

    Raises
    ------
    ValueError
        If the patches do not tile the line, or there is no such boundary.
    """

    system: PredatorPrey
    core: int
    buffer: int = 0
    boundary: str = "frozen"

    def __post_init__(self) -> None:
        n = self.system.n_cells
        if self.core < 2 or n % self.core:
            raise ValueError(
                f"a patch must have a number of cells that divides {n}, not {self.core}"
            )
        if not 0 <= self.buffer <= self.core:
            raise ValueError(f"a buffer must have 0 to {self.core} cells, not {self.buffer}")
        if self.boundary not in BOUNDARIES:
            raise ValueError(
                f"boundary must be one of {', '.join(BOUNDARIES)}, not {self.boundary!r}"
            )
        if self.boundary == "periodic" and self.buffer:
            raise ValueError("a periodic patch has no buffer")

    @property
    def number(self) -> int:
        """K, patches of the line."""
        return self.system.n_cells // self.core

    def tiles(self, fields: Array) -> Array:
        """Cores, shape (n_replicas, K, n_fields, core)."""
        cut = fields.reshape(*fields.shape[:2], self.number, self.core)
        return np.ascontiguousarray(cut.swapaxes(1, 2))

    def evolve(self, fields: Array, time: float, dt: float, rng: Seed, sign: int = 1) -> Array:
        """Every patch of every state evolved alone from that state.

        Parameters
        ----------
        fields : array, shape (n_replicas, n_fields, n_cells)
        time, dt : float
            As in `PredatorPrey.advance`.
        rng : seed
        sign : {1, -1}
            -1 turns every random number over: the two changes have a mean without odd noise.

        Returns
        -------
        array, shape (n_replicas, K, n_fields, core)
            Cores after the time.
        """
        starts = self.core * np.arange(self.number)
        after = np.empty((len(fields), self.number, fields.shape[1], self.core))
        generator = coerce_rng(rng)
        for rows, ends in self.groups():
            low, high = (self.buffer if end == GIVEN else 0 for end in ends)
            windows = Windows(starts[rows] - low, low + self.core + high, ends)
            moved = windows.evolve(self.system, fields, time, dt, generator, sign)
            after[:, rows] = moved[..., low : low + self.core]
        return after

    def groups(self) -> list[tuple[NDArray[np.int64], tuple[int, int]]]:
        """Numbers of patches by what lies at their two ends."""
        numbers, wall = np.arange(self.number), self.system.boundary == "neumann"
        if self.boundary == "periodic" or (self.number == 1 and not wall):
            return [(numbers, (PERIODIC, PERIODIC))]
        left = np.where(wall & (numbers == 0), NEUMANN, GIVEN)
        right = np.where(wall & (numbers == self.number - 1), NEUMANN, GIVEN)
        kinds = sorted(set(zip(left.tolist(), right.tolist())))
        return [(np.flatnonzero((left == a) & (right == b)), (a, b)) for a, b in kinds]


@dataclass(frozen=True)
class Windows:
    """Stretches of a line that evolve at the same time, each alone.

    Attributes
    ----------
    starts : int array, shape (n_windows,)
        First cells.
    width : int
    ends : (int, int)
        Codes of the boundaries at their left and right.
    """

    starts: NDArray[np.int64]
    width: int
    ends: tuple[int, int]

    def cells(self, n_cells: int) -> NDArray[np.int64]:
        """Their cells, shape (n_windows, width)."""
        return (self.starts[:, None] + np.arange(self.width)) % n_cells

    def evolve(
        self,
        system: PredatorPrey,
        fields: Array,
        time: float,
        dt: float,
        rng: np.random.Generator,
        sign: int = 1,
    ) -> Array:
        """What is in them after a time, shape (n_replicas, n_windows, n_fields, width)."""
        n, n_fields = system.n_cells, fields.shape[1]
        cells = self.starts[:, None] + np.arange(-1, self.width + 1)
        cells = cells % n if system.boundary == "periodic" else np.clip(cells, 0, n - 1)
        cut = fields[:, :, cells].swapaxes(1, 2).reshape(-1, n_fields, 1, self.width + 2)
        padded, n_steps = np.repeat(cut, 3, axis=2), system.number_of_steps(time, dt)
        if n_steps:
            noise = (sign * system.cell_noise, time / n_steps, n_steps, EULER_MARUYAMA)
            states = replica_states(rng, len(padded))
            advance(padded, system.parameters, (NEUMANN, *self.ends), *noise, states)
        after = padded[:, :, 1, 1:-1]
        return after.reshape(len(fields), len(self.starts), n_fields, self.width)


def interpolate(fields: Array, factor: int) -> Array:
    """Fields on cells ``factor`` times finer, linear between the centres of the coarse ones.

    Beyond the outermost centres they stay constant, as at a wall.

    Parameters
    ----------
    fields : array, shape (n_replicas, n_fields, n_cells)
    factor : int

    Raises
    ------
    ValueError
        If the factor is below 1.
    """
    if factor < 1:
        raise ValueError(f"the factor must be at least 1, not {factor}")
    n = fields.shape[-1]
    place = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
    left = np.minimum(place.astype(np.int64), n - 2)
    share = place - left
    return (1 - share) * fields[..., left] + share * fields[..., left + 1]


def local_relax(
    patches: FieldPatches, fields: Array, time: float, sweep: float, dt: float, rng: Seed
) -> Array:
    """Short dynamics in windows that overlap, the rest frozen, of states; returns new ones.

    The windows are the patches and, every other sweep, patches shifted by half their width, with
    halves of them at the walls.

    Parameters
    ----------
    patches : FieldPatches
    fields : array, shape (n_replicas, n_fields, n_cells)
    time : float
        That every cell evolves.
    sweep : float
        Time between two changes of the windows.
    dt : float
    rng : seed
    """
    generator, relaxed = coerce_rng(rng), fields
    n_sweeps = int(np.ceil(time / sweep)) if time > 0 else 0
    for k in range(n_sweeps):
        fields, relaxed = relaxed, relaxed.copy()
        for windows in _windows(patches, shifted=k % 2 == 1):
            moved = windows.evolve(patches.system, fields, time / n_sweeps, dt, generator)
            relaxed[:, :, windows.cells(fields.shape[-1])] = moved.swapaxes(1, 2)
    return relaxed


def _windows(patches: FieldPatches, shifted: bool) -> list[Windows]:
    """Windows of one sweep, which cover the line."""
    core, half, n = patches.core, patches.core // 2, patches.system.n_cells
    starts, between = core * np.arange(patches.number), (GIVEN, GIVEN)
    if not shifted:
        return [Windows(starts[rows], core, ends) for rows, ends in patches.groups()]
    if patches.system.boundary == "periodic":
        return [Windows(starts + half, core, between)]
    first = Windows(np.array([0]), half, (NEUMANN, GIVEN))
    last = Windows(np.array([n - core + half]), core - half, (GIVEN, NEUMANN))
    return [first, Windows(starts[:-1] + half, core, between), last]
