"""Sites of any crystal: a cell with its sites, and how often it is repeated along its vectors.

A crystal without vacancies is a block of cells if the translations by 1 / n of each cell vector put
every atom on another one, whatever their species: an ordered phase has the sites of its parent
lattice. The smallest such cell is taken, with each of its sites at the mean of the atoms that
belong to it; of sc, bcc and fcc crystals in blocks of conventional cells it is that cell, and sites
are exact. Site s = ((ix * Ly + iy) * Lz + iz) * n_basis + b is number b of the cell (ix, iy, iz).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from .arrays import Array
from .crystal import HOT_TOLERANCE, SNAP_TOLERANCE_A, Crystal, as_atoms
from .lattice import LATTICES, VACANCY
from .neighbour_pairs import neighbour_pairs

Ints = NDArray[np.int64]
Vector = tuple[float, float, float]

SAME_SHELL = 0.03
"""Distances that differ by less, in nearest distances, are one shell."""
SAME_SITE = 0.2
"""How far, in nearest distances, a translation may miss an atom; in the mean it misses none."""
ROUNDING = 1e-6


@dataclass(frozen=True)
class SiteCells:
    """A periodic block of cells of sites.

    Attributes
    ----------
    name : str
        ``"bcc"``, ``"fcc"`` or ``"cubic"`` of conventional cells, else ``""``.
    cell_A : three vectors
        Edges of one cell.
    basis : tuple of vectors
        Its sites, in multiples of the edges.
    size : (int, int, int)
        Cells along each edge.
    """

    name: str
    cell_A: tuple[Vector, Vector, Vector]
    basis: tuple[Vector, ...]
    size: tuple[int, int, int]

    @property
    def n_basis(self) -> int:
        """Sites of a cell."""
        return len(self.basis)

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return int(np.prod(self.size)) * self.n_basis

    def cell_and_basis(self, sites: Any) -> tuple[Ints, Ints]:
        """Numbers of the cells of sites, shape (..., 3), and which sites of these they are."""
        cell, basis = np.divmod(sites, self.n_basis)
        return np.stack(np.unravel_index(cell, self.size), axis=-1), basis

    def site_of(self, cell: Ints, basis: Any) -> Ints:
        """Sites in cells, shape (..., 3), of any numbers, as the block repeats."""
        first = np.ravel_multi_index(tuple(np.moveaxis(cell, -1, 0)), self.size, mode="wrap")
        sites: Ints = first * self.n_basis + basis
        return sites

    def as_from_first(self, i: int, j: int) -> tuple[Ints, tuple[int, int]]:
        """The cell of site i, and the two sites when all is shifted so that it is the first one."""
        (cell, first), (other, basis) = (divmod(site, self.n_basis) for site in (i, j))
        _, ly, lz = self.size
        x, y, z = cell // (ly * lz), cell // lz % ly, cell % lz
        apart = (
            (other // (ly * lz) - x) % self.size[0],
            (other // lz % ly - y) % ly,
            (other - z) % lz,
        )
        moved = (apart[0] * ly + apart[1]) * lz + apart[2]
        return np.array([x, y, z]), (first, moved * self.n_basis + basis)

    def resized(self, size: tuple[int, int, int]) -> SiteCells:
        """A block of as many cells along each edge."""
        return replace(self, size=size)

    def atoms(self, numbers: Ints | None = None) -> Atoms:
        """A perfect crystal, of some atomic numbers."""
        cells = np.indices(self.size).reshape(3, -1).T
        places = (cells[:, None] + np.array(self.basis)) @ np.array(self.cell_A)
        kinds = np.ones(self.n_sites, dtype=np.int64) if numbers is None else numbers
        edges = np.array(self.size)[:, None] * np.array(self.cell_A)
        return Atoms(numbers=kinds, positions=places.reshape(-1, 3), cell=edges, pbc=True)

    @cached_property
    def _edges_A(self) -> Array:
        """Distances between shells, the first below the nearest; some dozens."""
        one = self.resized((1, 1, 1)).atoms()
        longest = 4 * (one.get_volume() / len(one)) ** (1 / 3)
        distance = np.unique(neighbour_pairs(one, longest).distance_A)
        new = np.flatnonzero(np.diff(distance) > SAME_SHELL * distance[0])
        between = (distance[new] + distance[new + 1]) / 2
        return np.concatenate([[distance[0] / 2], between])

    def between_shells_A(self, n_shells: int) -> float:
        """A distance beyond so many shells, and below the next."""
        return float(self._edges_A[n_shells])

    def shell_of(self, distance_A: Array, n_shells: int) -> Ints:
        """Shell of every distance, from 0; -1 beyond the last of some."""
        found = np.searchsorted(self._edges_A, distance_A) - 1
        return np.where(found < n_shells, found, -1)

    def shells(self, n_shells: int) -> Sequence[Ints]:
        """Neighbours of every site by shell, shape (n_sites, z_k) each; remembered.

        Raises
        ------
        ValueError
            If not all sites have as many neighbours in a shell.
        """
        return _shells(self, n_shells)

    def bonds(self, codes: NDArray[np.int8], n_shells: int, n_species: int) -> Ints:
        """Ordered bond counts of species by shell, shape (n_shells, S, S)."""
        own = n_species * codes.astype(np.int64)
        counts = [
            np.bincount((own[:, None] + codes[table]).ravel(), minlength=n_species**2)
            for table in self.shells(n_shells)
        ]
        return np.array(counts).reshape(n_shells, n_species, n_species)

    @classmethod
    def of(cls, structure: Atoms, vacancies: bool = False) -> tuple[SiteCells, Ints]:
        """The cells of a crystal, and the atomic number on each site, shape (n_sites,).

        Parameters
        ----------
        structure : ase.Atoms or pymatgen Structure
            Perfect, relaxed or hot, in any orientation, periodic along all its axes.
        vacancies : bool
            Whether sites may be vacant, number 0: marked ``X``, or seen as holes in blocks of
            conventional cells.

        Raises
        ------
        ValueError
            If it has vacancies that it may not have, is open, is no block of cells, or an atom is
            off its site.
        """
        atoms = as_atoms(structure)
        if not len(atoms) or atoms.cell.rank < 3 or not atoms.pbc.all():
            raise ValueError("a crystal needs atoms, three cell vectors, and pbc along all of them")
        if not np.isfinite(atoms.positions).all():
            raise ValueError("positions of atoms are not finite")
        found = _conventional(atoms) or _repeated(atoms)
        vacant = int(np.sum(found[1] == 0))
        if vacant and not vacancies:
            raise ValueError(f"{vacant} of {len(found[1])} sites are vacant: fill them with atoms")
        return found


@lru_cache(maxsize=16)
def _shells(cells: SiteCells, n_shells: int) -> Sequence[Ints]:
    i, j, distance, _ = neighbour_pairs(cells.atoms(), cells.between_shells_A(n_shells))
    kind, tables = cells.shell_of(distance, n_shells), []
    for k in range(n_shells):
        own = kind == k
        numbers = np.bincount(i[own], minlength=cells.n_sites)
        if np.ptp(numbers):
            raise ValueError(
                f"sites have {numbers.min()} to {numbers.max()} neighbours in shell {k + 1}: the "
                "order of bonds is that of crystals whose sites have as many each"
            )
        tables.append(j[own].reshape(cells.n_sites, -1))
    return tuple(tables)


def _conventional(atoms: Atoms) -> tuple[SiteCells, Ints] | None:
    """Of a block of conventional cells."""
    for name, lattice in LATTICES.items():
        try:
            crystal = Crystal.from_atoms(atoms, lattice=lattice)
        except ValueError:
            continue
        numbers = [0 if s == VACANCY else chemical_symbols.index(s) for s in crystal.species]
        size = crystal.grid.size
        edges, basis = atoms.cell.array / np.array(size)[:, None], np.array(lattice.basis) / 2
        return _block(name, edges, basis, size), np.array(numbers)[crystal.occupation]
    return None


def _repeated(atoms: Atoms) -> tuple[SiteCells, Ints]:
    """By the translations of the sites."""
    scaled = np.mod(atoms.get_scaled_positions(), 1)
    scaled[scaled >= 1] = 0
    nearest_A = _nearest_A(atoms)
    moves = [_translation(scaled, atoms.cell.array, axis, nearest_A) for axis in range(3)]
    size = np.array([number for number, _ in moves])
    own = _by_cells([to for _, to in moves], size)
    cells = np.indices(tuple(size.tolist())).reshape(3, -1).T
    at = scaled[own] * size - cells[:, None]
    off = at - at[0]
    off -= np.round(off / size) * size
    edges = atoms.cell.array / size[:, None]
    _refuse_off_sites(atoms, own, (off - off.mean(axis=0)) @ edges)
    return _block("", edges, at[0] + off.mean(axis=0), size), atoms.numbers[own].ravel()


def _block(name: str, edges_A: Array, basis: Array, size: Iterable[int]) -> SiteCells:
    first, second, third = (_vector(edge) for edge in edges_A)
    x, y, z = (int(n) for n in size)
    places = tuple(_vector(place) for place in basis)
    return SiteCells(name, (first, second, third), places, (x, y, z))


def _vector(values: Array) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _nearest_A(atoms: Atoms) -> float:
    """Usual distance of an atom from its nearest."""
    longest = 2 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
    i, _, distance, _ = neighbour_pairs(atoms, longest)
    least = np.full(len(atoms), np.inf)
    np.minimum.at(least, i, distance)
    return float(np.median(least))


def _translation(scaled: Array, cell_A: Array, axis: int, nearest_A: float) -> tuple[int, Ints]:
    """The finest division of a cell vector that puts atoms on others, and on which; 1 at worst."""
    n, lengths = len(scaled), np.linalg.norm(cell_A, axis=1)
    tree = cKDTree(scaled * lengths, boxsize=lengths)
    most = int(lengths[axis] / ((1 - SAME_SITE) * nearest_A))
    for number in (k for k in range(most, 1, -1) if n % k == 0):
        moved = scaled.copy()
        moved[:, axis] = np.mod(moved[:, axis] + 1 / number, 1)
        moved[moved >= 1] = 0
        to = tree.query(moved * lengths)[1]
        miss = scaled[to] - moved
        miss -= np.round(miss)
        off_A = np.linalg.norm(miss @ cell_A, axis=1)
        exact = np.abs(miss.mean(axis=0)).max() < ROUNDING
        if exact and off_A.max() < SAME_SITE * nearest_A and len(np.unique(to)) == n:
            return number, np.asarray(to, dtype=np.int64)
    return 1, np.arange(n)


def _by_cells(moves: Sequence[Ints], size: Ints) -> Ints:
    """Atoms by cell and site, shape (n_cells, n_basis), from where translations put each."""
    n = len(moves[0])
    graph = coo_array((np.ones(3 * n), (np.tile(np.arange(n), 3), np.concatenate(moves))), (n, n))
    n_basis, label = connected_components(graph, directed=False)
    if n_basis * np.prod(size) != n or n_basis == n:
        raise ValueError(f"{n} atoms are no block of like cells: the crystal is off its lattice")
    table = np.unique(label, return_index=True)[1]
    for axis in (2, 1, 0):
        rows = [table]
        for _ in range(size[axis] - 1):
            rows.append(moves[axis][rows[-1]])
        table = np.stack(rows)
    return table.reshape(-1, n_basis)


def _refuse_off_sites(atoms: Atoms, own: Ints, off: Array) -> None:
    off_A = np.linalg.norm(off, axis=-1)
    limit_A = max(SNAP_TOLERANCE_A, HOT_TOLERANCE * float(np.sqrt(np.mean(off_A**2))))
    if off_A.max() > limit_A:
        worst = int(own.ravel()[off_A.argmax()])
        raise ValueError(
            f"atom {worst} ({atoms.symbols[worst]}) is {off_A.max():.2f} A from its site; at most "
            f"{limit_A:.2g} A is snapped"
        )
