"""Who neighbours whom in a crystal that comes as atoms, shell by shell.

On the sites of the crystal where there are sites, by distance elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..counts import require_count
from ..crystal import as_atoms
from ..site_assignment import Assignment, half_vectors, hermite_form, site_index
from .recognition import cells_of, cutoffs_at_gaps, ideal_shells, lattice_by_distances, neighbours
from .shell_kernels import bonds_on_sites, sites_around
from .supercells import SITE_LATTICES, Supercell, find_again, find_block, find_supercell

Ints = NDArray[np.int64]

SYMBOLS = np.array(chemical_symbols)
MOST_SHELLS = 100
AT_A_TIME = 4_000
MAYBE: dict[str | None, tuple[str, ...]] = {
    "bcc": ("bcc", "fcc", "cubic"),
    "fcc": ("fcc", "bcc", "cubic"),
    "hcp": ("fcc",),  # an fcc crystal that lacks atoms can look so
    "diamond": (),
}


@dataclass(frozen=True)
class NeighborShells:
    """Who neighbours whom in a structure, shell by shell.

    Attributes
    ----------
    symbols : str array, shape (n_sites,)
        Symbol of each site: the atoms in their order, then the vacancies found.
    lattice : str or None
        ``"sc"``, ``"bcc"``, ``"fcc"``, ``"hcp"`` or ``"diamond"``, where recognised.
    radii_A : array, shape (n_shells,)
        Mean distance in each shell, in A.
    cutoffs_A : array, shape (n_shells,), or None
        Outer radius of each shell, in A; None if the atoms were assigned to lattice sites.
    pairs : tuple of int arrays, shape (2, n_pairs)
        Each shell's ordered pairs of sites; a pair occurs once per periodic image.
    """

    symbols: NDArray[np.str_]
    lattice: str | None
    radii_A: Array
    cutoffs_A: Array | None
    pairs: tuple[Ints, ...]


def neighbor_shells(
    structure: Any, n_shells: int = 2, cutoffs_A: ArrayLike | None = None
) -> NeighborShells:
    """Neighbour shells of a crystal: perfect, relaxed or moving, periodic or not.

    The atoms of a periodic sc, bcc or fcc crystal are assigned to its sites, in any supercell,
    which stays right when thermal motion mixes two shells. Other lattices are recognised by the
    curve r(x), the distance within which an atom has x neighbours in the mean; then a shell
    ends midway between two ideal radii, elsewhere at a gap of the curve.

    Parameters
    ----------
    structure : ase.Atoms or pymatgen Structure
        ``X`` marks a vacancy; where there are sites, those without an atom are found too.
    n_shells : int
    cutoffs_A : array, shape (n_shells,), optional
        Outer radius of each shell, in A, ascending; then nothing is recognised or assigned,
        and ``n_shells`` is not used.

    Raises
    ------
    ValueError
        If atoms coincide, the cutoffs do not ascend, or no such shells can be told apart.
    """
    shells = find_shells(structure, n_shells, cutoffs_A)
    everyone = np.arange(len(shells.numbers))
    first, second, shell, distance_A = shells.pairs(everyone)
    members = [np.flatnonzero(shell == k) for k in range(shells.n_shells)]
    return NeighborShells(
        symbols=SYMBOLS[shells.numbers],
        lattice=shells.lattice,
        radii_A=np.array([distance_A[m].mean() if len(m) else np.nan for m in members]),
        cutoffs_A=shells.cutoffs_A,
        pairs=tuple(np.stack([first[m], second[m]]) for m in members),
    )


class Pairs(NamedTuple):
    """Neighbours of some centres, arrays of shape (n_pairs,): by number of the centre, from 0."""

    centre: Ints
    other: Ints
    shell: Ints
    distance_A: Array


class Counts(NamedTuple):
    """What is counted around some centres.

    Attributes
    ----------
    bonds : int array, shape (n_shells, S, S)
        N[A, B]: neighbours B of the centres A.
    radii_A : array, shape (n_shells,)
        Mean distance in each shell.
    around : int array, shape (n_centres, n_shells, S), or None
    """

    bonds: Ints
    radii_A: Array
    around: Ints | None


class SiteShells:
    """Shells on the sites of a supercell.

    Attributes
    ----------
    numbers : int array, shape (n_sites,)
        Atomic numbers: the atoms in their order, then 0 for each site without one.
    """

    cutoffs_A = None

    def __init__(
        self, atoms: Atoms, supercell: Supercell, assignment: Assignment, n_shells: int
    ) -> None:
        lattice, n_sites = supercell.lattice, supercell.n_sites
        site = site_index(assignment.coordinates, lattice, supercell.repeats)
        empty = np.ones(n_sites, dtype=bool)
        empty[site] = False
        self.supercell, self.n_shells, self.n_atoms = supercell, n_shells, len(atoms)
        self.off_A, self.n_holes = assignment.rms_A, n_sites - len(atoms)
        self.site = np.concatenate([site, np.flatnonzero(empty)])
        self.numbers = np.concatenate([atoms.numbers, np.zeros(self.n_holes, dtype=int)])
        self.lattice: str | None = SITE_LATTICES[lattice.name]
        self._hermite = hermite_form(supercell.repeats)
        vectors, inverse = lattice.shells(n_shells), np.linalg.inv(lattice.primitive)
        self._steps = [np.rint(v @ inverse).astype(np.int64) for v in vectors]
        half = half_vectors(atoms.cell.array, lattice, supercell.repeats)
        self._radii_A = np.array([np.linalg.norm(v @ half, axis=1).mean() for v in vectors])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed."""
        if not self.n_holes:
            return ()
        some = f"{self.n_holes} of {len(self.site)} sites hold no atom"
        return (f"{some}: taken for vacancies (X)",)

    def again(self, atoms: Atoms) -> SiteShells:
        """The same shells of another frame."""
        return SiteShells(atoms, *find_again(atoms, self.supercell), self.n_shells)

    def pairs(self, centres: Ints) -> Pairs:
        """All neighbours of some sites, in every shell."""
        at = np.empty_like(self.site)
        at[self.site] = np.arange(len(at))
        steps = np.concatenate(self._steps)
        other = at[sites_around(self.site[centres], self._hermite, steps)]
        of_step = np.repeat(np.arange(self.n_shells), [len(s) for s in self._steps])
        shell = np.tile(of_step, len(centres))
        centre = np.repeat(np.arange(len(centres)), len(steps))
        return Pairs(centre, other.ravel(), shell, self._radii_A[shell])

    def count_all(self, codes: NDArray[np.int8], n_species: int) -> Counts:
        """Of every site, without a list of pairs."""
        by_site = np.empty_like(codes)
        by_site[self.site] = codes
        bonds = np.zeros((self.n_shells, n_species, n_species), dtype=np.int64)
        for steps, shell_bonds in zip(self._steps, bonds, strict=True):
            bonds_on_sites(by_site, self._hermite, steps, shell_bonds)
        return Counts(bonds, self._radii_A, None)


class DistanceShells:
    """Shells between given radii; each atom has the neighbours that are there."""

    def __init__(
        self, atoms: Atoms, cutoffs_A: Array, lattice: str | None, scaled: bool = True
    ) -> None:
        self.atoms, self.numbers, self.lattice = atoms, atoms.numbers, lattice
        self.cutoffs_A: Array | None = cutoffs_A
        self.radii_A, self.scaled = cutoffs_A, scaled
        self.n_atoms, self.n_shells = len(atoms), len(cutoffs_A)
        self._cells = cells_of(atoms, cutoffs_A[-1])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed."""
        given = (
            () if self.scaled else ("radii given: neither lattice nor missing atoms are sought",)
        )
        return (*given, *self._surfaces())

    def _surfaces(self) -> tuple[str, ...]:
        pbc = self.atoms.pbc
        if pbc.all():
            return ()
        if not self.atoms.cell.any():
            return ("no cell: a cluster, each atom with the neighbours that are there",)
        axes = " and ".join(axis for axis, closed in zip("abc", pbc, strict=True) if not closed)
        return (f"open along {axes}: each atom with the neighbours that are there",)

    def again(self, atoms: Atoms) -> DistanceShells:
        """The same shells of another frame; radii that were found follow a periodic volume."""
        if not np.array_equal(atoms.pbc, self.atoms.pbc):
            raise ValueError("other axes are periodic")
        follow = self.scaled and atoms.pbc.all()
        growth = (atoms.cell.volume / self.atoms.cell.volume) ** (1 / 3) if follow else 1.0
        return DistanceShells(atoms, growth * self.radii_A, self.lattice, self.scaled)

    def pairs(self, centres: Ints) -> Pairs:
        """All neighbours of some atoms, in every shell."""
        owner, other, _, distance_A = neighbours(self._cells, centres, self.radii_A[-1])
        shell = np.searchsorted(self.radii_A[:-1], distance_A)
        return Pairs(owner, other, shell, distance_A)


def find_shells(
    structure: Any, n_shells: int = 2, cutoffs_A: ArrayLike | None = None
) -> SiteShells | DistanceShells:
    """The shells of `neighbor_shells`, neighbours not yet counted."""
    atoms = as_atoms(structure)
    if len(atoms) == 0 or np.any(atoms.pbc & ~atoms.cell.any(axis=1)):
        raise ValueError("neighbours need atoms, and a cell vector along each periodic axis")
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise ValueError("positions or cell vectors of the atoms are not finite")
    if np.linalg.matrix_rank(atoms.cell.array[atoms.pbc]) < atoms.pbc.sum():
        raise ValueError("cell vectors of periodic axes are not independent")
    if cutoffs_A is not None:
        return DistanceShells(atoms, _checked(cutoffs_A), None, scaled=False)
    number = require_count(n_shells, "the number of shells", 1, MOST_SHELLS)
    if (found := find_block(atoms)) is not None:
        return SiteShells(atoms, *found, number)
    lattice, nearest_A = lattice_by_distances(atoms)
    names = MAYBE.get(lattice, tuple(SITE_LATTICES))
    if (found := find_supercell(atoms, names)) is not None:
        return SiteShells(atoms, *found, number)
    if lattice is None:
        return DistanceShells(atoms, cutoffs_at_gaps(atoms, number), None)
    radii = ideal_shells(lattice, number + 1)[0] * nearest_A
    return DistanceShells(atoms, (radii[1:] + radii[:-1]) / 2, lattice)


def _checked(cutoffs_A: ArrayLike) -> Array:
    radii = np.atleast_1d(np.asarray(cutoffs_A, dtype=float))
    ascending = radii.ndim == 1 and len(radii) > 0 and np.all(np.diff(radii, prepend=0.0) > 0)
    if not ascending or not np.isfinite(radii).all():
        raise ValueError(f"cutoffs_A must be positive and ascending, in A, not {radii.tolist()}")
    return radii


def count_around(
    shells: SiteShells | DistanceShells,
    codes: NDArray[np.int8],
    n_species: int,
    centres: Ints,
    per_atom: bool,
) -> Counts:
    """Neighbours of some sites by shell and species, some thousand centres at a time."""
    size = shells.n_shells, n_species
    bonds = np.zeros((n_species, *size), dtype=np.int64)
    around, number, distance_A = [], np.zeros(size[0]), np.zeros(size[0])
    for start in range(0, len(centres), AT_A_TIME):
        some = centres[start : start + AT_A_TIME]
        centre, other, shell, r_A = shells.pairs(some)
        cell = (centre * size[0] + shell) * size[1] + codes[other]
        block = np.bincount(cell, minlength=len(some) * size[0] * size[1])
        block = block.reshape(len(some), *size)
        np.add.at(bonds, codes[some], block)
        number += np.bincount(shell, minlength=size[0])
        distance_A += np.bincount(shell, weights=r_A, minlength=size[0])
        if per_atom:
            around.append(block)
    radii_A = np.divide(distance_A, number, out=np.full(size[0], np.nan), where=number > 0)
    return Counts(bonds.swapaxes(0, 1), radii_A, np.concatenate(around) if per_atom else None)
