"""Finds the sites of an sc, bcc or fcc crystal in any periodic supercell, hot or strained.

A block of conventional cells is tried first. Else the cubic axes are sought in the directions of
nearest neighbours; what decides is whether the atoms then have a site each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..arrays import Array
from ..crystal import MOST_VACANT, block_repeats, block_size
from ..lattice import LATTICES, Lattice, SiteGrid
from ..rng import coerce_rng
from ..site_assignment import (
    Assignment,
    assign_sites,
    half_vectors,
    sharpest_repeats,
    some_atoms,
    strain_ratio,
)
from .recognition import cells_of, neighbours

Ints = NDArray[np.int64]

SITE_LATTICES = {"cubic": "sc", "bcc": "bcc", "fcc": "fcc"}
MOST_STRAINED = 1.07
ORIENTING_CENTRES = 100
SLACKS = (0.02, 0.08)


class Supercell(NamedTuple):
    """A lattice, and its repeats M along the cell vectors; see `site_assignment`."""

    lattice: Lattice
    repeats: Ints

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return abs(round(float(np.linalg.det(self.repeats))))


def on_supercell(atoms: Atoms, supercell: Supercell) -> Assignment:
    """Sites of the atoms in a supercell that is known.

    Raises
    ------
    ValueError
        If there are too many or too few atoms, the cell is strained too far, or the atoms have
        not a site each.
    """
    n_sites = supercell.n_sites
    if not 0 <= n_sites - len(atoms) <= MOST_VACANT * n_sites:
        raise ValueError(f"{len(atoms)} atoms do not fit {n_sites} sites")
    half = half_vectors(atoms.cell.array, supercell.lattice, supercell.repeats)
    if strain_ratio(half) > MOST_STRAINED:
        raise ValueError(f"not {supercell.lattice.name}: the cell is strained too far")
    return assign_sites(atoms.positions, atoms.cell.array, supercell.lattice, supercell.repeats)


def find_block(
    atoms: Atoms, names: tuple[str, ...] = tuple(SITE_LATTICES)
) -> tuple[Supercell, Assignment] | None:
    """The block of conventional cells that gives each atom its site, or None."""
    return _first_that_fits(atoms, _block, names)


def find_supercell(atoms: Atoms, names: tuple[str, ...]) -> tuple[Supercell, Assignment] | None:
    """The supercell, of any shape and of one of some lattices, that does so, or None."""
    return _first_that_fits(atoms, _turned, names)


def find_again(atoms: Atoms, supercell: Supercell) -> tuple[Supercell, Assignment]:
    """The supercell of another frame: the same, or one of its lattice if the box was flipped.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not atoms.pbc.all():
        raise ValueError("an axis is open")
    try:
        return supercell, on_supercell(atoms, supercell)
    except ValueError:
        names = (supercell.lattice.name,)
        found = find_block(atoms, names) or find_supercell(atoms, names)
        if found is None:
            raise
        return found


def _first_that_fits(
    atoms: Atoms,
    propose: Callable[[Atoms, Array, Lattice], Iterator[Supercell]],
    names: tuple[str, ...],
) -> tuple[Supercell, Assignment] | None:
    if not atoms.pbc.all() or atoms.cell.rank < 3:
        return None
    some = some_atoms(len(atoms))
    scaled = atoms.cell.scaled_positions(atoms.positions[some])
    for name in names:
        for supercell in propose(atoms, scaled, LATTICES[name]):
            try:
                return supercell, on_supercell(atoms, supercell)
            except ValueError:
                continue
    return None


def _block(atoms: Atoms, scaled: Array, lattice: Lattice) -> Iterator[Supercell]:
    """A block of conventional cells, where its Bragg peaks are seen."""
    try:
        repeats = block_repeats(SiteGrid(lattice, block_size(atoms, lattice)))
    except ValueError:
        return
    if sharpest_repeats(scaled, repeats.astype(float), 0.0) is not None:
        yield Supercell(lattice, repeats)


def _turned(atoms: Atoms, scaled: Array, lattice: Lattice) -> Iterator[Supercell]:
    """Supercells of any shape, along cubic axes found from neighbours."""
    try:
        half = _mean_half_vectors(atoms, lattice)
    except np.linalg.LinAlgError:
        return
    guess = atoms.cell.array @ np.linalg.inv(half) @ np.linalg.inv(lattice.primitive)
    for slack in SLACKS:
        repeats = sharpest_repeats(scaled, guess, slack)
        if repeats is not None:
            yield Supercell(lattice, repeats)


def _mean_half_vectors(atoms: Atoms, lattice: Lattice) -> Array:
    """Half lattice vectors, rows, in A, fitted to neighbours; with the volume of an atom each."""
    first = lattice.shells(1)[0]
    bonds = _nearest_bonds(atoms, len(first))
    length_A = np.linalg.norm(bonds, axis=1).mean() / np.linalg.norm(first[0])
    half = length_A * _cubic_axes(bonds, outward=lattice.name == "cubic")
    ideal = np.concatenate(lattice.shells(2)).astype(float)
    for _ in range(4):
        places = ideal @ half
        nearest = ideal[np.argmin((places**2).sum(axis=1) - 2 * bonds @ places.T, axis=1)]
        half = np.linalg.solve(nearest.T @ nearest, nearest.T @ bonds)
    volume_A3 = atoms.cell.volume / len(atoms) / abs(np.linalg.det(lattice.primitive))
    scaled: Array = half * (volume_A3 / abs(np.linalg.det(half))) ** (1 / 3)
    return scaled


def _nearest_bonds(atoms: Atoms, n_nearest: int) -> Array:
    """Vectors from some atoms to their nearest neighbours, shape (n, 3)."""
    cells = cells_of(atoms)
    centres = coerce_rng(0).permutation(len(atoms))[:ORIENTING_CENTRES]
    reach_A = (atoms.cell.volume / len(atoms)) ** (1 / 3)
    while True:
        reach_A *= 1.25
        owner, _, vector, distance_A = neighbours(cells, centres, reach_A)
        if np.bincount(owner, minlength=len(centres)).min() >= n_nearest:
            break
    order = np.lexsort((distance_A, owner))
    rank = np.arange(len(order)) - np.searchsorted(owner[order], owner[order])
    return vector[order[rank < n_nearest]]


def _cubic_axes(bonds: Array, outward: bool) -> Array:
    """Cubic axes as rows: the mean of (b.e)^4 over bonds b is largest, or least, along them.

    Largest for bonds along the axes themselves (outward), least for <111> and <110>.
    """
    directions = bonds / np.linalg.norm(bonds, axis=1, keepdims=True)
    squares = (directions[:, :, None] * directions[:, None, :]).reshape(-1, 9)
    moments = (squares.T @ squares) * (1 if outward else -1)

    def along(e: Array) -> Array:
        square = (e[:, :, None] * e[:, None, :]).reshape(-1, 9)
        values: Array = np.einsum("ni,ni->n", square @ moments, square)
        return values

    n = np.arange(400) + 0.5
    z, turn = 1 - n / 400, np.pi * (1 + 5**0.5) * n
    flat = np.sqrt(1 - z**2)
    sphere = np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)
    first = sphere[np.argmax(along(sphere))]
    across = np.linalg.svd(first[None])[2][1:]
    angle = np.linspace(0, np.pi / 2, 90, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ across
    second = circle[np.argmax(along(circle))]
    return np.stack([first, second, np.cross(first, second)])
