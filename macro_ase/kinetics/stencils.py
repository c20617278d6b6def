"""Laplacians of fields on grids, with boundaries held in one layer of ghost cells.

    lap f = (f_left + f_right + f_up + f_down - 4 f) / h^2

A grid of (rows, columns) cells is kept with a border of one ghost cell, so that every cell has
four neighbours at fixed places. A line is a grid of one row: its upper and lower ghost cells equal
the cells themselves and add nothing. Boundaries are chosen for each of the four sides:

    Neumann    a ghost cell equals the cell at the wall (the wall lies between the two)
    periodic   it equals the cell at the other end
    given      it keeps what it holds: the frozen surroundings of a patch
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled, inlined

NEUMANN, PERIODIC, GIVEN = range(3)
BOUNDARIES = {"neumann": NEUMANN, "periodic": PERIODIC, "given": GIVEN}
Boundary = tuple[int, int, int, int]
"""Codes of the boundaries above, below, at the left and at the right."""


@compiled
def fill_ghosts(padded: NDArray[np.float64], boundary: Boundary) -> None:
    """Set the ghost cells of fields, shape (n_fields, rows + 2, columns + 2)."""
    n_fields, rows, columns = padded.shape
    top, bottom, left, right = boundary
    for k in range(n_fields):
        field = padded[k]
        for j in range(columns):
            if top != GIVEN:
                field[0, j] = field[1 if top == NEUMANN else rows - 2, j]
            if bottom != GIVEN:
                field[rows - 1, j] = field[rows - 2 if bottom == NEUMANN else 1, j]
        for i in range(rows):
            if left != GIVEN:
                field[i, 0] = field[i, 1 if left == NEUMANN else columns - 2]
            if right != GIVEN:
                field[i, columns - 1] = field[i, columns - 2 if right == NEUMANN else 1]


@inlined
def five_point(field: NDArray[np.float64], i: int, j: int) -> float:
    """h^2 times the Laplacian at a cell of a padded field."""
    across = field[i, j - 1] + field[i, j + 1]
    change: float = across + field[i - 1, j] + field[i + 1, j] - 4.0 * field[i, j]
    return change


@compiled
def laplacian(
    padded: NDArray[np.float64], boundary: Boundary, spacing: float, out: NDArray[np.float64]
) -> None:
    """Laplacians of replicas of fields; ``padded`` has its ghost cells set, ``out`` is filled.

    Parameters
    ----------
    padded : float64 array, shape (n_replicas, n_fields, rows + 2, columns + 2)
    boundary : (int, int, int, int)
    spacing : float
        h.
    out : float64 array, shape (n_replicas, n_fields, rows, columns)
    """
    for r in range(len(padded)):
        fill_ghosts(padded[r], boundary)
        for k in range(padded.shape[1]):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    out[r, k, i, j] = five_point(padded[r, k], i + 1, j + 1) / spacing**2
