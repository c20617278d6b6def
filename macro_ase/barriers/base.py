"""The protocol that every barrier model meets."""

from __future__ import annotations

import threading
import warnings
from abc import ABC, abstractmethod
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..crystal import Crystal, as_atoms
from ..kinetics.hop_rates import evaluate_barriers
from ..kinetics.padding import geometry_of, pad, padded_sites
from ..lattice import VACANCY, SiteGrid
from .shipped import said_of

_REMEMBERED = threading.local()
_SAID: WeakKeyDictionary[BarrierModel, set[str]] = WeakKeyDictionary()


class BarrierModel(ABC):
    """Barriers of first-neighbour vacancy hops in a crystal: bcc, unless a model says otherwise.

    A model meets two callers: people, through `hop_barriers`, and the compiled kernel,
    through `tables`.

    Attributes
    ----------
    species : tuple of str
        Symbols by species code, without the vacancy, whose code comes last.
    fit_warnings : tuple of str
        What cannot be trusted in its fit, in sentences; every user of the model is told.
    """

    species: tuple[str, ...]
    fit_warnings: tuple[str, ...] = ()

    @abstractmethod
    def tables(self, grid: SiteGrid) -> NamedTuple:
        """Arrays of a type registered with `kinetics.barrier_tables.register`."""

    def tables_for(self, grid: SiteGrid) -> NamedTuple:
        """`tables`, remembered by model and grid, apart for every thread."""
        by_model = _REMEMBERED.__dict__.setdefault("tables", WeakKeyDictionary())
        by_grid: dict[SiteGrid, NamedTuple] = by_model.setdefault(self, {})
        if grid not in by_grid:
            by_grid[grid] = self.tables(grid)
        return by_grid[grid]

    def crystal(self, structure: Any) -> Crystal:
        """Sites of a structure in this model's species codes.

        Raises
        ------
        ValueError
            If it is not bcc or holds species that the model does not know.
        """
        atoms = as_atoms(structure)
        present = {*atoms.get_chemical_symbols()} - {VACANCY}
        if strange := present - {*self.species}:
            raise ValueError(
                f"species {', '.join(sorted(strange))} not among {', '.join(self.species)}; "
                f"{said_of(present)}"
            )
        return Crystal.from_atoms(atoms, species=self.species)

    @property
    def fit_remarks(self) -> list[str]:
        """The warnings of the fit, said to be such."""
        return [f"barrier fit: {sentence}" for sentence in self.fit_warnings]

    def remarks(self, crystal: Crystal) -> list[str]:
        """What whoever uses the model for a crystal must be told; the warnings of its fit here.

        Raises
        ------
        ValueError
            Where the model knows nothing of the crystal's hops.
        """
        return self.fit_remarks

    def check_use(self, crystal: Crystal) -> None:
        """Warn of all `remarks` on a crystal; raises as they do."""
        for remark in self.remarks(crystal):
            warnings.warn(remark, stacklevel=3)

    def _remark_once(self, crystal: Crystal) -> None:
        said = _SAID.setdefault(self, set())
        for remark in self.remarks(crystal):
            if remark not in said:
                said.add(remark)
                warnings.warn(remark, stacklevel=3)

    def hop_barriers(
        self, atoms: Atoms, vacancy: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Barriers of the Z hops of one vacancy: eight in bcc.

        Each of the model's `remarks` is a warning at the first call that it concerns.

        Parameters
        ----------
        atoms : ase.Atoms or pymatgen Structure
            A block with its vacancies marked ``X``.
        vacancy : int
            Index of the vacancy in ``atoms``.

        Returns
        -------
        targets : int array, shape (Z,)
            Indices of the neighbours, by their vectors in the order (-,-,-), (-,-,+), ... (+,+,+).
        barriers_eV : float array, shape (Z,)
            inf where the target is vacant.

        Raises
        ------
        ValueError
            If the index is not that of a vacancy, or as of `crystal` and `remarks`.
        """
        crystal = self.crystal(atoms)
        n_atoms = len(crystal.site_of_atom)
        if not -n_atoms <= vacancy < n_atoms:
            raise ValueError(f"there is no atom {vacancy} among {n_atoms}")
        site = int(crystal.site_of_atom[vacancy])
        if crystal.occupation[site] != crystal.vacancy_code:
            raise ValueError(f"atom {vacancy} is not a vacancy (X)")
        self._remark_once(crystal)
        geometry_of(crystal.grid)
        directions = crystal.grid.lattice.shells(1)[0]
        barriers = np.empty(len(directions))
        evaluate_barriers(
            self.tables_for(crystal.grid),
            pad(crystal.grid, crystal.occupation),
            int(padded_sites(crystal.grid, site)),
            site % crystal.grid.lattice.n_basis,
            barriers,
        )
        neighbours = crystal.grid.index(crystal.grid.coordinates[site] + directions)
        atom_at = np.empty(crystal.grid.n_sites, dtype=np.int64)
        atom_at[crystal.site_of_atom] = np.arange(crystal.grid.n_sites)
        return atom_at[neighbours], barriers
