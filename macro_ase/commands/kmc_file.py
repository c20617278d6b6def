"""Vacancy kinetic Monte Carlo of a structure file: what ``macro-ase kmc`` does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from tqdm import tqdm

from ..barriers.load import load_barriers
from ..engines.temperature import require_temperature
from ..engines.vacancy_kmc import VacancyKMC
from ..observables.short_range_order import warren_cowley_from_bonds
from ..rng import coerce_rng, stream
from ..statistics import weighted_mean
from ..structure_files import read_structure

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
    seed: int = 0,
    log: str | Path | None = None,
    species: Sequence[str] | None = None,
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
    seed : int
    log : str or Path, optional
        Log to write.
    species : sequence of str, optional
        Element of each atom type, in order, for a LAMMPS file that names no elements.

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
    _check_numbers(steps, interval, vacancies, seed)
    for output, suffix in ((trajectory, ".traj"), (log, "")):
        _check_output(output, suffix)
    model = load_barriers(barriers)
    atoms = model.crystal(read_structure(path, species=species)).to_atoms()
    _take_out(atoms, vacancies, seed)
    dynamics = VacancyKMC(
        atoms,
        model,
        require_temperature(temperature_K),
        rng=stream(seed, "kmc"),
        logfile=None if log is None else str(log),
        trajectory=None if trajectory is None else str(trajectory),
        loginterval=interval,
    )
    start = atoms.positions.copy()
    bonds, residence = _run(dynamics, steps, interval)
    name = "NbMoTa (ships)" if barriers is None else Path(barriers).name
    return "\n".join(
        [
            f"{Path(path).name}: {len(atoms)} bcc sites, {atoms.symbols.formula:metal}, "
            f"{temperature_K:g} K, barriers {name}",
            *_motion(dynamics, start),
            *_order(dynamics, bonds, residence),
        ]
    )


def _check_numbers(steps: int, interval: int, vacancies: int, seed: int) -> None:
    for name, value, least in (
        ("steps", steps, 0),
        ("interval", interval, 1),
        ("vacancies", vacancies, 0),
        ("seed", seed, 0),
    ):
        if value < least:
            raise ValueError(f"{name} must be {least} or more, not {value}")


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


def _run(
    dynamics: VacancyKMC, steps: int, interval: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Bond counts, shape (n, S, S), and mean residence times, shape (n,), every interval."""
    bonds: list[NDArray[np.int64]] = []
    residence: list[float] = []

    def sample() -> None:
        bonds.append(dynamics.bond_counts.copy())
        residence.append(1 / dynamics.rates.sum())

    dynamics.attach(sample, interval=interval)
    with tqdm(total=steps, unit="hop", disable=None, leave=False) as progress:
        for _ in dynamics.irun(steps):
            progress.update(dynamics.nsteps - progress.n)
    return np.array(bonds), np.array(residence)


def _motion(dynamics: VacancyKMC, start: NDArray[np.float64]) -> list[str]:
    vacant = dynamics.atoms.numbers == VACANCY_NUMBER
    moved = ((dynamics.atoms.positions - start)[vacant] ** 2).sum(axis=1)
    hops, n = dynamics.nsteps, int(vacant.sum())
    residence = f"{n * dynamics.time / hops:.4e} s" if hops else "-"
    return [
        f"hops                             {hops}",
        f"time                             {dynamics.time:.4e} s",
        f"mean residence time of a vacancy {residence}",
        f"vacancy mean square displacement {moved.mean():.4g} A^2 (mean over {n})",
    ]


def _order(
    dynamics: VacancyKMC, bonds: NDArray[np.int64], residence: NDArray[np.float64]
) -> list[str]:
    """Table of alpha at the start, at the end, and over the last half where samples suffice."""
    species, counts = dynamics.crystal.species, dynamics.crystal.counts
    alpha = warren_cowley_from_bonds(bonds, counts, 8)
    end = warren_cowley_from_bonds(dynamics.bond_counts, counts, 8)
    half = len(alpha) // 2
    enough = len(alpha) - half >= MIN_SAMPLES
    mean, error = weighted_mean(alpha[half:], residence[half:])
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
