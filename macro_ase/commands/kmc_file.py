"""Vacancy kinetic Monte Carlo of a structure file: what ``macro-ase kmc`` does."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from tqdm import tqdm

from ..barriers.load import load_barriers
from ..counts import require_count
from ..engines.temperature import Ramp, require_temperature
from ..engines.vacancies.kmc import VacancyKMC
from ..files import write_atomically
from ..observables.short_range_order import warren_cowley_from_bonds
from ..rng import coerce_rng, stream, whole_seed
from ..statistics import weighted_mean
from ..structure_files import kind_of_name, read_structure, split_index, write_structure
from .file_roles import require_apart

VACANCY_NUMBER = 0
MIN_SAMPLES = 20


def kmc_file(
    path: str | Path,
    temperature_K: float,
    steps: int,
    barriers: str | Path | None = None,
    vacancies: int = 0,
    trajectory: str | Path | None = None,
    interval: int = 1000,
    seed: int | None = None,
    log: str | Path | None = None,
    species: Sequence[str] | None = None,
    ramp_to_K: float | None = None,
    append: bool = False,
    restart: str | Path | None = None,
    write_restart: str | Path | None = None,
    final: str | Path | None = None,
    csv: str | Path | None = None,
) -> str:
    """Let the vacancies of a crystal hop, and say what came of it.

    Parameters
    ----------
    path : str or Path
        A bcc block in any file that `structure_files.read_structure` reads; vacancies are ``X``
        or sites without an atom.
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

    Returns
    -------
    str
        Hops, time, vacancy displacement, and short-range order before and after. The mean
        order is over the last half of the hops, each sample weighted by its residence time.

    Raises
    ------
    FileNotFoundError, ValueError
        Before any work, with nothing written.
    """
    if restart is not None and seed is not None and not vacancies:
        raise ValueError("seed has no meaning with restart: its random stream goes on")
    if append and trajectory is None and log is None:
        raise ValueError("append needs a trajectory or a log to go on with")
    seed = 0 if seed is None else whole_seed(seed)
    steps, interval = require_count(steps, "steps"), require_count(interval, "interval", 1)
    vacancies = require_count(vacancies, "vacancies")
    written = {"trajectory": trajectory, "log": log, "write-restart": write_restart}
    written |= {"out": final, "csv": csv}
    for name, output in written.items():
        _check_output(output, ".traj" if name == "trajectory" else "")
    structure, _ = split_index(path)
    allowed = {("restart", "write-restart")} | ({("structure", "trajectory")} if append else set())
    read = {"structure": structure, "barriers": barriers, "restart": restart}
    require_apart(read, written, frozenset(allowed))
    if final is not None:
        kind_of_name(final)
    model = load_barriers(barriers)
    atoms = model.crystal(read_structure(path, species=species)).to_atoms()
    _take_out(atoms, vacancies, seed)
    first_K = require_temperature(temperature_K)
    temperature = first_K if ramp_to_K is None else Ramp(first_K, ramp_to_K, max(steps, 1))
    _refuse_still(VacancyKMC(atoms.copy(), model, first_K, rng=0), restart, steps)
    if log is not None and not append:
        Path(log).unlink(missing_ok=True)
    dynamics = VacancyKMC(
        atoms,
        model,
        first_K,
        rng=stream(seed, "kmc"),
        logfile=None if log is None else str(log),
        trajectory=None if trajectory is None else str(trajectory),
        loginterval=interval,
        append_trajectory=append,
    )
    if restart is not None:
        dynamics.read_restart(restart)
    dynamics.temperature_K = temperature
    start = Start(dynamics.nsteps, dynamics.time, atoms.positions.copy())
    samples = _run(dynamics, steps, interval)
    if write_restart is not None:
        dynamics.write_restart(write_restart)
    if final is not None:
        write_structure(final, atoms)
    if csv is not None:
        write_atomically(csv, _table(dynamics, samples))
    name = "NbMoTa (ships)" if barriers is None else Path(barriers).name
    kelvin = f"{first_K:g} K" if ramp_to_K is None else f"{first_K:g} to {ramp_to_K:g} K"
    return "\n".join(
        [
            f"{Path(path).name}: {len(atoms)} bcc sites, {atoms.symbols.formula:metal}, "
            f"{kelvin}, barriers {name}",
            *_motion(dynamics, start, steps),
            *_order(dynamics, samples, steady=ramp_to_K is None),
        ]
    )


class Start(NamedTuple):
    """Where a run begins: hops and time (s) before it, positions (A)."""

    hops: int
    time_s: float
    positions_A: NDArray[np.float64]


class Samples(NamedTuple):
    """What is seen at every interval: n samples of S species."""

    bonds: NDArray[np.int64]  # (n, S, S) first-neighbour counts
    rows: NDArray[np.float64]  # (n, 4) step, time (s), temperature (K), residence time (s)

    @property
    def residence_s(self) -> NDArray[np.float64]:
        """Mean residence time of each state, shape (n,)."""
        return self.rows[:, 3]


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


def _take_out(atoms: Atoms, number: int, seed: int) -> None:
    """Turn random atoms into vacancies."""
    occupied = np.flatnonzero(atoms.numbers != VACANCY_NUMBER)
    if number >= len(occupied):
        raise ValueError(f"cannot take {number} vacancies out of {len(occupied)} atoms")
    chosen = coerce_rng(stream(seed, "vacancies")).choice(occupied, number, replace=False)
    atoms.numbers[chosen] = VACANCY_NUMBER


def _run(dynamics: VacancyKMC, steps: int, interval: int) -> Samples:
    bonds: list[NDArray[np.int64]] = []
    rows: list[tuple[float, float, float, float]] = []

    def sample() -> None:
        residence_s = dynamics.atoms.info["residence_s"]
        bonds.append(dynamics.bond_counts.copy())
        rows.append((dynamics.nsteps, dynamics.time, dynamics.temperature_K, residence_s))

    if dynamics.nsteps:
        sample()
    dynamics.attach(sample, interval=interval)
    with tqdm(total=steps, unit="hop", disable=None, leave=False) as progress:
        first = dynamics.nsteps
        for _ in dynamics.irun(steps):
            progress.update(dynamics.nsteps - first - progress.n)
    return Samples(np.array(bonds), np.array(rows))


def _table(dynamics: VacancyKMC, samples: Samples) -> str:
    """CSV of the samples; alpha of all pairs of species that are there."""
    species, counts = dynamics.crystal.species[:-1], dynamics.crystal.counts
    alpha = warren_cowley_from_bonds(samples.bonds, counts, 8)
    pairs = [
        (a, b)
        for a, b in itertools.combinations_with_replacement(range(len(species)), 2)
        if counts[a] and counts[b]
    ]
    names = [f"alpha_{species[a]}-{species[b]}" for a, b in pairs]
    lines = [",".join(["step", "time_s", "temperature_K", "residence_s", *names])]
    for row, values in zip(samples.rows.tolist(), alpha):
        numbers = [f"{row[0]:.0f}", *(f"{x:.12g}" for x in row[1:])]
        lines.append(",".join([*numbers, *(f"{values[a, b]:.6f}" for a, b in pairs)]))
    return "\n".join(lines) + "\n"


def _motion(dynamics: VacancyKMC, start: Start, steps: int) -> list[str]:
    vacant = dynamics.atoms.numbers == VACANCY_NUMBER
    moved = ((dynamics.atoms.positions - start.positions_A)[vacant] ** 2).sum(axis=1)
    hops, n = dynamics.nsteps - start.hops, int(vacant.sum())
    time_s = dynamics.time - start.time_s
    residence = f"{n * time_s / hops:.4e} s" if hops else "-"
    before = f" ({dynamics.nsteps} since the start)" if start.hops else ""
    since = f" ({dynamics.time:.4e} s since the start)" if start.time_s else ""
    missed = f" of {steps}: no vacancy can hop any more" if hops < steps else ""
    return [
        f"hops                             {hops}{missed}{before}",
        f"time                             {time_s:.4e} s{since}",
        f"mean residence time of a vacancy {residence}",
        f"vacancy mean square displacement {moved.mean():.4g} A^2 (mean over {n})",
    ]


def _order(dynamics: VacancyKMC, samples: Samples, steady: bool) -> list[str]:
    """Table of alpha at the start and the end, and its mean where the temperature was steady.

    The mean is over the last half of the samples, where they suffice.
    """
    species, counts = dynamics.crystal.species, dynamics.crystal.counts
    alpha = warren_cowley_from_bonds(samples.bonds, counts, 8)
    end = warren_cowley_from_bonds(dynamics.bond_counts, counts, 8)
    half = len(alpha) // 2
    enough = steady and len(alpha) - half >= MIN_SAMPLES
    mean = error = np.full_like(end, np.nan)
    if enough:
        mean, error = weighted_mean(alpha[half:], samples.residence_s[half:])
    lines = [
        "Warren-Cowley alpha, first shell"
        + (f"; mean over the last {len(alpha) - half} samples" if enough else ""),
        f"{'':8}{'start':>9}{'end':>9}" + (f"{'mean':>9}{'error':>9}" if enough else ""),
    ]
    for a, b in itertools.combinations_with_replacement(range(len(species) - 1), 2):
        if not math.isnan(end[a, b]):
            row = [alpha[0, a, b], end[a, b], mean[a, b], error[a, b]][: 4 if enough else 2]
            lines.append(f"{species[a]}-{species[b]:5}" + "".join(f"{x:9.4f}" for x in row))
    return lines
