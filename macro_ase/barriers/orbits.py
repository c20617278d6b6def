"""Sites around a hopping bond, grouped into symmetry orbits.

The bond from the vacancy at 0 to its first neighbour at (1,1,1) has the point group
D3d: the cubic operations that keep the bond as a whole, those that swap its ends
included. A function of species counts over the orbits is therefore the same for a hop
and for its reverse.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..lattice import BCC

HOP_DIRECTIONS = np.array(list(itertools.product((-1, 1), repeat=3)), dtype=np.int64)
"""The eight hops of bcc, shape (8, 3), units of a/2: (-,-,-), (-,-,+), ... (+,+,+)."""

REFERENCE_HOP = np.array([1, 1, 1])


def _bond_operations() -> list[NDArray[np.int64]]:
    operations = []
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.zeros((3, 3), dtype=np.int64)
            matrix[range(3), axes] = signs
            if abs(int((matrix @ REFERENCE_HOP) @ REFERENCE_HOP)) == 3:
                operations.append(matrix)
    return operations


@lru_cache
def bond_orbits(n_shells: int = 7) -> tuple[NDArray[np.int64], ...]:
    """Orbits of the sites within ``n_shells`` shells of either end of the bond.

    Returns
    -------
    tuple of int arrays, shape (size, 3)
        Sites relative to the vacancy, for the hop along (1,1,1), units of a/2; nearest
        orbits first. Neither end of the bond is among them.
    """
    around = np.vstack(BCC.shells(n_shells))
    sites = np.unique(np.vstack([around, around + REFERENCE_HOP]), axis=0)
    ends = np.all(sites == 0, axis=1) | np.all(sites == REFERENCE_HOP, axis=1)
    operations = _bond_operations()
    orbits: dict[tuple[int, ...], list[NDArray[np.int64]]] = {}
    for site in sites[~ends]:
        from_middle = 2 * site - REFERENCE_HOP
        name = min(tuple(int(c) for c in op @ from_middle) for op in operations)
        orbits.setdefault(name, []).append(site)
    groups = [np.array(members) for members in orbits.values()]
    return tuple(sorted(groups, key=lambda g: (orbit_distance(g), tuple(g[0]))))


def orbit_distance(orbit: NDArray[np.int64]) -> float:
    """Distance from an orbit to the nearer end of the bond, in first-neighbour distances."""
    ends = ((orbit**2).sum(axis=1), ((orbit - REFERENCE_HOP) ** 2).sum(axis=1))
    return float(np.sqrt(np.min(ends) / 3))
