"""Neighbours of fixed sites, by distance."""

from __future__ import annotations

import itertools

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...arrays import Array
from ...kinetics.site_moves import Neighbourhood
from ...lattice import SiteGrid
from ...neighbour_pairs import neighbour_pairs

SAME_DISTANCE_A = 1e-10
NEAREST_RATIO = 1.1

Ints = NDArray[np.int64]
Pairs = tuple[Ints, Ints, Array]


def neighbourhood(pairs: Pairs, n_sites: int) -> tuple[Neighbourhood, Ints, Array]:
    """Neighbours by site and distance.

    Nearest are those within 1.1 times the usual distance to the first.

    Parameters
    ----------
    pairs : arrays of site, neighbour and distance (A), shape (n_edges,)
        Every pair from both sides.

    Returns
    -------
    near : Neighbourhood
    kinds : int array, shape (n_edges,)
        Which of the lengths each neighbour has.
    lengths_A : array, shape (n_kinds,)
        Distances that differ, ascending.
    """
    lengths, kinds = _distinct(pairs[2])
    order = np.lexsort((pairs[1], kinds, pairs[0]))
    site, neighbor, kinds = pairs[0][order], pairs[1][order], kinds[order]
    starts = np.searchsorted(site, np.arange(n_sites + 1))
    first = lengths[kinds[starts[:-1][np.diff(starts) > 0]]]
    within = lengths[kinds] <= NEAREST_RATIO * (np.median(first) if len(first) else 0.0)
    nearest = np.bincount(site, within, minlength=n_sites)
    near = Neighbourhood(
        starts.astype(np.int64), neighbor.astype(np.int32), nearest.astype(np.int32)
    )
    return near, kinds, lengths


def grid_pairs(grid: SiteGrid, cutoff_A: float, lattice_constant_A: float) -> Pairs:
    """Pairs of sites of a perfect lattice nearer than a cutoff.

    Raises
    ------
    ValueError
        If the lattice constant is not positive.
    """
    if not lattice_constant_A > 0:
        raise ValueError(f"lattice constant must be positive, not {lattice_constant_A}")
    half_A = lattice_constant_A / 2
    reach = int(np.ceil(cutoff_A / half_A))
    points = np.array(list(itertools.product(np.arange(-reach, reach + 1), repeat=3)))
    length = np.linalg.norm(points, axis=1) * half_A
    chosen = grid.lattice.contains(points) & (length > 0) & (length < cutoff_A)
    site = np.repeat(np.arange(grid.n_sites), chosen.sum())
    neighbor = grid.neighbors(points[chosen]).ravel()
    return site, neighbor, np.tile(length[chosen], grid.n_sites)


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
