"""Which atom is where, and how far it has gone: replay of a recorded walk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .padding import HALO, Geometry, locate


@compiled
def site_number(geometry: Geometry, p: int) -> int:
    """Site number of a padded position."""
    x, y, z, b = locate(geometry, p)
    return ((x * geometry.ny + y) * geometry.nz + z) * geometry.n_basis + b


@compiled
def _half_units(
    geometry: Geometry, basis: NDArray[np.int64], p: int, out: NDArray[np.int64]
) -> None:
    """Coordinates of a padded position in units of a/2, images not folded in."""
    py, pz = geometry.ny + 2 * HALO, geometry.nz + 2 * HALO
    cell, b = p // geometry.n_basis, p % geometry.n_basis
    out[0] = 2 * (cell // (pz * py)) + basis[b, 0]
    out[1] = 2 * ((cell // pz) % py) + basis[b, 1]
    out[2] = 2 * (cell % pz) + basis[b, 2]


@compiled
def replay(
    geometry: Geometry,
    basis: NDArray[np.int64],
    trail: NDArray[np.int64],
    hops: int,
    label: NDArray[np.int64],
    displacement: NDArray[np.int64],
) -> None:
    """Follow the atoms through recorded hops.

    Parameters
    ----------
    trail : int64 array, shape (n, 2)
        As `vacancy_walk.walk` fills it.
    hops : int
        Rows of it to follow.
    label : int64 array, shape (n_sites,)
        Atom on each site; changes in place.
    displacement : int64 array, shape (n_atoms, 3)
        How far each atom has gone, units of a/2; changes in place.
    """
    here, there = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    for k in range(hops):
        _half_units(geometry, basis, trail[k, 0], here)
        _half_units(geometry, basis, trail[k, 1], there)
        old, new = site_number(geometry, trail[k, 0]), site_number(geometry, trail[k, 1])
        vacancy, atom = label[old], label[new]
        label[old], label[new] = atom, vacancy
        for i in range(3):
            displacement[vacancy, i] += there[i] - here[i]
            displacement[atom, i] -= there[i] - here[i]
