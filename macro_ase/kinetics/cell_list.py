"""Atoms sorted into cells, and what a few of them feel: kernels that visit their cells alone.

Cells divide the periods of the box, so that a neighbour's image follows from the cell it is in:
along a periodic axis cell c is cell c mod m, moved by floor(c / m) periods.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..compiled import compiled, inlined
from .copying import copy_into, lengthened

Ints = NDArray[np.int64]


class Cells(NamedTuple):
    """Atoms by cell.

    Attributes
    ----------
    shape : int array, shape (3,)
        Cells along each lattice vector.
    width : array, shape (3,)
        Distance between opposite faces of a cell.
    periodic : bool array, shape (3,)
    box, inverse : arrays, shape (3, 3)
        Lattice vectors as rows, and the inverse matrix.
    starts : int array, shape (n_cells + 1,)
        Where the atoms of each cell begin in what follows.
    order : int array, shape (n,)
        Atoms sorted by cell, ascending within one.
    places : array, shape (n, 3)
        Their positions, wrapped into the box.
    row : int array, shape (n,)
        Where each atom is in ``order``.
    """

    shape: Ints
    width: Array
    periodic: NDArray[np.bool_]
    box: Array
    inverse: Array
    starts: Ints
    order: Ints
    places: Array
    row: Ints


@compiled
def sort_into_cells(
    positions: Array,
    shape: Ints,
    periodic: NDArray[np.bool_],
    box: Array,
    inverse: Array,
) -> tuple[Ints, Ints, Array, Ints]:
    """``starts``, ``order``, ``places`` and ``row`` of `Cells`, in time O(n)."""
    n = len(positions)
    wrapped, cell = np.empty((n, 3)), np.empty(n, dtype=np.int64)
    starts = np.zeros(shape[0] * shape[1] * shape[2] + 1, dtype=np.int64)
    for i in range(n):
        number = 0
        for k in range(3):
            wrapped[i, k] = positions[i, k]
        for k in range(3):
            f = 0.0
            for m in range(3):
                f += positions[i, m] * inverse[m, k]
            periods = np.floor(f) if periodic[k] else 0.0
            for m in range(3):
                wrapped[i, m] -= periods * box[k, m]
            c = int(np.floor((f - periods) * shape[k]))
            number = number * shape[k] + min(max(c, 0), shape[k] - 1)
        cell[i] = number
        starts[number + 1] += 1
    starts = np.cumsum(starts)
    order, row, filled = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64), starts.copy()
    places = np.empty((n, 3))
    for i in range(n):
        at = filled[cell[i]]
        filled[cell[i]] += 1
        order[at], row[i] = i, at
        copy_into(places[at], wrapped[i])
    return starts, order, places, row


@compiled
def cell_range(cells: Cells, low: Array, high: Array, reach: float, out: Ints) -> None:
    """Cells, along each axis, that a box of fractional bounds sees within a reach."""
    for k in range(3):
        m = cells.shape[k]
        room = reach / (cells.width[k] * m)
        first, last = int(np.floor((low[k] - room) * m)), int(np.floor((high[k] + room) * m))
        out[k, 0] = first if cells.periodic[k] else max(first, 0)
        out[k, 1] = last if cells.periodic[k] else min(last, m - 1)


@inlined
def cell_image(cells: Cells, a: int, b: int, c: int) -> tuple[int, float, float, float]:
    """Number of a cell that may lie outside the box, and how far it is from its original."""
    shape, box = cells.shape, cells.box
    i, j, k = a // shape[0], b // shape[1], c // shape[2]
    row = (a - i * shape[0]) * shape[1] + b - j * shape[1]
    return (
        row * shape[2] + c - k * shape[2],
        i * box[0, 0] + j * box[1, 0] + k * box[2, 0],
        i * box[0, 1] + j * box[1, 1] + k * box[2, 1],
        i * box[0, 2] + j * box[1, 2] + k * box[2, 2],
    )


@compiled
def atoms_around(cells: Cells, points: Array, reach: float) -> tuple[Ints, Array]:
    """Atoms, and their images, within a reach of any of some points.

    Parameters
    ----------
    points : array, shape (k, 3)
    reach : float

    Returns
    -------
    index : int array, shape (m,)
        An atom comes once for each of its images.
    place : array, shape (m, 3)
        Where the image is.
    """
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for p in points:
        for k in range(3):
            f = 0.0
            for m in range(3):
                f += p[m] * cells.inverse[m, k]
            low[k], high[k] = min(low[k], f), max(high[k], f)
    span = np.empty((3, 2), dtype=np.int64)
    cell_range(cells, low, high, reach, span)
    found, room = 0, 64
    index, place = np.empty(room, dtype=np.int64), np.empty((room, 3))
    for a in range(span[0, 0], span[0, 1] + 1):
        for b in range(span[1, 0], span[1, 1] + 1):
            for c in range(span[2, 0], span[2, 1] + 1):
                cell, sx, sy, sz = cell_image(cells, a, b, c)
                for at in range(cells.starts[cell], cells.starts[cell + 1]):
                    x, y, z = cells.places[at, 0], cells.places[at, 1], cells.places[at, 2]
                    if not _is_near(points, x + sx, y + sy, z + sz, reach):
                        continue
                    if found == room:
                        room *= 2
                        index, place = lengthened(index, room), lengthened(place, room)
                    index[found] = cells.order[at]
                    place[found, 0], place[found, 1], place[found, 2] = x + sx, y + sy, z + sz
                    found += 1
    return index[:found].copy(), place[:found].copy()


@compiled
def _is_near(points: Array, x: float, y: float, z: float, reach: float) -> bool:
    for i in range(len(points)):
        dx, dy, dz = points[i, 0] - x, points[i, 1] - y, points[i, 2] - z
        if dx * dx + dy * dy + dz * dz <= reach * reach:
            return True
    return False


@compiled
def lennard_jones_forces(
    cells: Cells, chosen: Ints, epsilon: float, sigma: float, cutoff: float
) -> Array:
    """Forces on chosen atoms, shape (k, 3).

    F_i = sum_j 24 epsilon (2 s^12 - s^6) / r^2 (x_i - x_j),  s = sigma / r,  r < cutoff
    """
    forces = np.zeros((len(chosen), 3))
    span, f = np.empty((3, 2), dtype=np.int64), np.empty(3)
    for n in range(len(chosen)):
        at = cells.row[chosen[n]]
        x, y, z = cells.places[at, 0], cells.places[at, 1], cells.places[at, 2]
        for k in range(3):
            f[k] = x * cells.inverse[0, k] + y * cells.inverse[1, k] + z * cells.inverse[2, k]
        cell_range(cells, f, f, cutoff, span)
        fx, fy, fz = 0.0, 0.0, 0.0
        for a in range(span[0, 0], span[0, 1] + 1):
            for b in range(span[1, 0], span[1, 1] + 1):
                for c in range(span[2, 0], span[2, 1] + 1):
                    cell, sx, sy, sz = cell_image(cells, a, b, c)
                    for other in range(cells.starts[cell], cells.starts[cell + 1]):
                        dx = x - cells.places[other, 0] - sx
                        dy = y - cells.places[other, 1] - sy
                        dz = z - cells.places[other, 2] - sz
                        r2 = dx * dx + dy * dy + dz * dz
                        if 0.0 < r2 < cutoff * cutoff:
                            s2 = sigma * sigma / r2
                            s6 = s2 * s2 * s2
                            pull = 24 * epsilon * (2 * s6 * s6 - s6) / r2
                            fx += pull * dx
                            fy += pull * dy
                            fz += pull * dz
        forces[n, 0], forces[n, 1], forces[n, 2] = fx, fy, fz
    return forces
