"""Atoms to the sites of a Bravais lattice: cold or hot, in any periodic supercell, with holes.

Sites are integer points in units of half the cubic lattice constant. A supercell is an integer
matrix of repeats M, with the cell vectors (rows) C = M P F: P holds the primitive vectors in
those units, and F, in A, is what the mean crystal makes of them, strain and rotation included.
An atom belongs to the nearest site; where two want one, to that which makes the sum of squared
displacements least.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from .arrays import Array
from .compiled import compiled
from .lattice import Lattice
from .rng import coerce_rng

Ints = NDArray[np.int64]

HOTTEST = 0.25
FARTHEST = 0.75
GROWTH = 3
PROBES = 600
SEEN = 0.4


class NotOnSites(ValueError):
    """Atoms that are not on the sites of a lattice, one on each."""


class Assignment(NamedTuple):
    """Which atom is on which site.

    Attributes
    ----------
    coordinates : int array, shape (n_atoms, 3)
        Site of each atom, in half lattice constants, not folded into the supercell.
    off_A : array, shape (n_atoms,)
        Distance of each atom from its site.
    origin : array, shape (3,)
        Where the lattice's origin is, in half lattice constants.
    """

    coordinates: Ints
    off_A: Array
    origin: Array

    @property
    def rms_A(self) -> float:
        """Root mean square distance of the atoms from their sites."""
        return float(np.sqrt(np.mean(self.off_A**2)))


def hermite_form(repeats: Ints) -> Ints:
    """Upper triangular basis, diagonal positive, of the translations that the rows span."""
    h = np.array(repeats, dtype=np.int64)
    for column in range(3):
        while np.count_nonzero(h[column:, column]) > 1:
            rows = column + np.flatnonzero(h[column:, column])
            least = rows[np.argmin(np.abs(h[rows, column]))]
            h[[column, least]] = h[[least, column]]
            quotient = h[column + 1 :, column] // h[column, column]
            h[column + 1 :] -= quotient[:, None] * h[column]
        if h[column, column] == 0:
            least = column + int(np.flatnonzero(h[column:, column])[0])
            h[[column, least]] = h[[least, column]]
        h[column] *= np.sign(h[column, column])
    return h


def half_vectors(cell: Array, lattice: Lattice, repeats: Ints) -> Array:
    """F, in A: rows are the mean half lattice vectors of a supercell."""
    return np.linalg.solve((repeats @ lattice.primitive).astype(float), cell)


def nearest_A(half: Array, lattice: Lattice) -> float:
    """Distance of nearest sites in the unstrained crystal of the same volume."""
    shortest = np.linalg.norm(lattice.shells(1)[0][0])
    return float(shortest * np.abs(np.linalg.det(half)) ** (1 / 3))


def strain_ratio(half: Array) -> float:
    """Longest over shortest principal stretch of the mean crystal: 1 if it is cubic."""
    stretches = np.linalg.svd(half, compute_uv=False)
    return float(stretches[0] / stretches[-1])


def sharpest_repeats(scaled: Array, guess: Array, slack: float) -> Ints | None:
    """The integer matrix of repeats near a guess whose Bragg peaks are sharpest.

    A column of M is the wave vector of a primitive reciprocal vector in units of the supercell's.
    Those within a relative ``slack`` are tried on at most `PROBES` atoms.

    Parameters
    ----------
    scaled : array, shape (n_atoms, 3)
        Scaled positions; some atoms, at random, are enough.
    guess : array, shape (3, 3)

    Returns
    -------
    int array, shape (3, 3), or None
        None where no peak is seen.
    """
    repeats = np.empty((3, 3), dtype=np.int64)
    for column in range(3):
        middle = guess[:, column]
        reach = int(np.ceil(slack * np.linalg.norm(middle)))
        waves = np.rint(middle)[:, None] + np.arange(-reach, reach + 1)
        a, b, c = (np.exp(2j * np.pi * np.outer(scaled[:, k], waves[k])) for k in range(3))
        pairs = (b[:, :, None] * c[:, None, :]).reshape(len(scaled), -1)
        height = np.abs(a.T @ pairs).reshape([2 * reach + 1] * 3) / len(scaled)
        off = [((waves[k] - middle[k]) ** 2).reshape(-1, *[1] * (2 - k)) for k in range(3)]
        best = np.unravel_index(
            np.argmax(height - 0.01 * np.sqrt(off[0] + off[1] + off[2])), height.shape
        )
        if height[best] < SEEN:
            return None
        repeats[:, column] = [waves[k][best[k]] for k in range(3)]
    return repeats


def some_atoms(n_atoms: int) -> Ints:
    """Numbers of at most `PROBES` atoms, at random."""
    if n_atoms <= PROBES:
        return np.arange(n_atoms)
    return coerce_rng(0).integers(n_atoms, size=PROBES)


def assign_sites(positions: Array, cell: Array, lattice: Lattice, repeats: Ints) -> Assignment:
    """Put each atom on a site of its own.

    Parameters
    ----------
    positions : array, shape (n_atoms, 3)
        In A, wrapped or not.
    cell : array, shape (3, 3)
    lattice : Lattice
    repeats : int array, shape (3, 3)
        M of the module.

    Raises
    ------
    NotOnSites
        If the displacements are those of no crystal, or atoms share a site that has no empty
        one beside it.
    """
    if not np.isfinite(positions).all():
        raise NotOnSites("positions of atoms are not finite")
    half = half_vectors(cell, lattice, repeats)
    points = positions @ np.linalg.inv(half)
    origin = _origin(points, lattice)
    points -= origin
    sites = np.empty((len(points), 3), dtype=np.int64)
    _nearest(points, np.array(lattice.basis, dtype=float), sites)
    found = _assignment(points, sites, half, origin)
    scale_A = nearest_A(half, lattice)
    if found.rms_A > HOTTEST * scale_A:
        raise NotOnSites(
            f"not a {lattice.name} crystal: its atoms are {found.rms_A:.2f} A (root mean square) "
            f"from the nearest {lattice.name} sites, which are {scale_A:.2f} A apart"
        )
    index = site_index(sites, lattice, repeats)
    if np.bincount(index).max(initial=0) > 1:
        _untangle(points, sites, index, half, lattice, repeats)
        found = _assignment(points, sites, half, origin)
    return found


def site_index(sites: Ints, lattice: Lattice, repeats: Ints) -> Ints:
    """Number of each site, shape (n,), from 0 to |det M| - 1, periodic images folded in.

    Primitive coordinates n are folded by the Hermite form H of M, and numbered
    (n_0 H_11 + n_1) H_22 + n_2.
    """
    index = np.empty(len(sites), dtype=np.int64)
    _fold(sites, np.linalg.inv(lattice.primitive), hermite_form(repeats), index)
    return index


def _origin(points: Array, lattice: Lattice) -> Array:
    """Where sites are, from the phases of the Bragg waves of at most some 20,000 atoms."""
    some = points[:: 1 + len(points) // 20_000]
    phases = np.exp(2j * np.pi * (some @ np.linalg.inv(lattice.primitive)))
    origin: Array = np.angle(phases.mean(axis=0)) / (2 * np.pi) @ lattice.primitive
    return origin


def _assignment(points: Array, sites: Ints, half: Array, origin: Array) -> Assignment:
    """Distances are from sites placed where their mean square is least."""
    off = points - sites
    drift = off.mean(axis=0)
    off -= drift
    off_A = np.sqrt(np.einsum("ni,ij,nj->n", off, half @ half.T, off))
    return Assignment(sites, off_A, origin + drift)


@compiled
def _nearest(points: Array, basis: Array, sites: Ints) -> None:
    for n in range(len(points)):
        least = np.inf
        for b in basis:
            distance = 0.0
            for k in range(3):
                distance += (points[n, k] - b[k] - 2 * np.rint((points[n, k] - b[k]) / 2)) ** 2
            if distance < least:
                least = distance
                for k in range(3):
                    sites[n, k] = np.int64(b[k] + 2 * np.rint((points[n, k] - b[k]) / 2))


@compiled
def _fold(sites: Ints, inverse: Array, hermite: Ints, index: Ints) -> None:
    h = hermite
    for n in range(len(sites)):
        x, y, z = sites[n, 0], sites[n, 1], sites[n, 2]
        a = np.int64(np.rint(x * inverse[0, 0] + y * inverse[1, 0] + z * inverse[2, 0]))
        b = np.int64(np.rint(x * inverse[0, 1] + y * inverse[1, 1] + z * inverse[2, 1]))
        c = np.int64(np.rint(x * inverse[0, 2] + y * inverse[1, 2] + z * inverse[2, 2]))
        turns = a // h[0, 0]
        a, b, c = a - turns * h[0, 0], b - turns * h[0, 1], c - turns * h[0, 2]
        turns = b // h[1, 1]
        b, c = b - turns * h[1, 1], c - turns * h[1, 2]
        index[n] = (a * h[1, 1] + b) * h[2, 2] + c % h[2, 2]


def _untangle(
    points: Array, sites: Ints, index: Ints, half: Array, lattice: Lattice, repeats: Ints
) -> None:
    """Move atoms to other sites, in place, until no two share one.

    A matching of least sum of squared displacements over the surroundings of the shared sites,
    each atom to a site nearer than `FARTHEST` of the distance of neighbours.
    """
    shared = np.bincount(index)[index] > 1
    steps = np.concatenate([np.zeros((1, 3), dtype=np.int64), *lattice.shells(2)])
    region = np.unique(index[shared])
    around = sites[shared]
    for _ in range(GROWTH):
        around = (around[:, None] + steps).reshape(-1, 3)
        region, first = np.unique(site_index(around, lattice, repeats), return_index=True)
        around = around[first]
    free = np.flatnonzero(np.isin(index, region))
    choices = sites[free, None] + steps
    off_A = np.linalg.norm((points[free, None] - choices) @ half, axis=-1)
    atom, step = np.nonzero(off_A < FARTHEST * nearest_A(half, lattice))
    at = site_index(choices[atom, step], lattice, repeats)
    column = np.searchsorted(region, at).clip(max=len(region) - 1)
    near_first = np.argsort(off_A[atom, step], kind="stable")
    inside = near_first[region[column[near_first]] == at[near_first]]
    _, once = np.unique(atom[inside] * len(region) + column[inside], return_index=True)
    atom, step, column = (values[inside[once]] for values in (atom, step, column))
    cost = 1e-9 + off_A[atom, step] ** 2
    graph = csr_array((cost, (atom, column)), shape=(len(free), len(region)))
    try:
        matched = min_weight_full_bipartite_matching(graph)[1]
    except ValueError:
        first, second = np.flatnonzero(index == index[shared][0])[:2]
        raise NotOnSites(f"atoms {first} and {second} share one lattice site") from None
    chosen = column == matched[atom]
    sites[free[atom[chosen]]] = choices[atom[chosen], step[chosen]]
