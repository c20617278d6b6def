"""Bonds of a padded lattice by shell: ordered counts N[A, B], as sites change their species."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from ..lattice import SiteGrid
from .padding import Geometry, geometry_of, linear_offsets, padded_index

NO_GROUPS = np.zeros(0, dtype=np.bool_)


@lru_cache(maxsize=64)
def shell_offsets(grid: SiteGrid, n_shells: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Padded offsets of all neighbours, shape (n_basis, Z), and the shell of each, from 0, (Z,)."""
    shells = grid.lattice.shells(n_shells)
    offsets = linear_offsets(grid, np.vstack(shells))
    shell_of = np.repeat(np.arange(n_shells), [len(shell) for shell in shells])
    for table in (offsets, shell_of):
        table.setflags(write=False)
    return offsets, shell_of


@compiled
def _count(
    geometry: Geometry,
    padded: NDArray[np.int8],
    groups: NDArray[np.bool_],
    offsets: NDArray[np.int32],
    shell_of: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    for x in range(geometry.nx):
        for y in range(geometry.ny):
            first = padded_index(geometry, x, y, 0, 0)
            for p in range(first, first + geometry.nz * geometry.n_basis):
                group = np.uint64(groups[p] if groups.size > 0 else 0)
                basis, species = np.uint64(p % geometry.n_basis), np.uint8(padded[p])
                for j in range(np.uint64(offsets.shape[1])):
                    other = np.uint8(padded[np.uint64(p + offsets[basis, j])])
                    counts[group, np.uint64(shell_of[j]), species, other] += 1


def count_bonds(
    grid: SiteGrid,
    padded: NDArray[np.int8],
    n_shells: int,
    n_species: int,
    groups: NDArray[np.bool_] = NO_GROUPS,
) -> NDArray[np.int64]:
    """Ordered bond counts, shape (n_groups, n_shells, S, S).

    A bond belongs to the group of the site that it begins at: ``groups`` says by padded position
    which lie in the second of two; without them there is one.

    Raises
    ------
    ValueError
        If a code is not in [0, S).
    """
    if padded.min() < 0 or padded.max() >= n_species:
        raise ValueError(f"each code must be a whole number from 0 to {n_species - 1}")
    counts = np.zeros((2 if groups.size else 1, n_shells, n_species, n_species), dtype=np.int64)
    _count(geometry_of(grid), padded, groups, *shell_offsets(grid, n_shells), counts)
    return counts
