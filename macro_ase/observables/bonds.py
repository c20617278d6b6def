"""Bond counts on a site lattice whose neighbours are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..compiled import compiled
from ..counts import require_count

Ints = NDArray[np.int64]
MOST_SPECIES = 127


def bond_counts(occupation: ArrayLike, neighbors: ArrayLike, n_species: int) -> Ints:
    """Ordered bond counts N[A, B]: pairs of a site of A and a neighbour of B.

    Parameters
    ----------
    occupation : int8 array, shape (..., n_sites)
        Species code of each site; leading axes are snapshots.
    neighbors : int array, shape (n_sites, z)
        Neighbours of each site, such as ``grid.neighbors(lattice.shells(1)[0])``.
    n_species : int
        Number of species S, the vacancy included.

    Returns
    -------
    array, shape (..., S, S)
        Symmetric for a whole shell; row A sums to z times the number of A sites.

    Raises
    ------
    ValueError
        If shapes disagree, a code is not in [0, S), or a neighbour is not a site.
    """
    one_group = np.zeros(np.shape(occupation)[-1], dtype=np.int64)
    return grouped_bond_counts(occupation, neighbors, n_species, one_group)[..., 0, :, :]


def grouped_bond_counts(
    occupation: ArrayLike, neighbors: ArrayLike, n_species: int, groups: ArrayLike
) -> Ints:
    """Bond counts by group of sites, such as a patch; they add up to `bond_counts`.

    As `bond_counts`, with ``groups``, int array of shape (n_sites,): the group of each site,
    from 0, to which the bonds it begins belong. Returns shape (..., n_groups, S, S).
    """
    n_species = require_count(n_species, "n_species", 1, MOST_SPECIES)
    around, group = np.asarray(neighbors), np.asarray(groups)
    n_sites = np.shape(occupation)[-1] if np.ndim(occupation) else 0
    if around.ndim != 2 or len(around) != n_sites or group.shape != (n_sites,):
        raise ValueError(
            f"neighbors {around.shape} and groups {group.shape} do not fit {n_sites} sites"
        )
    codes = require_codes(occupation, "code", n_species).astype(np.int8)
    around = np.ascontiguousarray(require_codes(around, "neighbor", n_sites))
    group = np.ascontiguousarray(require_codes(group, "group", n_sites))
    bonds = np.zeros((codes.size // n_sites, group.max() + 1, n_species, n_species), np.int64)
    _count(np.ascontiguousarray(codes).reshape(-1, n_sites), around, group, bonds)
    return bonds.reshape(*codes.shape[:-1], *bonds.shape[1:])


def require_codes(values: ArrayLike, what: str, limit: int) -> NDArray[Any]:
    """An array of whole numbers from 0, less than a limit.

    Raises
    ------
    ValueError
        If it is empty, holds other numbers, or none at all.
    """
    numbers = np.asarray(values)
    whole = numbers.dtype.kind in "iu" or (
        numbers.dtype.kind == "f" and bool(np.all(numbers == np.rint(numbers)))
    )
    if not whole or numbers.size == 0 or numbers.min() < 0 or numbers.max() >= limit:
        raise ValueError(f"each {what} must be a whole number from 0 to {limit - 1}")
    return numbers if numbers.dtype.kind != "f" else numbers.astype(np.int64)


@compiled
def _count(codes: NDArray[np.int8], neighbors: Ints, groups: Ints, bonds: Ints) -> None:
    for snapshot in range(codes.shape[0]):
        for site in range(codes.shape[1]):
            row = bonds[snapshot, groups[site], codes[snapshot, site]]
            for k in range(neighbors.shape[1]):
                row[codes[snapshot, neighbors[site, k]]] += 1
