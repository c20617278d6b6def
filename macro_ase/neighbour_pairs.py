"""Pairs of atoms nearer than a cutoff, in cells of any shape and periodicity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.geometry.cell import complete_cell
from matscipy.neighbours import neighbour_list
from numpy.typing import NDArray

MARGIN_A = 1.0


class NeighbourPairs(NamedTuple):
    """Every pair from both sides; atoms may be neighbours of their own images.

    Attributes
    ----------
    i, j : int arrays, shape (n_pairs,)
        Ascending in i.
    distance_A : array, shape (n_pairs,)
    vector_A : array, shape (n_pairs, 3)
        From i to (the image of) j.
    """

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    distance_A: NDArray[np.float64]
    vector_A: NDArray[np.float64]


def neighbour_pairs(atoms: Atoms, cutoff_A: float) -> NeighbourPairs:
    """Pairs of atoms nearer than a cutoff; the cell need not be complete, nor hold the atoms.

    Raises
    ------
    ValueError
        If a periodic axis has no lattice vector, or a position is not finite.
    """
    if not np.isfinite(atoms.positions).all():
        raise ValueError("positions of atoms are not finite")
    if not len(atoms):
        none = np.zeros(0, dtype=np.int64)
        return NeighbourPairs(none, none, np.zeros(0), np.zeros((0, 3)))
    cell, positions = enclosed(atoms)
    i, j, distance, vector = neighbour_list(
        "ijdD", positions=positions, cell=cell, pbc=atoms.pbc, cutoff=float(cutoff_A)
    )
    return NeighbourPairs(i.astype(np.int64), j.astype(np.int64), distance, vector)


def enclosed(atoms: Atoms) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A cell that spans the atoms where it is open, and positions in it, A.

    Edges of open axes are perpendicular to the others: pairs are searched in time O(n).
    """
    periodic = np.asarray(atoms.pbc, dtype=bool)
    cell = np.where(periodic[:, None], atoms.cell.array, 0.0)
    if np.linalg.matrix_rank(cell) < periodic.sum():
        raise ValueError("lattice vectors of periodic axes are not independent")
    cell = complete_cell(cell)
    inverse = np.linalg.inv(cell)
    fractional, margin = atoms.positions @ inverse, MARGIN_A * np.linalg.norm(inverse, axis=0)
    low = np.where(periodic, 0.0, fractional.min(axis=0) - margin)
    length = np.where(periodic, 1.0, np.ptp(fractional, axis=0) + 2 * margin)
    return length[:, None] * cell, atoms.positions - low @ cell
