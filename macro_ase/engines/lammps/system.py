"""Atoms that live in one LAMMPS instance: given once, then changed in place."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray

from ...patches import Vectors
from .box import PER_PS, Box, element_order, masses_by_type, types_of
from .files import write_data
from .library import open_lammps, run_lines
from .refusals import refuse_commands

INT, DOUBLE = 0, 1


def setup_lines(box: Box, data: Path) -> list[str]:
    """Commands that precede those of the potential."""
    return [
        "units metal",
        "atom_style atomic",
        "atom_modify map array sort 0 0",
        *box.commands(),
        f"read_data {data}",
    ]


def potential_lines(atoms: Atoms, commands: Sequence[str], species: Sequence[str]) -> list[str]:
    """Commands of the potential and what follows them.

    Masses come last: ``pair_coeff`` of embedded-atom styles sets those of its file.
    """
    masses = masses_by_type(atoms, species)
    return [
        *commands,
        *(f"mass {n} {mass:.17g}" for n, mass in enumerate(masses, 1)),
        "neigh_modify delay 0 every 1 check yes",
        "thermo 0",
        "thermo_style custom pe",
    ]


def without_ids(atoms: Atoms) -> Atoms:
    """What LAMMPS is told of atoms: its ids are index + 1, whatever ids they have of their own."""
    plain = Atoms(atoms.numbers, atoms.positions, masses=atoms.get_masses(), pbc=atoms.pbc)
    if atoms.has("momenta"):
        plain.set_momenta(atoms.get_momenta())
    return plain


class LammpsSystem:
    """Atoms in LAMMPS: ids are index + 1, types follow the order of elements.

    Parameters
    ----------
    atoms : ase.Atoms
        Without vacancies.
    commands : sequence of str
        ``pair_style`` and ``pair_coeff`` lines, word for word; further commands may follow.
    species : sequence of str, optional
        Elements of the types; see `box.element_order`.
    threads : int

    Raises
    ------
    ModuleNotFoundError
        If LAMMPS is not installed.
    ValueError, FileNotFoundError
        If LAMMPS refuses a command, an element is not in the order, or a style is /intel.
    """

    def __init__(
        self,
        atoms: Atoms,
        commands: Sequence[str],
        species: Sequence[str] | None = None,
        threads: int = 1,
    ) -> None:
        refuse_commands(commands)
        self.species = element_order(commands, atoms, species)
        self.numbers = np.array([0] + [atomic_numbers[name] for name in self.species])
        self.box = Box.around(atoms)
        self.n = len(atoms)
        self.lmp = open_lammps(threads)
        plain = without_ids(atoms)
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "atoms.data"
            write_data(data, plain, self.species, self.box)
            self.run_lines(setup_lines(self.box, data))
        self.run_lines(potential_lines(plain, commands, self.species))
        self._ready, self._retyped, self._atomic = False, False, False

    def run_lines(self, lines: Sequence[str]) -> None:
        """Run commands; errors as of `library.run_lines`."""
        run_lines(self.lmp, lines)

    def __reduce__(self) -> Any:
        raise TypeError("a LAMMPS instance cannot be copied or pickled")

    def close(self) -> None:
        """Free the instance."""
        self.lmp.close()

    def set_positions(self, positions: Vectors) -> None:
        """Move all atoms, shape (n, 3) in A, ASE's axes."""
        place, images = self.box.wrap(self.box.to_lammps(positions))
        self._scatter("x", place, np.float64)
        self._scatter("image", images, np.int32)

    def set_types(self, atoms: Atoms) -> None:
        """Change elements in place."""
        element_order([], atoms, self.species)
        self._scatter("type", types_of(atoms, self.species), np.int32)
        self._retyped = True

    def set_velocities(self, velocities: Vectors) -> None:
        """Shape (n, 3) in ASE's units."""
        self._scatter("v", self.box.to_lammps(velocities) * PER_PS, np.float64)

    def get_positions(self) -> Vectors:
        """Unwrapped, A, ASE's axes."""
        images = self._gather("image", INT, 3)
        return self.box.to_ase(self._gather("x", DOUBLE, 3) + images @ self.box.edges)

    def get_numbers(self) -> NDArray[np.int64]:
        """Atomic numbers, shape (n,)."""
        return np.asarray(self.numbers[self._gather("type", INT, 1)])

    def masses_of_atoms(self) -> Vectors:
        """Shape (n,), amu, by type."""
        by_type = self.lmp.numpy.extract_atom("mass").ravel()
        return np.asarray(by_type[self._gather("type", INT, 1)])

    def get_velocities(self) -> Vectors:
        """Shape (n, 3), ASE's units."""
        return self.box.to_ase(self._gather("v", DOUBLE, 3)) / PER_PS

    def evaluate(self, energies: bool = False) -> float:
        """Potential energy of the present state, eV; forces and energies go with it.

        A step on with no integrator leaves atoms where they are, and energies of atoms fresh:
        after a second ``run 0`` at the same step they would be stale.
        """
        if energies and not self._atomic:
            self._ask_for_energies()
        if not self._ready:
            self.run_lines(["run 0 post no"])
            self._ready = True
        if self._retyped:
            self.run_lines(["neigh_modify check no"])
        self.run_lines(["run 1 pre no post no"])
        if self._retyped:
            self.run_lines(["neigh_modify check yes"])
        self._retyped = False
        return float(self.lmp.get_thermo("pe"))

    def forces(self) -> Vectors:
        """Of the last evaluation, shape (n, 3), eV/A."""
        return self.box.to_ase(self._gather("f", DOUBLE, 3))

    def energies(self) -> Vectors:
        """Of atoms in the last evaluation that asked for them, shape (n,), eV."""
        values = np.empty(self.n)
        ids = self.lmp.numpy.extract_atom("id")[: self.n]
        values[ids - 1] = self.lmp.numpy.extract_compute("atomic", 1, 1)[: self.n]
        return values

    def _ask_for_energies(self) -> None:
        self.run_lines(["compute atomic all pe/atom", "compute total all reduce sum c_atomic"])
        self.run_lines(["thermo_style custom pe c_total"])
        self._atomic, self._ready = True, False

    def _gather(self, name: str, kind: int, width: int) -> NDArray[Any]:
        flat = np.ctypeslib.as_array(self.lmp.gather_atoms(name, kind, width)).copy()
        return flat.reshape(self.n, width) if width > 1 else flat

    def _scatter(self, name: str, values: NDArray[Any], kind: Any) -> None:
        array = np.ascontiguousarray(values, dtype=kind)
        width = 1 if array.ndim == 1 else array.shape[1]
        code = DOUBLE if kind is np.float64 else INT
        self.lmp.scatter_atoms(name, code, width, np.ctypeslib.as_ctypes(array.ravel()))
