"""What LAMMPS does to the active atoms of a cut-out, and the two routes by which it does it."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..patches import CutOut, Region, Vectors, cut_out
from .lammps_box import PER_PS, Box
from .lammps_dump import read_dump
from .lammps_files import write_data
from .lammps_library import refuse_intel, run_executable
from .lammps_system import LammpsSystem, potential_lines, setup_lines, without_ids

ENSEMBLES = ("nve", "langevin", "nose-hoover", None)
LARGEST_SEED = 900_000_000


@dataclass(frozen=True)
class Motion:
    """What happens to the active atoms; names and units as in `LammpsPatch`.

    Raises
    ------
    ValueError
        If nothing would happen, or a number makes no sense.
    """

    ensemble: str | None
    temperature_K: float | None
    timestep: float
    tdamp: float
    swaps: int
    swap_interval: int

    def __post_init__(self) -> None:
        if self.ensemble not in ENSEMBLES:
            raise ValueError(f"ensemble must be one of {ENSEMBLES}, not {self.ensemble!r}")
        if self.ensemble is None and not self.swaps:
            raise ValueError("nothing would happen: give an ensemble, swaps or both")
        bath = self.swaps or self.ensemble in ("langevin", "nose-hoover")
        if bath and not (self.temperature_K and 0 < self.temperature_K < math.inf):
            raise ValueError(f"temperature_K must be above 0 K, not {self.temperature_K}")
        for name in ("timestep", "tdamp", "swap_interval"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name):g}")
        if self.swaps < 0:
            raise ValueError(f"swaps must be 0 or more, not {self.swaps}")

    def lines(
        self, species: Sequence[str], present: set[str], rng: np.random.Generator
    ) -> list[str]:
        """Commands that make it happen to the group ``active``."""
        seeds = (int(seed) for seed in iter(lambda: rng.integers(1, LARGEST_SEED), None))
        temperature, damping = self.temperature_K, self.tdamp / PER_PS
        lines = [f"timestep {self.timestep / PER_PS:.17g}"]
        if self.ensemble == "nose-hoover":
            lines += ["compute warmth active temp", "compute_modify warmth extra/dof 0"]
            lines += [f"fix move active nvt temp {temperature} {temperature} {damping:.17g}"]
            lines += ["fix_modify move temp warmth"]
        elif self.ensemble is not None:
            lines += ["fix move active nve"]
        if self.ensemble == "langevin":
            bath = f"{temperature} {temperature} {damping:.17g} {next(seeds)}"
            lines += [f"fix bath active langevin {bath}"]
        if self.swaps:
            rate = f"{self.swap_interval} {self.swaps}"
            lines += [
                f"fix swap{n} active atom/swap {rate} {next(seeds)} {temperature} types {a} {b}"
                for n, (a, b) in enumerate(pairs_of_types(species, present))
            ]
        return lines


def pairs_of_types(species: Sequence[str], present: set[str]) -> list[tuple[int, int]]:
    """Pairs of atom types of which there are active atoms."""
    types = [n for n, name in enumerate(species, 1) if name in present]
    return list(itertools.combinations(types, 2))


def group_lines(cut: CutOut) -> list[str]:
    """Commands that name core, buffer, halo and active."""

    def ids(first: int, last: int) -> str:
        return f"id {first + 1}:{last}" if last > first else "empty"

    n = len(cut.atoms)
    return [
        f"group core {ids(0, cut.n_core)}",
        f"group buffer {ids(cut.n_core, cut.n_active)}",
        f"group active {ids(0, cut.n_active)}",
        f"group halo {ids(cut.n_active, n)}",
    ]


class InProcess:
    """The cut-out in one instance of the library, kept from run to run."""

    def __init__(
        self,
        cut: CutOut,
        commands: Sequence[str],
        species: Sequence[str],
        motion: Motion,
        rng: np.random.Generator,
        threads: int,
    ) -> None:
        self.system = LammpsSystem(cut.atoms, commands, species, threads)
        present = set(cut.atoms.symbols[: cut.n_active])
        self.n_swaps = len(pairs_of_types(species, present)) if motion.swaps else 0
        self.system.run_lines([*group_lines(cut), *motion.lines(species, present, rng)])
        self._set_up = "yes"

    def take(self, atoms: Atoms) -> None:
        """What others did to the atoms."""
        self.system.set_types(atoms)
        self.system.set_positions(atoms.positions)
        self.system.set_velocities(atoms.get_velocities())
        self._set_up = "yes"

    def advance(self, atoms: Atoms, steps: int) -> tuple[float, NDArray[np.int64]]:
        """Move the atoms; potential energy, swaps attempted and accepted since the start."""
        self.system.run_lines([f"run {steps} pre {self._set_up} post no"])
        self._set_up = "no"
        atoms.positions = self.system.get_positions()
        atoms.numbers = self.system.get_numbers()
        atoms.set_masses(self.system.masses_of_atoms())
        atoms.set_velocities(self.system.get_velocities())
        energy = float(self.system.lmp.get_thermo("pe"))
        return energy, np.array([self._swaps(entry) for entry in (0, 1)])

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
        rng: np.random.Generator,
        command: Sequence[str],
    ) -> None:
        refuse_intel(commands)
        self.cut, self.commands, self.species, self.motion = cut, commands, species, motion
        self.rng, self.command = rng, command
        self.swaps = np.zeros(2, dtype=int)
        self._moves = self._draw_moves()

    def _draw_moves(self) -> list[str]:
        return self.motion.lines(self.species, self._present(), self.rng)

    def _present(self) -> set[str]:
        return set(self.cut.atoms.symbols[: self.cut.n_active])

    def take(self, atoms: Atoms) -> None:
        """Nothing is kept from run to run."""

    def advance(self, atoms: Atoms, steps: int) -> tuple[float, NDArray[np.int64]]:
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
                f"run {steps} post no",
                *self._results(folder),
            ]
            run_executable(self.command, script, folder)
            moved = read_dump(folder / "dump", self.species)
            energy, *swaps = np.loadtxt(folder / "result", ndmin=1)
        atoms.positions = box.to_ase(moved.positions)
        masses = dict(zip(atoms.symbols, atoms.get_masses()))
        atoms.numbers = moved.numbers
        atoms.set_masses([masses[symbol] for symbol in atoms.symbols])
        atoms.set_velocities(box.to_ase(moved.get_velocities()))
        self.swaps += np.reshape(swaps, (-1, 2)).sum(axis=0).astype(int)
        self._moves = self._draw_moves() if steps else self._moves
        return float(energy), self.swaps.copy()

    def _results(self, folder: Path) -> list[str]:
        n_swaps = sum("atom/swap" in line for line in self._moves)
        words = ["$(pe:%.17g)"] + [f"$(f_swap{n}[{k}])" for n in range(n_swaps) for k in (1, 2)]
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
