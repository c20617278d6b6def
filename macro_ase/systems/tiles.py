"""Tiles and blocks of periodic lattices of any dimension, and how patches are cut from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import BOUNDARIES, States

Sites = NDArray[np.int64]


def tile_corners(side: int, tile: int, offset: int = 0, dimension: int = 2) -> Sites:
    """First indices of the tiles of a periodic square (or line, or cube), shape (K, dimension).

    Raises
    ------
    ValueError
        If the tiles do not fit.
    """
    if tile < 1 or side % tile:
        raise ValueError(f"tiles of side {tile} do not fit a square of side {side}")
    starts = [np.arange(0, side, tile) + offset] * dimension
    return np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, dimension)


def block_sites(corners: Sites, edge: int, side: int) -> Sites:
    """Sites of periodic blocks of an edge, shape (K, edge**dimension)."""
    step, sites = np.arange(edge), np.zeros((len(corners), 1), dtype=np.int64)
    for first in corners.T:
        along = (first[:, None] + step) % side
        sites = (sites[:, :, None] * side + along[:, None, :]).reshape(len(corners), -1)
    return sites


def inner_sites(edge: int, margin: int, dimension: int = 2) -> Sites:
    """Sites of a block that are at least ``margin`` from its faces."""
    sites = np.arange(edge**dimension).reshape((edge,) * dimension)
    return sites[(slice(margin, edge - margin),) * dimension].ravel()


def repeated(states: States, factor: int, dimension: int = 2) -> States:
    """States of a lattice ``factor`` times as long along each axis, by repetition."""
    side = side_of(states.shape[1], dimension)
    grid = states.reshape(len(states), *(side,) * dimension)
    return np.tile(grid, (1, *(factor,) * dimension)).reshape(len(states), -1)


def side_of(n_sites: int, dimension: int) -> int:
    """Side of a lattice of so many sites."""
    return round(math.pow(n_sites, 1 / dimension))


@dataclass(frozen=True)
class PatchShape:
    """How patches are cut out of a lattice.

    Attributes
    ----------
    core : int
        Side of the core.
    buffer : int
        Sites around it that evolve too, and do not count.
    boundary : {"frozen", "periodic"}
        "frozen": true surroundings, which stand still. "periodic": the core as a little periodic
        system of its own, for comparison.
    counted : bool
        Whether changes are asked for.
    nodes : int
        Intervals in which a system that knows its rates follows them, for changes without the
        noise of moves; 0: none.

    Raises
    ------
    ValueError
        If there is no such patch.
    """

    core: int
    buffer: int = 0
    boundary: str = "frozen"
    counted: bool = True
    nodes: int = 0

    def __post_init__(self) -> None:
        if self.core < 1 or self.buffer < 0:
            raise ValueError(f"a patch of core {self.core} and buffer {self.buffer} makes no sense")
        if self.boundary not in BOUNDARIES:
            allowed = ", ".join(BOUNDARIES)
            raise ValueError(f"boundary must be one of {allowed}, not {self.boundary!r}")


@dataclass(frozen=True)
class Moved:
    """Blocks, or patches by state, after their active sites moved.

    Attributes
    ----------
    core : array, shape (..., core**dimension)
        States of the core's sites.
    change : array, shape (..., d)
        Change of the block's observables by the core's moves, for a core of unit size.
    mean : array, shape (..., d), optional
        The same without the noise of the moves.
    """

    core: Any
    change: Any
    mean: Any = None


def apart(corners: Sites, per_axis: int, dimension: int) -> list[Sites]:
    """Tiles in groups within which none touches another, across the boundary neither."""
    colour, both = np.arange(per_axis) % 2, np.zeros(1, dtype=np.int64)
    if per_axis % 2:
        colour[-1] = 2
    for _ in range(dimension):
        both = (3 * both[:, None] + colour).ravel()
    return [corners[both == c] for c in np.unique(both)]
