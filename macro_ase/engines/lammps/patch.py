"""Molecular dynamics, swap Monte Carlo and both in turn, of a patch, by LAMMPS.

The patch and its frozen halo are cut out of the system and live in one LAMMPS instance. Its groups
``core``, ``buffer``, ``halo`` and ``active`` (core and buffer) are there for further commands.
Only ``active`` is integrated and swapped.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms, units

from ...counts import require_count
from ...patches import Patch, cut_out
from ...reals import require_positive
from ...rng import Seed, coerce_rng
from ..belongings import exchange, like_for_like
from ..kernel_dynamics import KernelDynamics
from ..patches.frozen_surroundings import movable
from ..patches.local_energy import LONGEST_A, laid
from ..temperature import Temperature
from .box import element_order
from .calculator import reach_A
from .commands import command_lines
from .library import MOST_THREADS, accelerator, executable
from .motion import Motion
from .refusals import refuse_commands
from .routes import Executable, InProcess, halo_force_error, without_vacancies

LONGEST_CHUNK = 1000
RAMP_STEPS = 10
ROOM_A = 1.0
"""How far atoms may move before a new halo is cut out; halos are longer by as much."""


class LammpsPatch(KernelDynamics):
    """An ASE driver whose steps LAMMPS makes in a patch; the atoms are changed in place.

    A step is a time step. With ``swaps`` every ``swap_interval`` steps attempt Metropolis swaps
    (``fix atom/swap``), as many for each pair of elements in the patch; with ``ensemble=None``
    there is nothing else. Vacancies ``X`` are not seen by LAMMPS; they, and atoms under
    `FixAtoms`, stay where they are. What belongs to an atom (mass, tag, charge, your own arrays)
    travels with it in a swap; LAMMPS swaps types, so among atoms of one element that changed places
    between two calls of observers, the order is that of their indices. Momenta follow LAMMPS's
    rule, which keeps the kinetic energy of a site.

    Between two runs, or in an observer, you may change species, positions, momenta, masses, cell,
    pbc and constraints of the atoms, and the temperature. A copy goes on with other random numbers.

    Parameters
    ----------
    atoms : ase.Atoms
    patch : Patch or None
        None: all atoms move.
    commands : str or sequence of str
        ``pair_style`` and ``pair_coeff`` lines, word for word, and others that belong to the
        potential; those that set what this package sets (`mass`, `units`, `run`, ...) are refused.
        ``shell`` and ``python`` lines are run: use lines and files that you trust.
    temperature_K : float or callable, optional
        Of thermostats and swaps; see `temperature_K`. A callable is asked every 10 steps, between
        which thermostats go evenly from one temperature to the next. A Nose-Hoover chain starts
        anew when the temperature changes.
    ensemble : "nve", "langevin", "nose-hoover" or None
    timestep, tdamp : float
        In ASE's unit of time; tdamp is the relaxation time of a thermostat.
    swaps, swap_interval : int
    specorder : sequence of str, optional
        Elements of the atom types; default: those that end ``pair_coeff * *``.
    halo_A : float, optional
        Default: how far an atom is felt (the cutoff of a pair potential, else twice the cutoff)
        and 1 A for atoms that move. As soon as one has moved as far, a new halo is cut out.
    rng : int, SeedSequence, Generator or None
    threads : int
    lmp : str, sequence of str or True, optional
        Run this LAMMPS executable instead of the library, such as ``"mpiexec -n 4 lmp"``; True:
        the environment's, see `library.executable`.
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in steps.

    Attributes
    ----------
    cut : CutOut
    energy_eV : float
        Potential energy of the first cut-out after the last run; its differences by steps are
        those of the whole.
    attempts, accepted : int
        Swaps.

    Raises
    ------
    ModuleNotFoundError
        If LAMMPS is not installed.
    ValueError, FileNotFoundError
        If LAMMPS refuses the potential, or an argument makes no sense.
    """

    longest_chunk = LONGEST_CHUNK
    _watched = ("numbers", "positions", "momenta", "masses")
    _taken_up = frozenset({*_watched, "cell", "pbc", "constraints"})

    def __init__(
        self,
        atoms: Atoms,
        patch: Patch | None,
        commands: str | Sequence[str],
        temperature_K: Temperature | None = None,
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
        refuse_commands(commands)
        self.motion = Motion(ensemble, timestep, tdamp, swaps, swap_interval)
        if self.motion.bath and temperature_K is None:
            raise ValueError("temperature_K must be above 0 K, not None")
        self.commands, self.generator = commands, coerce_rng(rng)
        self.threads = require_count(threads, "threads", 1, MOST_THREADS)
        self.species = element_order(commands, atoms, specorder)
        self.command = None if lmp is None else executable(None if lmp is True else lmp)
        self.patched = laid(atoms, patch)
        self._engine: InProcess | Executable | None = None
        self.energy_eV, self._energy_before = math.nan, 0.0
        self._swaps_before = np.zeros(2, dtype=int)
        self.attempts, self.accepted = 0, 0
        super().__init__(atoms, logfile, trajectory, loginterval, append_trajectory, temperature_K)
        self.region = movable(atoms, self.patched)
        self.halo_A = self._halo(atoms, halo_A)
        self._lay(atoms)

    def _halo(self, atoms: Atoms, halo_A: float | None) -> float:
        """The halo to cut out; a given one that is too short is measured."""
        needed = reach_A(self.commands, self.species, self.command)
        if halo_A is None:
            return needed + ROOM_A
        halo_A = require_positive(halo_A, "halo_A", "A", LONGEST_A)
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

    def _lay(self, atoms: Atoms) -> InProcess | Executable:
        """Cut the patch out as the atoms are now, and give it to LAMMPS."""
        self.cut = without_vacancies(cut_out(atoms, self.region, self.halo_A))
        everything = self.cut.n_active == len(self.cut.atoms)
        alone = everything and self.cut.atoms.pbc.sum() == atoms.pbc.sum()
        self._room_A = math.inf if alone else ROOM_A
        self._kelvin = self._temperatures(0)
        run = (self.cut, self.commands, self.species, self.motion, self._kelvin, self.generator)
        if self.command is None:
            self._engine = InProcess(*run, self._room_A, self.threads)
        else:
            command = [*self.command, *accelerator(self.threads)]
            self._engine = Executable(*run, self._room_A, command)
        return self._engine

    @property
    def engine(self) -> InProcess | Executable:
        """What runs the cut-out now."""
        return self._engine if self._engine is not None else self._lay(self.atoms)

    def _temperatures(self, steps: int) -> tuple[float, float]:
        """Of the present step, and of one some steps later."""
        if self._schedule is None or not self.motion.bath:
            return 0.0, 0.0
        return self._schedule.at(self.nsteps), self._schedule.at(self.nsteps + steps)

    def _refuse_temperature(self) -> None:
        if not self.motion.bath:
            raise ValueError("there is neither thermostat nor swaps: scale the momenta instead")

    @property
    def lammps(self) -> Any:
        """The LAMMPS instance, for further commands; only in the library's route.

        Raises
        ------
        ValueError
            If an executable is used.
        """
        if isinstance(self.engine, Executable):
            raise ValueError("an executable is used: there is no instance")
        return self.engine.system.lmp

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
        if self._engine is not None:
            self._engine.close()
        self._engine = None

    def _begin(self) -> None:
        self._advance(0)

    @property
    def _rows(self) -> Any:
        return self.cut.index

    def _read_atoms(self, changed: frozenset[str]) -> None:
        region = movable(self.atoms, self.patched)
        if changed == {"momenta"}:
            self.cut.atoms.set_momenta(self.atoms.get_momenta()[self.cut.index])
            self.engine.take(self.cut.atoms)
            return
        element_order([], self.atoms, self.species)
        self.region = region
        self._lay_anew()

    def _chunk(self) -> int:
        ramped = self._schedule is not None and not self._schedule.constant
        return min(super()._chunk(), RAMP_STEPS) if ramped else super()._chunk()

    def _advance(self, steps: int) -> int:
        done = 0
        while done < steps or steps == 0:
            self._warm(steps)
            energy, swaps, made = self.engine.advance(self.cut.atoms, steps - done)
            done += made
            self.energy_eV = energy + self._energy_before
            self.attempts, self.accepted = (int(n) for n in self._swaps_before + swaps)
            self._write_atoms()
            if done < steps:
                self._lay_anew()
            if steps == 0:
                break
        return done

    def _warm(self, steps: int) -> None:
        """Set thermostats and swaps to the temperatures of the next steps."""
        kelvin = self._temperatures(steps)
        if kelvin == self._kelvin:
            return
        self._kelvin = kelvin
        self.engine.warm(kelvin)

    def _write_atoms(self) -> None:
        """What LAMMPS made of the active atoms, into the system."""
        n = self.cut.n_active
        active, found, arrays = self.cut.index[:n], self.cut.atoms[:n], self.atoms.arrays
        origin = like_for_like(arrays["numbers"][active], found.numbers)
        exchange(self.atoms, active, origin)
        if self.motion.ensemble is not None:
            arrays["positions"][active] = found.positions - self.cut.shift[:n]
        if found.has("momenta"):
            if "momenta" not in arrays:
                self.atoms.set_momenta(np.zeros((len(self.atoms), 3)))
            arrays["momenta"][active] = found.get_momenta()

    def _update_atoms(self) -> None:
        """Done as LAMMPS goes on."""

    def _lay_anew(self) -> None:
        """Cut out a new halo; energies and counts go on from the last."""
        if self._engine is not None:
            self._engine.close()
        self._swaps_before = np.array([self.attempts, self.accepted])
        engine = self._lay(self.atoms)
        self._energy_before = 0.0
        if not math.isnan(self.energy_eV):
            self._energy_before = self.energy_eV - engine.advance(self.cut.atoms, 0)[0]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_engine": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._lay_anew()

    def write_restart(self, path: Any) -> None:
        """LAMMPS keeps its random numbers to itself; raises ValueError."""
        raise ValueError("LammpsPatch has no restart: write the atoms with their momenta")

    def read_restart(self, path: Any) -> None:
        """As `write_restart`."""
        self.write_restart(path)

    def _log_header(self) -> str:
        names = ("step", "time/fs", "energy/eV", "T/K", "attempts", "accepted")
        return " ".join(f"{name:>14}" for name in names)

    def _log_line(self) -> str:
        return (
            f"{self.nsteps:14d} {self.time_fs:14.3f} {self.energy_eV:14.6f} "
            f"{self.temperature_of_patch_K():14.1f} {self.attempts:14d} {self.accepted:14d}"
        )

    def _setup(self) -> dict[str, Any]:
        return {"driver": type(self).__name__}

    def _state(self) -> dict[str, Any]:
        return {}

    def _restore(self, state: Any) -> None:
        """There is no restart."""
