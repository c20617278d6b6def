"""Molecular dynamics, swap Monte Carlo and both in turn, of a patch, by LAMMPS.

The patch and its frozen halo are cut out of the system and live in one LAMMPS instance. Its groups
``core``, ``buffer``, ``halo`` and ``active`` (core and buffer) are there for further commands.
Only ``active`` is integrated and swapped.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.optimize.optimize import Dynamics

from ..patches import CutOut, Patch, cut_out
from ..rng import Seed, coerce_rng
from .frozen_surroundings import movable
from .lammps_box import element_order, masses_by_type
from .lammps_calculator import reach_A
from .lammps_library import accelerator, command_lines, executable, refuse_intel
from .lammps_routes import Executable, InProcess, Motion, halo_force_error, without_vacancies
from .local_energy import laid

LONGEST_CHUNK = 1000
ROOM_A = 1.0
"""How far atoms may move before a new halo is cut out; halos are longer by as much."""


class LammpsPatch(Dynamics):
    """An ASE driver whose steps LAMMPS makes in a patch; the atoms are changed in place.

    A step is a time step. With ``swaps`` every ``swap_interval`` steps attempt Metropolis swaps
    (``fix atom/swap``), as many for each pair of elements in the patch; with ``ensemble=None``
    there is nothing else. Vacancies ``X`` are not seen by LAMMPS; they, and atoms under
    `FixAtoms`, stay where they are.

    Parameters
    ----------
    atoms : ase.Atoms
    patch : Patch or None
        None: all atoms move.
    commands : str or sequence of str
        ``pair_style`` and ``pair_coeff`` lines, word for word.
    temperature_K : float, optional
        Of thermostats and swaps.
    ensemble : "nve", "langevin", "nose-hoover" or None
    timestep, tdamp : float
        In ASE's unit of time; tdamp is the relaxation time of a thermostat.
    swaps, swap_interval : int
    specorder : sequence of str, optional
        Elements of the atom types; default: those that end ``pair_coeff * *``.
    halo_A : float, optional
        Default: how far an atom is felt (the cutoff of a pair potential, else twice the cutoff)
        and 1 A for atoms that move. When they have moved as far, a new halo is cut out.
    rng : int, SeedSequence, Generator or None
    threads : int
    lmp : str, sequence of str or True, optional
        Run this LAMMPS executable instead of the library, such as ``"mpiexec -n 4 lmp"``; True:
        the environment's, see `lammps_library.executable`.
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in steps.

    Attributes
    ----------
    cut : CutOut
    energy_eV : float
        Potential energy of the first cut-out after the last run; its differences are those of
        the whole.
    attempts, accepted : int
        Swaps.

    Raises
    ------
    ModuleNotFoundError
        If LAMMPS is not installed.
    ValueError, FileNotFoundError
        If LAMMPS refuses the potential, or an argument makes no sense.
    """

    def __init__(
        self,
        atoms: Atoms,
        patch: Patch | None,
        commands: str | Sequence[str],
        temperature_K: float | None = None,
        ensemble: str | None = "nve",
        timestep: float = 2 * units.fs,
        tdamp: float = 100 * units.fs,
        swaps: int = 0,
        swap_interval: int = 1,
        specorder: Sequence[str] | None = None,
        halo_A: float | None = None,
        rng: Seed = None,
        threads: int = 1,
        lmp: Any = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 100,
        append_trajectory: bool = False,
    ) -> None:
        commands = command_lines(commands)
        refuse_intel(commands)
        self.motion = Motion(ensemble, temperature_K, timestep, tdamp, swaps, swap_interval)
        self.commands, self.threads, self.generator = commands, threads, coerce_rng(rng)
        self.species = element_order(commands, atoms, specorder)
        self.command = None if lmp is None else executable(None if lmp is True else lmp)
        self.region = movable(atoms, laid(atoms, patch))
        self.halo_A = self._halo(atoms, halo_A)
        self.energy_eV, self._energy_before = math.nan, 0.0
        self._swaps_before = np.zeros(2, dtype=int)
        self.attempts, self.accepted = 0, 0
        self._lay(atoms)
        super().__init__(
            atoms,
            logfile=logfile,
            trajectory=trajectory,
            loginterval=loginterval,
            append_trajectory=append_trajectory,
        )
        if logfile is not None:
            self.attach(self._write_log, interval=loginterval)

    def _halo(self, atoms: Atoms, halo_A: float | None) -> float:
        """The halo to cut out; a given one that is too short is measured."""
        needed = reach_A(self.commands, self.species, self.command)
        if halo_A is None:
            return needed + ROOM_A
        if halo_A < needed:
            lengths = halo_A, needed
            error = halo_force_error(
                atoms, self.region, lengths, self.commands, self.species, self.command
            )
            warnings.warn(
                f"a halo of {halo_A:g} A is shorter than the {needed:g} A over which atoms are "
                f"felt: forces on atoms that move are off by up to {error:.2g} eV/A",
                stacklevel=3,
            )
        return halo_A

    def _lay(self, atoms: Atoms) -> None:
        """Cut the patch out as the atoms are now, and give it to LAMMPS."""
        self.cut = without_vacancies(cut_out(atoms, self.region, self.halo_A))
        self._reference = self.cut.atoms.positions[: self.cut.n_active].copy()
        self._left = _state(atoms, self.cut)
        self._mass = dict(zip(self.species, masses_by_type(self.cut.atoms, self.species)))
        run = (self.cut, self.commands, self.species, self.motion, self.generator)
        self._engine: InProcess | Executable
        if self.command is None:
            self._engine = InProcess(*run, self.threads)
        else:
            self._engine = Executable(*run, [*self.command, *accelerator(self.threads)])

    @property
    def lammps(self) -> Any:
        """The LAMMPS instance, for further commands; only in the library's route.

        Raises
        ------
        ValueError
            If an executable is used.
        """
        if isinstance(self._engine, Executable):
            raise ValueError("an executable is used: there is no instance")
        return self._engine.system.lmp

    @property
    def time_fs(self) -> float:
        """Time of the dynamics."""
        return self.nsteps * self.motion.timestep / units.fs

    def temperature_of_patch_K(self) -> float:
        """Kinetic temperature of the active atoms."""
        active = self.cut.atoms[: self.cut.n_active]
        return float(2 * active.get_kinetic_energy() / (3 * len(active) * units.kB))

    def todict(self) -> dict[str, Any]:
        """What a trajectory says of the run that wrote it."""
        return {"type": "molecular-dynamics", "driver": type(self).__name__}

    def close(self) -> None:
        """Free the LAMMPS instance."""
        self._engine.close()

    def irun(self, steps: int = 1) -> Iterator[bool]:
        """Run, yielding False after every chunk between observers.

        Raises
        ------
        ValueError
            If ``steps`` is negative, or LAMMPS stops.
        """
        if steps < 0:
            raise ValueError(f"steps must be 0 or more, not {steps}")
        self._take_atoms()
        if self.nsteps == 0:
            self._advance(0)
            self.call_observers()
        self.max_steps = self.nsteps + steps
        while self.nsteps < self.max_steps:
            wanted = min(self._chunk(), self.max_steps - self.nsteps)
            self._advance(wanted)
            self.nsteps += wanted
            self.call_observers()
            yield False

    def run(self, steps: int = 1) -> bool:
        """Run ``steps`` steps; returns True, as ASE's molecular dynamics does."""
        for _ in self.irun(steps):
            pass
        return True

    def _chunk(self) -> int:
        periods = [abs(interval) for _, interval, _, _ in self.observers if interval != 0]
        period = math.gcd(*periods) if periods else LONGEST_CHUNK
        return period - self.nsteps % period

    def _take_atoms(self) -> None:
        """What others did to the atoms since the last run."""
        state = _state(self.atoms, self.cut)
        if all(np.array_equal(now, then) for now, then in zip(state, self._left)):
            return
        if not np.all(state[0]):
            raise ValueError("atoms of the patch have become vacancies: lay the patch anew")
        atoms = self.cut.atoms
        atoms.numbers, atoms.positions = state[0], state[1] + self.cut.shift
        atoms.set_masses([self._mass[symbol] for symbol in atoms.symbols])
        atoms.set_momenta(state[2])
        self._engine.take(atoms)

    def _advance(self, steps: int) -> None:
        energy, swaps = self._engine.advance(self.cut.atoms, steps)
        self.energy_eV = energy + self._energy_before
        self.attempts, self.accepted = (int(n) for n in self._swaps_before + swaps)
        active = self.cut.index[: self.cut.n_active]
        found, arrays = self.cut.atoms[: len(active)], self.atoms.arrays
        arrays["numbers"][active] = found.numbers
        if self.motion.ensemble is not None:
            arrays["positions"][active] = found.positions - self.cut.shift[: len(active)]
        if found.has("momenta"):
            if "momenta" not in arrays:
                self.atoms.set_momenta(np.zeros((len(self.atoms), 3)))
            arrays["momenta"][active] = found.get_momenta()
        if "masses" in arrays:
            arrays["masses"][active] = found.get_masses()
        self._left = _state(self.atoms, self.cut)
        moved = self.cut.atoms.positions[: self.cut.n_active] - self._reference
        if np.linalg.norm(moved, axis=1).max() > ROOM_A:
            self._lay_anew()

    def _lay_anew(self) -> None:
        """Cut out a new halo; energies and counts go on from the last."""
        self._engine.close()
        self._swaps_before = np.array([self.attempts, self.accepted])
        self._lay(self.atoms)
        self._energy_before = self.energy_eV - self._engine.advance(self.cut.atoms, 0)[0]

    def _write_log(self) -> None:
        if self.nsteps == 0:
            names = ("step", "time/fs", "energy/eV", "T/K", "attempts", "accepted")
            self.logfile.write(" ".join(f"{name:>14}" for name in names) + "\n")
        self.logfile.write(
            f"{self.nsteps:14d} {self.time_fs:14.3f} {self.energy_eV:14.6f} "
            f"{self.temperature_of_patch_K():14.1f} {self.attempts:14d} {self.accepted:14d}\n"
        )


def _state(atoms: Atoms, cut: CutOut) -> tuple[Any, Any, Any]:
    """Numbers, positions and momenta that a cut-out takes from a system."""
    momenta = atoms.arrays.get("momenta")
    own = np.zeros((len(cut.index), 3)) if momenta is None else momenta[cut.index]
    return atoms.numbers[cut.index], atoms.positions[cut.index], own
