"""Which atom is where, and how far it has gone: replay of a recorded walk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled, inlined
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


@inlined
def _follow(
    geometry: Geometry,
    basis: NDArray[np.int64],
    hop: NDArray[np.int64],
    here: NDArray[np.int64],
    there: NDArray[np.int64],
    label: NDArray[np.int64],
    displacement: NDArray[np.int64],
) -> int:
    """Follow the atoms through one hop, with ``here`` and ``there`` to work in; which hopped."""
    _half_units(geometry, basis, hop[0], here)
    _half_units(geometry, basis, hop[1], there)
    old, new = site_number(geometry, hop[0]), site_number(geometry, hop[1])
    vacancy: int = label[old]
    atom: int = label[new]
    label[old], label[new] = atom, vacancy
    for i in range(3):
        displacement[vacancy, i] += there[i] - here[i]
        displacement[atom, i] -= there[i] - here[i]
    return atom


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
        _follow(geometry, basis, trail[k], here, there, label, displacement)


@compiled
def replay_counting(
    geometry: Geometry,
    basis: NDArray[np.int64],
    trail: NDArray[np.int64],
    label: NDArray[np.int64],
    displacement: NDArray[np.int64],
    species: NDArray[np.int8],
    jumps: NDArray[np.int64],
) -> None:
    """`replay` of all of ``trail``, and ``jumps``, shape (S,), by species of the atom that hops.

    ``species``, shape (n_atoms,), holds the code of each atom.
    """
    here, there = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    for k in range(len(trail)):
        jumps[species[_follow(geometry, basis, trail[k], here, there, label, displacement)]] += 1


@compiled
def close_window(
    displacement: NDArray[np.int64],
    origin: NDArray[np.int64],
    species: NDArray[np.int8],
    squares: NDArray[np.int64],
) -> None:
    """Sums by species, (S,), of squared displacements, (n_atoms, 3), since ``origin``.

    ``origin`` becomes the displacement: a window ends and the next begins.
    """
    for atom in range(len(displacement)):
        for i in range(3):
            step = displacement[atom, i] - origin[atom, i]
            squares[species[atom]] += step * step
            origin[atom, i] = displacement[atom, i]
