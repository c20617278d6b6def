"""Vacancy kinetic Monte Carlo of a structure file: what ``macro-ase kmc`` does."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from tqdm import tqdm

from ..barriers import BarrierModel
from ..barriers.load import load_barriers
from ..counts import require_count
from ..engines.temperature import Ramp, require_temperature
from ..engines.vacancies.fraction import VacancyFraction
from ..engines.vacancies.kmc import VacancyKMC
from ..files import write_atomically
from ..rng import stream, whole_seed
from ..structure_files import kind_of_name, read_structure, split_index, write_structure
from .file_roles import require_apart
from .kmc_diffusion import Displacements
from .kmc_text import Samples, Start, laboratory, motion, order, table
from .random_vacancies import take_out


def kmc_file(path: str | Path, temperature_K: float, steps: int, **options: Any) -> str:
    """Let the vacancies of a crystal hop, and say what came of it.

    Parameters
    ----------
    path, temperature_K, steps, **options
        Those of `FileRun`.

    Returns
    -------
    str
        Hops, time, vacancy displacement, at a steady temperature diffusion coefficients, and
        short-range order before and after. The mean
        order is over the last half of the hops, each sample weighted by its residence time.

    Raises
    ------
    FileNotFoundError, ValueError
        Before any work, with nothing written.
    """
    return FileRun(path, temperature_K, steps, **options).run()


@dataclass(frozen=True)
class FileRun:
    """A run from a file.

    Parameters
    ----------
    path : str or Path
        A block of the lattice of the barriers (bcc), in any file that
        `structure_files.read_structure` reads; vacancies are ``X`` or sites without an atom.
    temperature_K : float
    steps : int
        Hops.
    barriers : str or Path, optional
        Barrier model, ``.json`` or ``.npz``; default: the NbMoTa model that ships.
    vacancies : int
        Atoms taken out at random first.
    trajectory : str or Path, optional
        ASE trajectory (``.traj``) to write.
    interval : int
        Hops between frames, lines of the log and samples of the short-range order.
    seed : int, optional
        Default 0. With ``restart`` only for the places of vacancies taken out.
    log : str or Path, optional
        Log to write.
    species : sequence of str, optional
        Element of each atom type, in order, for a LAMMPS file that names no elements.
    ramp_to_K : float, optional
        Temperature at the end, reached evenly.
    append : bool
        Go on with trajectory and log instead of writing them anew; the clock goes on from the
        last frame. The trajectory may then be the file that is read.
    restart : str or Path, optional
        State of a run of these atoms, to go on from bit for bit.
    write_restart : str or Path, optional
        Where to write the state at the end; may be the file of ``restart``.
    final : str or Path, optional
        Structure file for the last state; its name chooses the format.
    csv : str or Path, optional
        Table of step, time, temperature, residence time and alpha at every interval.
    vacancy_fraction : VacancyFraction, float, str or Path, optional
        The share of vacant sites in the laboratory, a number or a file, to give times there too.

    Raises
    ------
    FileNotFoundError, ValueError
        If a number is none, or the files cannot be read, written or told apart.
    """

    path: str | Path
    temperature_K: float
    steps: int
    barriers: str | Path | None = None
    vacancies: int = 0
    trajectory: str | Path | None = None
    interval: int = 1000
    seed: int | None = None
    log: str | Path | None = None
    species: Sequence[str] | None = None
    ramp_to_K: float | None = None
    append: bool = False
    restart: str | Path | None = None
    write_restart: str | Path | None = None
    final: str | Path | None = None
    csv: str | Path | None = None
    vacancy_fraction: VacancyFraction | float | str | Path | None = None

    def __post_init__(self) -> None:
        if self.restart is not None and self.seed is not None and not self.vacancies:
            raise ValueError("seed has no meaning with restart: its random stream goes on")
        if self.append and self.trajectory is None and self.log is None:
            raise ValueError("append needs a trajectory or a log to go on with")
        whole_seed(self._seed)
        for name, least in (("steps", 0), ("interval", 1), ("vacancies", 0)):
            object.__setattr__(self, name, require_count(getattr(self, name), name, least))
        self._require_files()
        if self._fraction is not None:
            for temperature_K in filter(None, (self.temperature_K, self.ramp_to_K)):
                self._fraction(temperature_K)

    def run(self) -> str:
        """Hop, write the files, and describe the run."""
        model = load_barriers(self.barriers)
        atoms = model.crystal(read_structure(self.path, species=self.species)).to_atoms()
        take_out(atoms, self.vacancies, self._seed)
        dynamics = self._dynamics(atoms, model)
        start = Start(dynamics.nsteps, dynamics.time, atoms.positions.copy())
        moved, fraction = Displacements(dynamics, self.steps, self.interval), self._fraction
        samples = _run(dynamics, self.steps, self.interval, moved)
        self._write(dynamics, samples)
        return "\n".join(
            [
                self._title(dynamics),
                *motion(dynamics, start, self.steps),
                *(laboratory(dynamics, samples, fraction) if fraction is not None else ()),
                *(moved.lines() if self.ramp_to_K is None else ()),
                *order(dynamics, samples, steady=self.ramp_to_K is None),
            ]
        )

    @property
    def _seed(self) -> int:
        return 0 if self.seed is None else whole_seed(self.seed)

    @cached_property
    def _fraction(self) -> VacancyFraction | None:
        given = self.vacancy_fraction
        return None if given is None else VacancyFraction.of(given)

    def _require_files(self) -> None:
        """Raise an error unless all files can be written, and none is written over another."""
        written = {"trajectory": self.trajectory, "log": self.log}
        written |= {"write-restart": self.write_restart, "out": self.final, "csv": self.csv}
        for name, output in written.items():
            _check_output(output, ".traj" if name == "trajectory" else "")
        structure, _ = split_index(self.path)
        allowed = {("restart", "write-restart")}
        if self.append:
            allowed |= {("structure", "trajectory")}
        read = {"structure": structure, "barriers": self.barriers, "restart": self.restart}
        if isinstance(self.vacancy_fraction, str | Path):
            read["vacancy-fraction"] = self.vacancy_fraction
        require_apart(read, written, frozenset(allowed))
        if self.final is not None:
            kind_of_name(self.final)

    def _dynamics(self, atoms: Atoms, model: BarrierModel) -> VacancyKMC:
        """The driver, where the run begins; nothing is written if no vacancy can hop."""
        first_K = require_temperature(self.temperature_K)
        last_K = self.ramp_to_K
        temperature = first_K if last_K is None else Ramp(first_K, last_K, max(self.steps, 1))
        trial = VacancyKMC(atoms.copy(), model, first_K, rng=0)
        _refuse_still(trial, self.restart, self.steps)
        if self.log is not None and not self.append:
            Path(self.log).unlink(missing_ok=True)
        dynamics = VacancyKMC(
            atoms,
            model,
            first_K,
            rng=stream(self._seed, "kmc"),
            logfile=None if self.log is None else str(self.log),
            trajectory=None if self.trajectory is None else str(self.trajectory),
            loginterval=self.interval,
            append_trajectory=self.append,
        )
        if self.restart is not None:
            dynamics.read_restart(self.restart)
        dynamics.temperature_K = temperature
        return dynamics

    def _write(self, dynamics: VacancyKMC, samples: Samples) -> None:
        """The files of the end."""
        if self.write_restart is not None:
            dynamics.write_restart(self.write_restart)
        if self.final is not None:
            write_structure(self.final, dynamics.atoms)
        if self.csv is not None:
            write_atomically(self.csv, table(dynamics, samples, self._fraction))

    def _title(self, dynamics: VacancyKMC) -> str:
        atoms, lattice = dynamics.atoms, dynamics.crystal.grid.lattice.name
        first, last = f"{float(self.temperature_K):g}", self.ramp_to_K
        kelvin = f"{first} K" if last is None else f"{first} to {last:g} K"
        name = "NbMoTa (ships)" if self.barriers is None else Path(self.barriers).name
        return (
            f"{Path(self.path).name}: {len(atoms)} {lattice} sites, {atoms.symbols.formula:metal}, "
            f"{kelvin}, barriers {name}"
        )


def _refuse_still(trial: VacancyKMC, restart: str | Path | None, steps: int) -> None:
    """Raise ValueError if the restart does not fit, or no vacancy can hop; nothing is written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if restart is not None:
            trial.read_restart(restart)
    if steps and not trial.rates.sum() > 0:
        raise ValueError(f"no vacancy can hop at {trial.temperature_K:g} K: all rates are 0")


def _check_output(output: str | Path | None, suffix: str) -> None:
    if output is None:
        return
    file = Path(output)
    if file.is_dir() or not file.parent.is_dir():
        raise FileNotFoundError(f"cannot write a file {file}: is its folder there?")
    if suffix and file.suffix != suffix:
        raise ValueError(f"{file}: an ASE trajectory ends in {suffix}")


def _run(dynamics: VacancyKMC, steps: int, interval: int, moved: Displacements) -> Samples:
    bonds: list[NDArray[np.int64]] = []
    rows: list[tuple[float, float, float, float]] = []

    def sample() -> None:
        residence_s = dynamics.atoms.info["residence_s"]
        bonds.append(dynamics.bond_counts.copy())
        rows.append((dynamics.nsteps, dynamics.time, dynamics.temperature_K, residence_s))

    if dynamics.nsteps:
        sample()
    dynamics.attach(sample, interval=interval)
    dynamics.attach(moved, interval=interval)
    with tqdm(total=steps, unit="hop", disable=None, leave=False) as progress:
        first = dynamics.nsteps
        for _ in dynamics.irun(steps):
            progress.update(dynamics.nsteps - first - progress.n)
    return Samples(np.array(bonds), np.array(rows))
