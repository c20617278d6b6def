"""Crystals: species on the sites of a lattice, from `ase.Atoms` and back.

A vacancy is the symbol ``X``, and always the last species.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import ArrayLike, NDArray

from .arrays import Array
from .lattice import BCC, VACANCY, Lattice, SiteGrid
from .site_assignment import assign_sites, some_atoms

SNAP_TOLERANCE_A = 0.3
HOT_TOLERANCE = 4.0
MOST_VACANT = 0.2


def as_atoms(structure: Any) -> Atoms:
    """`ase.Atoms` of an `Atoms` or of a pymatgen `Structure` (dummy species become ``X``).

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If sites are shared by several species, or filled in part, and were not decorated.
    """
    if isinstance(structure, Atoms):
        refuse_mixed_sites(structure)
        return structure
    if hasattr(structure, "lattice") and hasattr(structure, "frac_coords"):
        if not getattr(structure, "is_ordered", True):
            mixed = next(site.species for site in structure if not site.is_ordered)
            raise ValueError(_mixed({str(name): share for name, share in mixed.items()}))
        labels = [getattr(site.specie, "symbol", str(site.specie)) for site in structure]
        symbols = [
            VACANCY if name.startswith(VACANCY) and name != "Xe" else name for name in labels
        ]
        return Atoms(
            symbols,
            scaled_positions=structure.frac_coords,
            cell=structure.lattice.matrix,
            pbc=getattr(structure.lattice, "pbc", True),
        )
    raise TypeError(f"expected ase.Atoms or a pymatgen Structure, not {type(structure).__name__}")


def refuse_mixed_sites(atoms: Atoms) -> None:
    """Raise ValueError for mixed sites that hold their main species, as ASE reads them.

    ASE gives every such site its main species and keeps the shares in ``info["occupancy"]``, by
    kind of site; sites of a kind that hold different species were resolved since.
    """
    occupancy = atoms.info.get("occupancy")
    if not isinstance(occupancy, dict):
        return
    symbols = np.array(atoms.get_chemical_symbols())
    kinds = atoms.arrays.get("spacegroup_kinds")
    for kind, shares in occupancy.items():
        if not isinstance(shares, dict) or (len(shares) == 1 and sum(shares.values()) > 0.999):
            continue
        here = np.isin(symbols, list(shares)) if kinds is None else kinds.astype(str) == str(kind)
        if len(set(symbols[here])) == 1:
            raise ValueError(_mixed(shares))


def _mixed(shares: dict[str, float]) -> str:
    formula = " ".join(f"{name} {share:g}" for name, share in shares.items())
    return (
        f"mixed site ({formula}): give every site one species, in a supercell with that "
        "composition (such as by macro-ase build), and delete atoms.info['occupancy']"
    )


@dataclass(frozen=True)
class Crystal:
    """A crystal on sites, and what it takes to give back the very same `Atoms`.

    Attributes
    ----------
    grid : SiteGrid
    species : tuple of str
        Symbol of each species code; the last is ``X``, the vacancy.
    occupation : int8 array, shape (n_sites,)
        Species code of each site.
    template : ase.Atoms
        The atoms it was made from; sites without an atom were appended as ``X``.
    site_of_atom : int array, shape (n_atoms,)
        Site of each atom of the template.
    """

    grid: SiteGrid
    species: tuple[str, ...]
    occupation: NDArray[np.int8]
    template: Atoms = field(repr=False)
    site_of_atom: NDArray[np.int64] = field(repr=False)

    @property
    def vacancy_code(self) -> int:
        """Species code of a vacancy."""
        return len(self.species) - 1

    @property
    def vacancies(self) -> NDArray[np.int64]:
        """Site numbers of the vacancies, ascending."""
        return np.flatnonzero(self.occupation == self.vacancy_code)

    @property
    def lattice_constant_A(self) -> float:
        """Mean cubic lattice constant, in A."""
        return float((self.template.cell.volume / np.prod(self.grid.size)) ** (1 / 3))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of sites of each species, shape (n_species,)."""
        return np.bincount(self.occupation, minlength=len(self.species))

    def with_occupation(self, occupation: ArrayLike) -> Crystal:
        """The same crystal with other species on its sites."""
        new = np.ascontiguousarray(occupation, dtype=np.int8)
        if new.shape != self.occupation.shape:
            raise ValueError(f"occupation has shape {new.shape}, not {self.occupation.shape}")
        return Crystal(self.grid, self.species, new, self.template, self.site_of_atom)

    def to_atoms(self) -> Atoms:
        """`Atoms` with the template's cell, positions and order of sites, and these species."""
        atoms: Atoms = self.template.copy()
        atoms.numbers = _numbers_of(self.species)[self.occupation[self.site_of_atom]]
        return atoms

    @classmethod
    def from_atoms(
        cls,
        structure: Any,
        species: tuple[str, ...] | None = None,
        lattice: Lattice = BCC,
        tolerance_A: float | None = None,
    ) -> Crystal:
        """Put atoms on the sites of a lattice.

        Parameters
        ----------
        structure : ase.Atoms or pymatgen Structure
            A supercell of conventional cells, in any orientation, periodic along all its axes.
        species : tuple of str, optional
            Symbols by code, without ``X``; default: those present, sorted.
        lattice : Lattice
        tolerance_A : float, optional
            Largest distance of an atom from its site; default: `SNAP_TOLERANCE_A`, or in a hot
            crystal `HOT_TOLERANCE` root mean square displacements where that is more.

        Raises
        ------
        ValueError
            If an axis is open, the cell is not a block of conventional cells, an atom is off its
            site by more than the tolerance, two share a site, or a species is not in ``species``.
        """
        atoms = as_atoms(structure).copy()
        grid = SiteGrid(lattice, block_size(atoms, lattice))
        _refuse_open_axes(atoms)
        sites = grid.index(_coordinates(atoms, grid, tolerance_A))
        empty = np.setdiff1d(np.arange(grid.n_sites), sites)
        if len(empty):
            atoms, sites = _append_vacancies(atoms, grid, sites, empty)
        numbers, kind = np.unique(atoms.numbers, return_inverse=True)
        symbols = [chemical_symbols[number] for number in numbers]
        present = sorted(set(symbols) - {VACANCY})
        names = tuple(present) if species is None else tuple(species)
        unknown = sorted(set(present) - set(names))
        if unknown:
            raise ValueError(f"species {', '.join(unknown)} not among {', '.join(names)}")
        codes = {name: code for code, name in enumerate((*names, VACANCY))}
        occupation = np.empty(grid.n_sites, dtype=np.int8)
        occupation[sites] = np.array([codes[symbol] for symbol in symbols])[kind]
        return cls(grid, (*names, VACANCY), occupation, atoms, sites)

    @classmethod
    def from_sites(
        cls,
        grid: SiteGrid,
        species: tuple[str, ...],
        occupation: ArrayLike,
        lattice_constant_A: float,
    ) -> Crystal:
        """A perfect crystal from species codes; ``species`` without ``X``."""
        if lattice_constant_A <= 0:
            raise ValueError(f"lattice constant must be positive, not {lattice_constant_A}")
        names, codes = (*species, VACANCY), np.ascontiguousarray(occupation, dtype=np.int8)
        atoms = Atoms(
            numbers=_numbers_of(names)[codes],
            positions=grid.coordinates * (lattice_constant_A / 2),
            cell=np.array(grid.size) * lattice_constant_A,
            pbc=True,
        )
        return cls(grid, names, codes, atoms, np.arange(grid.n_sites))


def _numbers_of(species: tuple[str, ...]) -> NDArray[np.int64]:
    """Atomic numbers by species code."""
    return np.array([atomic_numbers[name] for name in species])


def _refuse_open_axes(atoms: Atoms) -> None:
    """Raise ValueError unless the atoms repeat along all three cell vectors."""
    if not atoms.pbc.all():
        axes = ", ".join("abc"[k] for k in np.flatnonzero(~atoms.pbc))
        raise ValueError(
            f"the crystal is open along {axes} (pbc), where sites have neighbours missing: only "
            "crystals that repeat are treated; set atoms.pbc = True if this is a block of one"
        )


def block_repeats(grid: SiteGrid) -> NDArray[np.int64]:
    """A block's cell vectors in primitive vectors, shape (3, 3)."""
    return np.rint(2 * np.diag(grid.size) @ np.linalg.inv(grid.lattice.primitive)).astype(np.int64)


def block_size(atoms: Atoms, lattice: Lattice) -> tuple[int, int, int]:
    """Conventional cells along each cell vector, from the volume per atom and the planes seen."""
    kind = f"not a block of conventional {lattice.name} cells"
    if len(atoms) == 0 or atoms.cell.rank < 3:
        raise ValueError(f"{kind}: it needs atoms and three cell vectors")
    lengths, angles = atoms.cell.lengths(), atoms.cell.angles()
    if np.any(np.abs(angles - 90) > 3):
        raise ValueError(
            f"{kind}: its cell angles are {np.round(angles, 1)}, not 90 degrees; "
            "ase.build.make_supercell turns a primitive cell into a conventional one"
        )
    some = some_atoms(len(atoms))
    scaled = atoms.cell.scaled_positions(atoms.positions[some])
    rough = lengths / (atoms.cell.volume * lattice.n_basis / len(atoms)) ** (1 / 3)
    size = [_cells_along(scaled[:, k], rough[k], lattice) for k in range(3)]
    spacings = lengths / size
    n_sites = int(np.prod(size)) * lattice.n_basis
    uneven = spacings.max() / spacings.min() > 1.12
    if uneven or not 0 <= n_sites - len(atoms) <= MOST_VACANT * n_sites:
        raise ValueError(f"{kind}: {len(atoms)} atoms in a cell of {np.round(lengths, 2)} A")
    return (size[0], size[1], size[2])


def _cells_along(scaled: Array, rough: float, lattice: Lattice) -> int:
    """The number of cells, near one that takes no site for vacant, whose planes are sharpest."""
    least = max(1, round(rough))
    numbers = np.arange(least, max(least, int(rough * (1 - MOST_VACANT) ** (-1 / 3))) + 1)
    planes = numbers if lattice.n_basis == 1 else 2 * numbers
    height = np.abs(np.exp(2j * np.pi * scaled[:, None] * planes).mean(axis=0))
    return int(numbers[np.argmax(height - 0.01 * (numbers - least))])


def _coordinates(atoms: Atoms, grid: SiteGrid, tolerance_A: float | None) -> NDArray[np.int64]:
    """Site of every atom, shape (n_atoms, 3), units of a/2."""
    found = assign_sites(atoms.positions, atoms.cell.array, grid.lattice, block_repeats(grid))
    limit_A = tolerance_A or max(SNAP_TOLERANCE_A, HOT_TOLERANCE * found.rms_A)
    worst = int(found.off_A.argmax())
    if found.off_A[worst] > limit_A:
        raise ValueError(
            f"atom {worst} ({atoms.symbols[worst]}) is {found.off_A[worst]:.2f} A from the nearest "
            f"{grid.lattice.name} site; at most {limit_A:.2g} A is snapped"
        )
    return found.coordinates


def _append_vacancies(
    atoms: Atoms, grid: SiteGrid, sites: NDArray[np.int64], empty: NDArray[np.int64]
) -> tuple[Atoms, NDArray[np.int64]]:
    """Mark sites without an atom as ``X``, at the end of the list."""
    scale = 1 / (2 * np.array(grid.size))
    wrapped = atoms.get_scaled_positions(wrap=False) - grid.coordinates[sites] * scale
    origin = np.angle(np.exp(2j * np.pi * wrapped).mean(axis=0)) / (2 * np.pi)
    holes = Atoms(
        [VACANCY] * len(empty),
        scaled_positions=grid.coordinates[empty] * scale + origin,
        cell=atoms.cell,
        pbc=atoms.pbc,
    )
    return atoms + holes, np.concatenate([sites, empty])
