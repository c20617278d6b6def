"""Forces on a few atoms, at a cost that does not depend on how many there are.

    f_i = F(atoms within the reach R of atom i),   i in I

`Bins` sorts the atoms of a configuration into cells once, in time O(n). After that a cluster of
atoms is chosen, and the neighbourhood that its forces depend on is cut out, by looking at the cells
around it alone. The forces come from a compiled Lennard-Jones kernel, or from any ASE calculator on
the cut-out.

For sums over all atoms to be estimated from a few, every atom must be chosen equally often. A
sphere of fixed radius around a uniform centre holds each atom with the same probability p, but not
always as many; of the blocks of a partition into equal numbers, one drawn uniformly does both, at a
cost of O(n) (`choose_block`). The k atoms nearest to a uniform centre do neither: where atoms are
sparse they are chosen more often (`choose_cluster` takes the nearest k, or the sphere).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ...arrays import Array
from ...kinetics.cell_list import Cells, atoms_around, lennard_jones_forces, sort_into_cells
from ...patches import MARGIN_A, heights
from ...rng import Seed, coerce_rng
from .receptive_field import reach

Indices = NDArray[np.int64]
PartialForce = Callable[["Bins", Indices], Array]
NEAREST_ROOM = 1.3


class Bins:
    """A configuration whose atoms are sorted into cells.

    Parameters
    ----------
    atoms : ase.Atoms
        Cells of any shape and periodicity.
    width_A : float
        Least distance between opposite faces of a cell; best near the cutoff of the forces.

    Attributes
    ----------
    atoms : ase.Atoms
    cells : Cells

    Raises
    ------
    ValueError
        If the width is not positive, or a position is not finite.
    """

    def __init__(self, atoms: Atoms, width_A: float) -> None:
        if not width_A > 0:
            raise ValueError(f"width_A must be above 0 A, not {width_A}")
        if not np.isfinite(atoms.positions).all():
            raise ValueError("positions of atoms are not finite")
        self.atoms, self._low = atoms, np.zeros(3)
        box = atoms.cell.complete().array.copy()
        periodic = np.asarray(atoms.pbc, dtype=bool)
        if not periodic.all():
            box, self._low = _enclosing(atoms, box, periodic)
        inverse = np.linalg.inv(box)
        height = 1 / np.linalg.norm(inverse, axis=0)
        shape = np.maximum(1, np.floor(height / width_A)).astype(np.int64)
        placed = np.ascontiguousarray(atoms.positions - self._low)
        sorted_atoms = sort_into_cells(placed, shape, periodic, box, inverse)
        self.cells = Cells(shape, height / shape, periodic, box, inverse, *sorted_atoms)

    def around(self, points: ArrayLike, distance_A: float) -> tuple[Indices, Array]:
        """Atoms and images of atoms within a distance of any of some points.

        Parameters
        ----------
        points : array, shape (k, 3)
        distance_A : float

        Returns
        -------
        index : int array, shape (m,)
        places : array, shape (m, 3)
        """
        places = np.ascontiguousarray(np.atleast_2d(points) - self._low)
        index, found = atoms_around(self.cells, places, float(distance_A))
        return index, found + self._low

    def places(self, index: ArrayLike) -> Array:
        """Positions of atoms, wrapped into the box, shape (k, 3)."""
        return np.asarray(self.cells.places[self.cells.row[np.asarray(index)]] + self._low)


def _enclosing(atoms: Atoms, box: Array, periodic: NDArray[np.bool_]) -> tuple[Array, Array]:
    """A box that spans the atoms along open axes, and its corner."""
    fractional, room = atoms.positions @ np.linalg.inv(box), MARGIN_A / heights(atoms)
    low = np.where(periodic, 0.0, fractional.min(axis=0) - room)
    length = np.where(periodic, 1.0, np.ptp(fractional, axis=0) + 2 * room)
    return length[:, None] * box, np.asarray(low @ box)


def choose_cluster(bins: Bins, n_atoms: float, rng: Seed = None, exact: bool = True) -> Indices:
    """A compact cluster around a uniform point of the cell.

    Parameters
    ----------
    bins : Bins
        Periodic along all axes.
    n_atoms : float
    rng : seed
    exact : bool
        The ``n_atoms`` atoms nearest to the point. Else those within the radius of a sphere that
        holds ``n_atoms`` on average: then p = ``n_atoms`` / n for every atom, exactly.

    Returns
    -------
    int array
        The nearest first.

    Raises
    ------
    ValueError
        If a cell is open along an axis, or has fewer atoms than the cluster, or no room for it.
    """
    n = len(bins.atoms)
    if not bins.cells.periodic.all():
        raise ValueError("a uniform centre needs a cell that is periodic along all axes")
    if not 0 < n_atoms <= n:
        raise ValueError(f"a cluster has from 1 to {n} atoms, not {n_atoms:g}")
    point = coerce_rng(rng).random(3) @ bins.cells.box
    radius = (3 * n_atoms * bins.atoms.cell.volume / (4 * math.pi * n)) ** (1 / 3)
    if not exact:
        return _nearest(bins, point, radius)
    within = NEAREST_ROOM * radius
    while True:
        index = _nearest(bins, point, within)
        if len(index) >= n_atoms:
            return index[: int(n_atoms)]
        within *= NEAREST_ROOM


def choose_block(atoms: Atoms, n_atoms: int, rng: Seed = None) -> Indices:
    """One of the blocks into which a cell is cut, each of as many atoms; O(n).

    The cell is halved again and again along its longest edge, from a uniform origin on, into parts
    whose numbers of atoms are multiples of ``n_atoms``. Every atom is chosen with the same
    probability. If ``n_atoms`` does not divide n, blocks differ by some atoms.

    Parameters
    ----------
    atoms : ase.Atoms
        Periodic along all axes.
    n_atoms : int
    rng : seed

    Returns
    -------
    int array
        Ascending.

    Raises
    ------
    ValueError
        If the cell is open along an axis, or has fewer atoms than a block.
    """
    n, generator = len(atoms), coerce_rng(rng)
    if not np.all(atoms.pbc):
        raise ValueError("a uniform origin needs a cell that is periodic along all axes")
    if not 1 <= n_atoms <= n:
        raise ValueError(f"a block has from 1 to {n} atoms, not {n_atoms}")
    blocks = round(n / n_atoms)
    bounds = np.round(np.linspace(0, n, blocks + 1)).astype(np.int64)
    low, high, wanted = 0, blocks, int(generator.integers(blocks))
    fractional = atoms.positions @ np.linalg.inv(atoms.cell.array)
    place = (fractional - generator.random(3)) % 1.0
    index, edges = np.arange(n), np.linalg.norm(atoms.cell.array, axis=1)
    while high - low > 1:
        middle, axis = (low + high) // 2, int(np.argmax(edges))
        cut = int(bounds[middle] - bounds[low])
        order = np.argpartition(place[:, axis], cut)
        left = wanted < middle
        kept = order[:cut] if left else order[cut:]
        share = (middle - low) / (high - low)
        edges[axis] *= share if left else 1 - share
        low, high = (low, middle) if left else (middle, high)
        index, place = index[kept], place[kept]
    return np.sort(index)


def _nearest(bins: Bins, point: Array, radius: float) -> Indices:
    """Atoms within a radius of a point, the nearest first."""
    if 2 * radius > heights(bins.atoms).min():
        raise ValueError(f"a cluster of radius {radius:.3g} A overlaps its own image in this cell")
    index, places = bins.around(point, radius)
    distance = np.linalg.norm(places - point, axis=1)
    return np.asarray(index[np.argsort(distance, kind="stable")])


@dataclass(frozen=True)
class LennardJonesForce:
    """Forces of one Lennard-Jones pair potential, cut at a distance; call it with bins and atoms.

    Parameters
    ----------
    epsilon, sigma : float
    cutoff_A : float
    """

    epsilon: float = 1.0
    sigma: float = 1.0
    cutoff_A: float = 2.5

    def __call__(self, bins: Bins, index: ArrayLike) -> Array:
        """Forces on some atoms, shape (k, 3)."""
        chosen = np.asarray(index, dtype=np.int64)
        return lennard_jones_forces(bins.cells, chosen, self.epsilon, self.sigma, self.cutoff_A)


class CalculatorForce:
    """Forces by any ASE calculator on a cut-out; call it with bins and atoms.

    Parameters
    ----------
    calculator : ase Calculator
    halo_A : float, optional
        How far forces depend on other atoms; default: `receptive_field.reach` of the calculator.

    Raises
    ------
    ValueError
        If the halo is not positive, or neither given nor known.
    """

    def __init__(self, calculator: Any, halo_A: float | None = None) -> None:
        if halo_A is not None and not halo_A > 0:
            raise ValueError(f"halo_A must be above 0 A, not {halo_A:g}")
        self.calculator = calculator
        self.halo_A = reach(calculator) if halo_A is None else float(halo_A)
        self._warned = False

    def __call__(self, bins: Bins, index: ArrayLike) -> Array:
        """Forces on some atoms, eV/A, shape (k, 3).

        The first call with a halo shorter than the reach warns with the error that it makes.
        """
        if not self._warned:
            self._warned = True
            self._warn_of_error(bins, np.asarray(index))
        return self._forces(bins, np.asarray(index), self.halo_A)

    def _forces(self, bins: Bins, index: Indices, halo_A: float) -> Array:
        cluster = cut_out_cluster(bins, index, halo_A)
        return np.asarray(self.calculator.get_forces(cluster)[: len(index)])

    def _warn_of_error(self, bins: Bins, index: Indices) -> None:
        try:
            needed = reach(self.calculator)
        except ValueError:
            return
        if self.halo_A < needed:
            difference = self._forces(bins, index, self.halo_A) - self._forces(bins, index, needed)
            warnings.warn(
                f"halo_A = {self.halo_A:g} A is shorter than the {needed:g} A that forces reach: "
                f"they are off by up to {np.abs(difference).max():.2g} eV/A",
                stacklevel=3,
            )


def cut_out_cluster(bins: Bins, index: Indices, halo_A: float) -> Atoms:
    """The chosen atoms, first and in their order, with all that is within a halo of one of them.

    The cut-out is open: images of atoms stand in it as atoms of their own. Vacancies ``X`` are
    left out.
    """
    places = bins.places(index)
    near, near_places = bins.around(places, halo_A)
    own = np.zeros(len(near), dtype=bool)
    sorted_index = np.argsort(index)
    at = np.minimum(np.searchsorted(index, near, sorter=sorted_index), len(index) - 1)
    which = sorted_index[at]
    same = index[which] == near
    own[same] = np.all(near_places[same] == places[which[same]], axis=1)
    real = ~own & (bins.atoms.numbers[near] != 0)
    numbers = np.concatenate([bins.atoms.numbers[index], bins.atoms.numbers[near[real]]])
    cluster = Atoms(numbers, np.concatenate([places, near_places[real]]))
    cluster.set_cell(np.ptp(cluster.positions, axis=0) + 2 * MARGIN_A)
    cluster.positions += MARGIN_A - cluster.positions.min(axis=0)
    return cluster
