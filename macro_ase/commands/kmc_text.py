"""What a run of vacancies was like, in words and tables."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..engines.vacancies.fraction import VacancyFraction
from ..engines.vacancies.kmc import VacancyKMC
from ..observables.short_range_order import warren_cowley_from_bonds
from ..statistics import weighted_mean
from .random_vacancies import VACANCY_NUMBER

MIN_SAMPLES = 20


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


def table(dynamics: VacancyKMC, samples: Samples, fraction: VacancyFraction | None = None) -> str:
    """CSV of the samples; alpha of all pairs of species that are there, time in the laboratory."""
    species, counts = dynamics.crystal.species[:-1], dynamics.crystal.counts
    alpha = warren_cowley_from_bonds(samples.bonds, counts, _neighbours(dynamics))
    pairs = [
        (a, b)
        for a, b in itertools.combinations_with_replacement(range(len(species)), 2)
        if counts[a] and counts[b]
    ]
    names = [f"alpha_{species[a]}-{species[b]}" for a, b in pairs]
    lines = [["step", "time_s", "temperature_K", "residence_s", *names]]
    for row, values in zip(samples.rows.tolist(), alpha):
        numbers = [f"{row[0]:.0f}", *(f"{x:.12g}" for x in row[1:])]
        lines.append([*numbers, *(f"{values[a, b]:.6f}" for a, b in pairs)])
    if fraction is not None:
        spent = _laboratory_s(dynamics, samples.rows, fraction)
        for line, text in zip(lines, ["laboratory_s", *(f"{x:.6g}" for x in spent)]):
            line.append(text)
    return "\n".join(map(",".join, lines)) + "\n"


def motion(dynamics: VacancyKMC, start: Start, steps: int) -> list[str]:
    """Lines on hops, time and how far vacancies went."""
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


def laboratory(dynamics: VacancyKMC, samples: Samples, fraction: VacancyFraction) -> list[str]:
    """A line on the time that the run stands for in the laboratory, with its standard error."""
    end = [dynamics.nsteps, dynamics.time, dynamics.temperature_K, 0.0]
    rows = np.array([*samples.rows, end])
    value, most, least = (_laboratory_s(dynamics, rows, fraction, e)[-1] for e in (0, 1, -1))
    between = f" ({least:.2e} to {most:.2e} s)" if most > least else ""
    kelvin = dict.fromkeys((float(rows[0, 2]), float(rows[-1, 2])))
    vacant = " to ".join(f"{fraction(t):.2e} at {t:g} K" for t in kelvin)
    return [
        f"time in the laboratory           {value:.4e} s{between}",
        f"vacant share of sites            {_share(dynamics):.2e}, in the laboratory {vacant}",
    ]


def _share(dynamics: VacancyKMC) -> float:
    """Vacancies over sites."""
    return float(np.mean(dynamics.atoms.numbers == VACANCY_NUMBER))


def _laboratory_s(
    dynamics: VacancyKMC, rows: Array, fraction: VacancyFraction, errors: float = 0.0
) -> Array:
    """Time in the laboratory since the first sample, shape (n,)."""
    return fraction.laboratory_s(rows[:, 1], rows[:, 2], _share(dynamics), errors)


def order(dynamics: VacancyKMC, samples: Samples, steady: bool) -> list[str]:
    """Table of alpha at the start and the end, and its mean where the temperature was steady.

    The mean is over the last half of the samples, where they suffice.
    """
    species, counts = dynamics.crystal.species, dynamics.crystal.counts
    neighbours = _neighbours(dynamics)
    alpha = warren_cowley_from_bonds(samples.bonds, counts, neighbours)
    end = warren_cowley_from_bonds(dynamics.bond_counts, counts, neighbours)
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


def _neighbours(dynamics: VacancyKMC) -> int:
    """First neighbours of a site."""
    return len(dynamics.crystal.grid.lattice.shells(1)[0])
