"""Fields on a grid as `ase.Atoms`: one atom a cell, the fields in ``atoms.arrays``."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array


class FieldAtoms(ABC):
    """A grid of cells and the fields on it.

    Attributes
    ----------
    fields : tuple of str
        Their names; a plain class attribute will do.
    boundary : {"neumann", "periodic"}
    """

    boundary: str

    @property
    @abstractmethod
    def fields(self) -> tuple[str, ...]:
        """Names of the fields."""

    @property
    @abstractmethod
    def grid(self) -> tuple[int, ...]:
        """Cells along each axis."""

    @property
    @abstractmethod
    def cell(self) -> float:
        """Edge h of a cell."""

    def check(self, fields: ArrayLike) -> Array:
        """The fields as an array of floats.

        Raises
        ------
        ValueError
            If their shape is not (n_replicas, n_fields, *grid).
        """
        values = np.asarray(fields, dtype=float)
        wanted = (len(self.fields), *self.grid)
        if values.shape[1:] != wanted:
            raise ValueError(f"fields must have the shape (n, {wanted}), not {values.shape}")
        return values

    def to_atoms(self, fields: ArrayLike, symbol: str = "X") -> Atoms:
        """One state as atoms, one a cell, the fields in ``atoms.arrays``.

        Parameters
        ----------
        fields : array, shape (n_fields, *grid)
        symbol : str
            Of every cell.
        """
        values = self.check(np.asarray(fields)[None])[0]
        cells = ((1, 1, *self.grid) if len(self.grid) == 1 else (1, *self.grid))[-3:]
        centres = np.indices(cells).reshape(3, -1).T[:, ::-1] + 0.5
        axes = len(self.grid)
        atoms = Atoms(
            [symbol] * len(centres),
            positions=centres * self.cell,
            cell=np.array(cells[::-1]) * self.cell,
            pbc=(np.arange(3) < axes) & (self.boundary == "periodic"),
        )
        for name, field in zip(self.fields, values):
            atoms.set_array(name, field.ravel())
        return atoms

    def from_atoms(self, atoms: Atoms) -> Array:
        """The fields of atoms as `to_atoms` makes them, shape (n_fields, *grid), in any order.

        Raises
        ------
        ValueError
            If a field is missing, or the atoms are not one to a cell.
        """
        missing = [name for name in self.fields if name not in atoms.arrays]
        if missing:
            raise ValueError(f"atoms.arrays has no field {missing[0]!r}")
        order = self.cells_of(atoms)
        fields = np.empty((len(self.fields), len(atoms)))
        for k, name in enumerate(self.fields):
            fields[k, order] = atoms.arrays[name]
        return fields.reshape(-1, *self.grid)

    def cells_of(self, atoms: Atoms) -> NDArray[np.int64]:
        """The cell of each atom, shape (n_atoms,), in C order of the grid.

        Raises
        ------
        ValueError
            If the atoms are not one to a cell.
        """
        axes = len(self.grid)
        places = np.floor(atoms.positions[:, :axes][:, ::-1] / self.cell).astype(np.int64)
        inside = np.all((places >= 0) & (places < self.grid))
        cells = np.ravel_multi_index(tuple(places.T), self.grid) if inside else np.zeros(0, int)
        if len(np.unique(cells)) != math.prod(self.grid) or len(atoms) != math.prod(self.grid):
            raise ValueError(f"the atoms are not one to a cell of a grid of {self.grid}")
        return cells
