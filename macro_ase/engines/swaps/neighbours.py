"""Neighbours of fixed sites, by distance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...arrays import Array
from ...kinetics.site_moves import Neighbourhood
from ...neighbour_pairs import neighbour_pairs

SAME_DISTANCE_A = 1e-10
NEAREST_RATIO = 1.1

Ints = NDArray[np.int64]
Pairs = tuple[Ints, Ints, Array]


def neighbourhood(pairs: Pairs, n_sites: int) -> tuple[Neighbourhood, Array]:
    """Neighbours by site and distance.

    Nearest are those within 1.1 times the usual distance to the first.

    Parameters
    ----------
    pairs : arrays of site, neighbour and distance (A), shape (n_edges,)
        Every pair from both sides.

    Returns
    -------
    near : Neighbourhood
    lengths_A : array, shape (n_kinds,)
        Distances that differ, ascending: those of the kinds.
    """
    lengths, kinds = _distinct(pairs[2])
    order = np.lexsort((pairs[1], kinds, pairs[0]))
    starts = np.searchsorted(pairs[0][order], np.arange(n_sites + 1)).astype(np.int64)
    kinds, neighbors = kinds[order], pairs[1][order].astype(np.uint32)
    nearest, rows = _nearest(starts, kinds, lengths), starts[:-1].copy()
    return Neighbourhood(starts, neighbors, nearest, rows, kinds.astype(np.uint32)), lengths


def crystal_neighbourhood(
    cell: Atoms, size: Sequence[int], cutoff_A: float
) -> tuple[Neighbourhood, Array]:
    """`neighbourhood` of a cell that is repeated, with the sites in the order of `Atoms.repeat`.

    Neighbours are offsets of cells, by sublattice, known from the pairs of one cell.
    """
    pairs = neighbour_pairs(cell, cutoff_A)
    lengths, kinds = _distinct(pairs.distance_A)
    order = np.lexsort((pairs.j, kinds, pairs.i))
    i, j, kinds = pairs.i[order], pairs.j[order], kinds[order]
    apart = pairs.vector_A[order] - cell.positions[j] + cell.positions[i]
    offsets = np.rint(cell.cell.scaled_positions(apart)).astype(np.int64)
    n_basis, n_cells = len(cell), math.prod(size)
    starts = np.searchsorted(i, np.arange(n_basis + 1))
    neighbors = np.empty((n_cells, len(i)), dtype=np.uint32)
    cells = np.stack(np.unravel_index(np.arange(n_cells), tuple(size)), axis=-1)
    for alike in np.split(np.arange(len(i)), np.flatnonzero(np.diff(i) | np.diff(kinds)) + 1):
        for e in alike:
            there = tuple(np.mod(cells + offsets[e], size).T)
            neighbors[:, e] = n_basis * np.ravel_multi_index(there, tuple(size)) + j[e]
        neighbors[:, alike] = np.sort(neighbors[:, alike], axis=1)
    ends = starts[:-1] + len(i) * np.arange(n_cells)[:, None]
    near = Neighbourhood(
        np.append(ends.ravel(), n_cells * len(i)),
        neighbors.ravel(),
        np.tile(_nearest(starts, kinds, lengths), n_cells),
        np.tile(starts[:-1], n_cells),
        kinds.astype(np.uint32),
    )
    return near, lengths


def _nearest(starts: Ints, kinds: Ints, lengths_A: Array) -> NDArray[np.int32]:
    """How many neighbours of each site are nearest."""
    counts = np.diff(starts)
    first = lengths_A[kinds[starts[:-1][counts > 0]]]
    within = lengths_A[kinds] <= NEAREST_RATIO * (np.median(first) if len(first) else 0.0)
    sites = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(sites, within, minlength=len(counts)).astype(np.int32)


def pairs_within(atoms: Atoms, cutoff_A: float) -> Pairs:
    """Pairs of atoms nearer than a cutoff."""
    return neighbour_pairs(atoms, cutoff_A)[:3]


def nearest_pairs(atoms: Atoms) -> Pairs:
    """Pairs that hold the nearest neighbours in the sense of `neighbourhood`."""
    first = cKDTree(atoms.positions).query(atoms.positions, k=2)[0][:, 1]
    return pairs_within(atoms, NEAREST_RATIO**2 * float(np.median(first)))


def _distinct(distance_A: Array) -> tuple[Array, Ints]:
    """Distances that differ, ascending, and which of them each is."""
    order = np.argsort(distance_A, kind="stable")
    new = np.diff(distance_A[order], prepend=-np.inf) > SAME_DISTANCE_A
    kinds = np.empty(len(order), dtype=np.int64)
    kinds[order] = np.cumsum(new) - 1
    return distance_A[order][new], kinds
