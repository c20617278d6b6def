"""Patches of square spin lattices, many states at once: tiling, upsampling, evolution.

A patch is a square core and a buffer around it. With short-range couplings what lies beyond a rim
of one site does not matter, so core, buffer and frozen rim are cut out as a little block and
evolve there exactly as they would in the whole lattice with all else frozen. Where the block would
meet itself around the lattice, and where spins feel the mean of all, the whole lattice stays and
only the patch is active.

Replicas are the first axis, patches the second; sites are in C order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engines.spins.ensemble import SpinEnsemble
from ..rng import Seed, coerce_rng
from ..systems.spin_system import Array, Spins, SpinSystem

Sites = NDArray[np.int64]
BOUNDARIES = ("frozen", "periodic")


def tile_corners(side: int, tile: int, offset: int = 0) -> Sites:
    """First rows and columns of the tiles of a square, shape (K, 2).

    Raises
    ------
    ValueError
        If the tiles do not fit.
    """
    if tile < 1 or side % tile:
        raise ValueError(f"tiles of side {tile} do not fit a square of side {side}")
    starts = np.arange(0, side, tile) + offset
    return np.stack(np.meshgrid(starts, starts, indexing="ij"), axis=-1).reshape(-1, 2)


def square_sites(corners: Sites, edge: int, side: int) -> Sites:
    """Sites of periodic squares, shape (K, edge**2)."""
    step = np.arange(edge)
    rows = (corners[:, :1] + step) % side
    columns = (corners[:, 1:] + step) % side
    return (rows[:, :, None] * side + columns[:, None, :]).reshape(len(corners), -1)


def upsample(spins: Spins, factor: int) -> Spins:
    """States of a lattice ``factor`` times as long along each axis, by repetition."""
    side = round(np.sqrt(spins.shape[1]))
    squares = spins.reshape(len(spins), side, side)
    return np.tile(squares, (1, factor, factor)).reshape(len(spins), -1)


@dataclass(frozen=True)
class Evolved:
    """Patches after they evolved, each alone.

    Attributes
    ----------
    tally : int64 array, shape (n_replicas, K, 5)
        Its core columns count flips in the core with all their bonds.
    core : int8 array, shape (n_replicas, K, core**2)
        Spins of the core.
    mean : array, shape (n_replicas, K, d)
        Time integral of the rates at which the core's flips change n z; zeros unless asked for.
    """

    tally: NDArray[np.int64]
    core: Spins
    mean: Array


@dataclass(frozen=True)
class PatchShape:
    """How patches are cut and evolve.

    Attributes
    ----------
    core : int
        Side of the core.
    buffer : int
        Sites around it that evolve too, and do not count.
    boundary : {"frozen", "periodic"}
        "frozen": true surroundings, which stand still. "periodic": the core as a little periodic
        system of its own, for comparison.
    nodes : int
        Intervals of the trapezoidal rule for the time integral of the rates; 0: none.
    """

    core: int
    buffer: int = 0
    boundary: str = "frozen"
    nodes: int = 0

    def __post_init__(self) -> None:
        if self.core < 1 or self.buffer < 0:
            raise ValueError(f"a patch of core {self.core} and buffer {self.buffer} makes no sense")
        if self.boundary not in BOUNDARIES:
            allowed = ", ".join(BOUNDARIES)
            raise ValueError(f"boundary must be one of {allowed}, not {self.boundary!r}")

    def evolve(
        self, system: SpinSystem, spins: Spins, side: int, corners: Sites, dt: float, rng: Seed
    ) -> Evolved:
        """Evolve patches for a time, each from the same state and alone.

        Parameters
        ----------
        system : SpinSystem
        spins : int8 array, shape (n_replicas, side**2)
            Left as they are.
        side : int
        corners : int array, shape (K, 2)
            First row and column of each core.
        dt : float
        rng : seed
        """
        generator = coerce_rng(rng)
        if self.boundary == "periodic":
            return self._in_block(system, spins, side, corners, dt, generator, rim=0, buffer=0)
        if system.is_local and self.core + 2 * self.buffer + 2 <= side:
            return self._in_block(system, spins, side, corners, dt, generator, 1, self.buffer)
        return self._in_whole(system, spins, side, corners, dt, generator)

    def _in_block(
        self,
        system: SpinSystem,
        spins: Spins,
        side: int,
        corners: Sites,
        dt: float,
        rng: np.random.Generator,
        rim: int,
        buffer: int,
    ) -> Evolved:
        edge = self.core + 2 * (buffer + rim)
        blocks = spins[:, square_sites(corners - buffer - rim, edge, side)]
        active = _inner(edge, rim) if rim else None
        core = _inner(edge, buffer + rim)
        mask = np.isin(np.arange(edge**2), core)
        ensemble = system.ensemble(blocks.reshape(-1, edge**2), edge, rng, active, mask)
        return self._evolved(system, ensemble, core, dt, len(spins))

    def _in_whole(
        self,
        system: SpinSystem,
        spins: Spins,
        side: int,
        corners: Sites,
        dt: float,
        rng: np.random.Generator,
    ) -> Evolved:
        reach = min(self.core + 2 * self.buffer, side)
        cores = square_sites(corners, self.core, side)
        active = square_sites(corners - self.buffer, reach, side)
        done = []
        for core, sites in zip(cores, active):
            mask = np.isin(np.arange(side**2), core)
            ensemble = system.ensemble(spins, side, rng, sites, mask)
            done.append(self._evolved(system, ensemble, core, dt, len(spins)))
        return Evolved(
            np.concatenate([e.tally for e in done], axis=1),
            np.concatenate([e.core for e in done], axis=1),
            np.concatenate([e.mean for e in done], axis=1),
        )

    def _evolved(
        self, system: SpinSystem, ensemble: SpinEnsemble, core: Sites, dt: float, n_replicas: int
    ) -> Evolved:
        mean = np.zeros((len(ensemble.spins), len(system.z_names)))
        if self.nodes:
            mean += system.core_rates(ensemble, core) * dt / (2 * self.nodes)
            for k in range(1, self.nodes + 1):
                ensemble.advance(dt * k / self.nodes)
                weight = (1 if k < self.nodes else 0.5) / self.nodes
                mean += system.core_rates(ensemble, core) * dt * weight
        else:
            ensemble.advance(dt)
        return Evolved(
            ensemble.tally.reshape(n_replicas, -1, ensemble.tally.shape[1]),
            ensemble.spins[:, core].reshape(n_replicas, -1, len(core)),
            mean.reshape(n_replicas, -1, mean.shape[1]),
        )


def _inner(edge: int, margin: int) -> Sites:
    """Sites of a block that are at least ``margin`` from its edges."""
    sites = np.arange(edge**2).reshape(edge, edge)
    return sites[margin : edge - margin, margin : edge - margin].ravel()


def local_relax(
    system: SpinSystem, spins: Spins, side: int, window: int, time: float, rng: Seed
) -> Spins:
    """Short dynamics in windows that overlap, the rest frozen; returns new states.

    Windows tile the lattice twice, the second time shifted by half a window. Those that evolve
    at the same time do not touch, so with short-range couplings each step is exact dynamics of a
    part of the lattice.

    Raises
    ------
    ValueError
        If the windows do not fit.
    """
    generator, shape = coerce_rng(rng), PatchShape(window)
    relaxed = spins.copy()
    for offset in (0, window // 2):
        corners = tile_corners(side, window, offset)
        for group in _apart(corners, side // window):
            evolved = shape.evolve(system, relaxed, side, group, time, generator)
            relaxed[:, square_sites(group, window, side)] = evolved.core
    return relaxed


def _apart(corners: Sites, per_axis: int) -> list[Sites]:
    """Tiles in groups within which none touches another, across the boundary neither."""
    colour = np.arange(per_axis) % 2
    if per_axis % 2:
        colour[-1] = 2
    both = (3 * colour[:, None] + colour).ravel()
    return [corners[both == c] for c in np.unique(both)]


def grow(system: SpinSystem, spins: Spins, small: int, large: int, time: float, rng: Seed) -> Spins:
    """States of a large lattice from small ones: repeat, relax, until it is large enough.

    Parameters
    ----------
    system : SpinSystem
    spins : int8 array, shape (n_replicas, small**2)
    small, large : int
        Sides; windows are as large as the small lattice.
    time : float
        How long each window relaxes after each repetition; 0 leaves them as they are.
    rng : seed

    Raises
    ------
    ValueError
        If the large side is no multiple of the small one.
    """
    if large % small:
        raise ValueError(f"a side of {large} is no multiple of {small}")
    generator, side = coerce_rng(rng), small
    while side < large:
        factor = next(f for f in range(2, large + 1) if large // side % f == 0)
        spins, side = upsample(spins, factor), side * factor
        if time > 0:
            spins = local_relax(system, spins, side, small, time, generator)
    return spins
