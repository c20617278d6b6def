"""The two routes by which LAMMPS moves the active atoms of a cut-out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ...patches import CutOut, Region, Vectors, cut_out
from .box import Box
from .dump import read_dump
from .files import write_data
from .library import run_executable
from .motion import Motion, group_lines, halt_lines, pairs_of_types
from .refusals import refuse_commands
from .system import LammpsSystem, potential_lines, setup_lines, without_ids

HALT = 0.9
"""Share of its room after which an atom's run ends: the rest is for the step that ends it."""


class InProcess:
    """The cut-out in one instance of the library, kept from run to run."""

    def __init__(
        self,
        cut: CutOut,
        commands: Sequence[str],
        species: Sequence[str],
        motion: Motion,
        kelvin: tuple[float, float],
        rng: np.random.Generator,
        room_A: float,
        threads: int,
    ) -> None:
        self.system = LammpsSystem(cut.atoms, commands, species, threads)
        self.motion, self.species, self.rng = motion, species, rng
        self.present = set(cut.atoms.symbols[: cut.n_active])
        self.n_swaps = len(pairs_of_types(species, self.present)) if motion.swaps else 0
        self._before = np.zeros(2, dtype=int)
        lines = [*group_lines(cut), *motion.lines(species, self.present, kelvin, rng)]
        self.system.run_lines([*lines, *halt_lines(HALT * room_A)])
        self._set_up = "yes"

    def take(self, atoms: Atoms) -> None:
        """Momenta that others have changed."""
        self.system.set_velocities(atoms.get_velocities())
        self._set_up = "yes"

    def warm(self, kelvin: tuple[float, float]) -> None:
        """Other temperatures from the next run on."""
        self._before = self._counted()
        lines = self.motion.lines(self.species, self.present, kelvin, self.rng)
        self.system.run_lines([*self.motion.undone(self.n_swaps), *lines])
        self._set_up = "yes"

    def advance(self, atoms: Atoms, steps: int) -> tuple[float, NDArray[np.int64], int]:
        """Move the atoms.

        Returns
        -------
        energy_eV : float
            Potential energy.
        swaps : int array, shape (2,)
            Attempted and accepted since the start.
        steps : int
            Those that were made: fewer where an atom had no room left.
        """
        first = self._step()
        self.system.run_lines([f"run {steps} pre {self._set_up} post no"])
        self._set_up = "no"
        atoms.positions = self.system.get_positions()
        atoms.numbers = self.system.get_numbers()
        atoms.set_masses(self.system.masses_of_atoms())
        atoms.set_velocities(self.system.get_velocities())
        energy = float(self.system.lmp.get_thermo("pe"))
        return energy, self._counted(), self._step() - first

    def _step(self) -> int:
        return int(self.system.lmp.extract_global("ntimestep"))

    def _counted(self) -> NDArray[np.int64]:
        return self._before + np.array([self._swaps(entry) for entry in (0, 1)], dtype=np.int64)

    def _swaps(self, entry: int) -> int:
        names = (f"swap{n}" for n in range(self.n_swaps))
        return int(sum(self.system.lmp.extract_fix(name, 0, 1, entry) for name in names))

    def close(self) -> None:
        self.system.close()


class Executable:
    """The cut-out in a process of a LAMMPS executable, started for every run."""

    def __init__(
        self,
        cut: CutOut,
        commands: Sequence[str],
        species: Sequence[str],
        motion: Motion,
        kelvin: tuple[float, float],
        rng: np.random.Generator,
        room_A: float,
        command: Sequence[str],
    ) -> None:
        refuse_commands(commands)
        self.cut, self.commands, self.species, self.motion = cut, commands, species, motion
        self.kelvin, self.rng, self.room_A, self.command = kelvin, rng, room_A, command
        self.swaps = np.zeros(2, dtype=int)
        self._reference_A = cut.atoms.positions[: cut.n_active].copy()
        self._moves = self._draw_moves()

    def _draw_moves(self) -> list[str]:
        present = set(self.cut.atoms.symbols[: self.cut.n_active])
        return self.motion.lines(self.species, present, self.kelvin, self.rng)

    def take(self, atoms: Atoms) -> None:
        """Nothing is kept from run to run."""

    def warm(self, kelvin: tuple[float, float]) -> None:
        """As `InProcess.warm`."""
        self.kelvin = kelvin
        self._moves = self._draw_moves()

    def _room_left_A(self, atoms: Atoms) -> float:
        moved = atoms.positions[: len(self._reference_A)] - self._reference_A
        return self.room_A - float(np.linalg.norm(moved, axis=1).max())

    def advance(self, atoms: Atoms, steps: int) -> tuple[float, NDArray[np.int64], int]:
        """As `InProcess.advance`."""
        box = Box.around(atoms)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_data(folder / "atoms.data", without_ids(atoms), self.species, box)
            script = setup_lines(box, folder / "atoms.data")
            script += potential_lines(atoms, self.commands, self.species)
            script += [
                *group_lines(self.cut),
                *self._moves,
                *halt_lines(max(HALT * self._room_left_A(atoms), 0.0)),
                f"run {steps} post no",
                *self._results(folder),
            ]
            run_executable(self.command, script, folder)
            moved = read_dump(folder / "dump", self.species)
            energy, made, *swaps = np.loadtxt(folder / "result", ndmin=1)
        atoms.positions = box.to_ase(moved.positions)
        masses = dict(zip(atoms.symbols, atoms.get_masses()))
        atoms.numbers = moved.numbers
        atoms.set_masses([masses[symbol] for symbol in atoms.symbols])
        atoms.set_velocities(box.to_ase(moved.get_velocities()))
        self.swaps += np.reshape(swaps, (-1, 2)).sum(axis=0).astype(int)
        self._moves = self._draw_moves() if steps else self._moves
        return float(energy), self.swaps.copy(), int(made)

    def _results(self, folder: Path) -> list[str]:
        n_swaps = sum("atom/swap" in line for line in self._moves)
        words = ["$(pe:%.17g)", "$(step)"] + [
            f"$(f_swap{n}[{k}])" for n in range(n_swaps) for k in (1, 2)
        ]
        columns = "id type xu yu zu vx vy vz modify sort id format float %.17g"
        return [
            f'print "{" ".join(words)}" file {folder}/result',
            f"write_dump all custom {folder}/dump {columns}",
        ]

    def close(self) -> None:
        """Nothing is open between runs."""


def without_vacancies(cut: CutOut) -> CutOut:
    """The cut-out without the sites marked ``X``; the system keeps them."""
    real = np.asarray(cut.atoms.numbers != 0)
    n_core, n_active = int(real[: cut.n_core].sum()), int(real[: cut.n_active].sum())
    return CutOut(cut.atoms[real], cut.index[real], cut.shift[real], n_core, n_active, cut.halo_A)


def halo_force_error(
    atoms: Atoms,
    region: Region,
    lengths_A: tuple[float, float],
    commands: Sequence[str],
    species: Sequence[str],
    command: Sequence[str] | None = None,
) -> float:
    """Largest difference of a force on an active atom between two halos, eV/A."""
    forces = []
    for length in lengths_A:
        cut = without_vacancies(cut_out(atoms, region, length))
        forces.append(_forces(cut.atoms, commands, species, command)[: cut.n_active])
    return float(np.abs(forces[0] - forces[1]).max())


def _forces(
    atoms: Atoms,
    commands: Sequence[str],
    species: Sequence[str],
    command: Sequence[str] | None,
) -> Vectors:
    if command is not None:
        return _forces_by_executable(atoms, commands, species, command)
    system = LammpsSystem(atoms, commands, species)
    system.evaluate()
    forces = system.forces()
    system.close()
    return forces


def _forces_by_executable(
    atoms: Atoms, commands: Sequence[str], species: Sequence[str], command: Sequence[str]
) -> NDArray[np.float64]:
    """Forces on atoms, shape (n, 3), eV/A."""
    box = Box.around(atoms)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder / "atoms.data", without_ids(atoms), species, box)
        script = setup_lines(box, folder / "atoms.data")
        script += [*potential_lines(atoms, commands, species), "run 0"]
        columns = "id type x y z fx fy fz modify sort id format float %.17g"
        script += [f"write_dump all custom {folder}/dump {columns}"]
        run_executable(command, script, folder)
        return box.to_ase(read_dump(folder / "dump", species).get_forces())
