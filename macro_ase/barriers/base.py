"""The protocol that every barrier model meets."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..kinetics.padding import geometry_of, pad, padded_sites
from ..kinetics.vacancy_walk import evaluate_barriers
from ..lattice import Crystal, SiteGrid
from .orbits import HOP_DIRECTIONS

_REMEMBERED = threading.local()


class BarrierModel(ABC):
    """Barriers of first-neighbour vacancy hops in a bcc crystal.

    A model meets two callers: people, through `hop_barriers`, and the compiled kernel,
    through `tables`.

    Attributes
    ----------
    species : tuple of str
        Symbols by species code, without the vacancy, whose code comes last.
    """

    species: tuple[str, ...]

    @abstractmethod
    def tables(self, grid: SiteGrid) -> NamedTuple:
        """Arrays of a type registered with `kinetics.barrier_tables.register`."""

    def tables_for(self, grid: SiteGrid) -> NamedTuple:
        """`tables`, remembered by model and grid, apart for every thread."""
        by_model = _REMEMBERED.__dict__.setdefault("tables", WeakKeyDictionary())
        by_grid = by_model.setdefault(self, {})
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
        return Crystal.from_atoms(structure, species=self.species)

    def check_composition(self, crystal: Crystal) -> None:  # noqa: B027
        """Warn where the model is used outside what it was fitted to; silent by default."""

    def hop_barriers(
        self, atoms: Atoms, vacancy: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Barriers of the eight hops of one vacancy.

        Parameters
        ----------
        atoms : ase.Atoms or pymatgen Structure
            A bcc block with its vacancies marked ``X``.
        vacancy : int
            Index of the vacancy in ``atoms``.

        Returns
        -------
        targets : int array, shape (8,)
            Indices of the neighbours, in the order (-,-,-), (-,-,+), ... (+,+,+).
        barriers_eV : float array, shape (8,)
            inf where the target is vacant.

        Raises
        ------
        ValueError
            If the index is not that of a vacancy.
        """
        crystal = self.crystal(atoms)
        site = int(crystal.site_of_atom[vacancy])
        if crystal.occupation[site] != crystal.vacancy_code:
            raise ValueError(f"atom {vacancy} is not a vacancy (X)")
        geometry_of(crystal.grid)
        barriers = np.empty(8)
        evaluate_barriers(
            self.tables_for(crystal.grid),
            pad(crystal.grid, crystal.occupation),
            int(padded_sites(crystal.grid, site)),
            site % crystal.grid.lattice.n_basis,
            barriers,
        )
        neighbours = crystal.grid.index(crystal.grid.coordinates[site] + HOP_DIRECTIONS)
        atom_at = np.empty(crystal.grid.n_sites, dtype=np.int64)
        atom_at[crystal.site_of_atom] = np.arange(crystal.grid.n_sites)
        return atom_at[neighbours], barriers
