"""Diffusion by vacancies: of tracers of each species and of the vacancy, with errors.

    D = <|R(t)|^2> / (6 t),      nu = jumps of an atom / t,      f = D / (d^2 nu / 6)

with R the displacement of an atom from site to site over long t, d the length of a jump and f the
tracer correlation factor: A. D. Le Claire, in Physical Chemistry, an Advanced Treatise X (1970);
H. Mehrer, Diffusion in Solids (2007), chapters 4 and 7. For a monovacancy in a pure crystal f is
.72719 (bcc) and .78146 (fcc): Montet, Phys. Rev. B 7, 650 (1973); Koiwa and Ishioka,
Phil. Mag. A 47, 927 (1983). The vacancy has D_v, nu_v and f_v by the same formulas.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from tqdm import tqdm

from ..arrays import Array
from ..barriers import BarrierModel
from ..counts import require_count
from ..crystal import Crystal, as_atoms
from ..engines.temperature import require_temperature
from ..engines.vacancies.fraction import VacancyFraction
from ..engines.vacancies.walker import ATTEMPT_RATE_PER_S, VacancyWalker
from ..kinetics.tracers import close_window, replay_counting
from ..kinetics.vacancy_walk import SLOWEST_PER_S
from ..rng import Seed, coerce_rng, kernel_state, own_seeds
from .diffusion_table import Diffusion, DiffusionTable, RealFraction
from .displacement_windows import (
    FEWEST,
    joined,
    longest_level,
    middle_level,
    ratio_of_sums,
    windowed_ratio,
)

WINDOW_HOPS = 1024
"""Hops of each vacancy in the shortest window."""
FEWEST_WINDOWS = 4 * FEWEST
A2_PER_S = 1e-20
"""In m^2/s."""


Fraction = VacancyFraction | Callable[[float], float] | float | str | Path


class _Windows(NamedTuple):
    """A run in windows of n kinds, each kind twice as long; M of the shortest."""

    squares: list[Array]  # (M / 2^k, S) sums over atoms of |R|^2, units of (a/2)^2
    jumps: Array  # (M, S) of atoms of each species; last of vacancies
    times_s: Array  # (M,) sums of mean residence times


def diffusion(
    atoms: Atoms,
    barriers: BarrierModel,
    temperatures_K: float | Sequence[float],
    hops: int,
    vacancy_fraction: Fraction | None = None,
    equilibration_hops: int | None = None,
    rng: Seed = None,
    attempt_rate: float = ATTEMPT_RATE_PER_S,
) -> DiffusionTable:
    """Diffusion coefficients of tracers and of vacancies, from kinetic Monte Carlo.

    Displacements are unwrapped, from site to site: in the frame of the lattice no drift of a centre
    of mass is to be taken away. Time is the sum of mean residence times, 1 / (total rate). Windows
    do not overlap: for tracers, of whom there are many, the longest of which there are 16 or more,
    for an alloy remembers long where an atom belongs; for vacancies shorter ones, which grow as the
    square root of the run. Errors know autocorrelation, and hold the change when windows became
    twice as long (`displacement_windows`). Where that is significant, D is too large and more hops
    are needed: a warning says so, and `Diffusion.settled`.

    Parameters
    ----------
    atoms : ase.Atoms or pymatgen Structure
        As for `VacancyKMC`; not changed. Every temperature starts from it.
    barriers : BarrierModel
    temperatures_K : float or sequence of float
    hops : int
        Of all vacancies together, at each temperature.
    vacancy_fraction : VacancyFraction, callable, float, str or Path, optional
        Vacancies per site in the laboratory: tracers diffuse c_v / x_v times as fast there.
    equilibration_hops : int, optional
        Before them; default: a quarter as many.
    rng : int, SeedSequence, Generator or None
    attempt_rate : float
        In 1/s.

    Returns
    -------
    DiffusionTable
        A row a temperature.

    Raises
    ------
    ValueError
        Before any hop, where there is no vacancy, or hops are too few, or something does not fit.
    """
    crystal = _free_crystal(atoms, barriers)
    hops = require_hops(hops, len(crystal.vacancies))
    before = hops // 4 if equilibration_hops is None else equilibration_hops
    before = require_count(before, "equilibration_hops")
    kelvin = _temperatures(temperatures_K)
    real = None if vacancy_fraction is None else real_fractions(vacancy_fraction, kelvin)
    barriers.check_use(crystal)
    seeds = zip(kelvin, own_seeds(coerce_rng(rng), len(kelvin)))
    walkers = [_walker(crystal, barriers, T, seed, attempt_rate) for T, seed in seeds]
    rows = []
    for T, walker in zip(kelvin, walkers):
        _hop(walker, before, T)
        rows.append(_measured(_sample(walker, hops, T), crystal, T))
    return DiffusionTable(tuple(rows), real)


def _temperatures(given: float | Sequence[float]) -> list[float]:
    if np.size(given) == 0:
        raise ValueError("temperatures_K must hold at least one temperature")
    return [require_temperature(T) for T in np.ravel(np.asarray(given)).tolist()]


def _free_crystal(atoms: Atoms, barriers: BarrierModel) -> Crystal:
    structure = as_atoms(atoms)
    if structure.constraints:
        raise ValueError("atoms are fixed: diffusion is that of a crystal that is free")
    return barriers.crystal(structure)


def require_hops(hops: Any, vacancies: int) -> int:
    """A number of hops that suffices for windows of this number of vacancies.

    Raises
    ------
    ValueError
        If it is too small, or there is no vacancy.
    """
    if vacancies == 0:
        raise ValueError("the crystal has no vacancy (X): put some in with --vacancies N")
    least = FEWEST_WINDOWS * WINDOW_HOPS * vacancies
    number = require_count(hops, "hops", 0)
    if number < least:
        raise ValueError(
            f"hops must be {least} or more, not {number}: {FEWEST_WINDOWS} windows in which each "
            f"of {vacancies} vacancies hops {WINDOW_HOPS} times"
        )
    return number


def real_fractions(fraction: Fraction, temperatures_K: Sequence[float]) -> RealFraction:
    """Vacancy fractions of the crystal in the laboratory.

    Raises
    ------
    ValueError, FileNotFoundError
        If one is not above 0 and below 1, or the file cannot be read.
    """
    known = fraction if callable(fraction) else VacancyFraction.of(fraction)
    found = [float(known(T)) for T in temperatures_K]
    for T, value in zip(temperatures_K, found):
        if not 0 < value < 1:
            raise ValueError(
                f"vacancy fraction must be above 0 and below 1, not {value} at {T:g} K"
            )
    errors = [
        known.log_error(T) if isinstance(known, VacancyFraction) else 0.0 for T in temperatures_K
    ]
    return RealFraction(np.array(found), np.array(errors))


def _walker(
    crystal: Crystal, barriers: BarrierModel, T: float, seed: Seed, attempt_rate: float
) -> VacancyWalker:
    state = kernel_state(seed)
    walker = VacancyWalker(
        crystal.grid, crystal.occupation, barriers, T, state, attempt_rate=attempt_rate
    )
    if not walker.rates.sum() >= SLOWEST_PER_S:
        raise ValueError(f"no vacancy can hop at {T:g} K: all rates are 0")
    return walker


def _hop(
    walker: VacancyWalker, hops: int, T: float, trail: NDArray[np.int64] | None = None
) -> float:
    """Let vacancies hop; the sum of mean residence times, in s."""
    walked = walker.advance(max_hops=hops, trail=trail)
    if walked.hops < hops:
        raise ValueError(f"no vacancy can hop any more at {T:g} K")
    return walked.exposure_s


def _sample(walker: VacancyWalker, hops: int, T: float) -> _Windows:
    """Hops in windows; the first few, which do not fill the longest kind, are left out."""
    length = WINDOW_HOPS * len(walker.sites)
    levels = 1 + longest_level(hops // length)
    whole = hops // length >> (levels - 1) << (levels - 1)
    _hop(walker, hops - whole * length, T)
    species = walker.occupation
    n, n_species = len(species), int(walker.bonds.shape[-1])
    label, moved = np.arange(n), np.zeros((n, 3), dtype=np.int64)
    origins = [np.zeros_like(moved) for _ in range(levels)]
    squares = [np.zeros((whole >> k, n_species), dtype=np.int64) for k in range(levels)]
    jumps, times = np.zeros((whole, n_species), dtype=np.int64), np.empty(whole)
    basis = np.array(walker.grid.lattice.basis, dtype=np.int64)
    trail = np.empty((length, 2), dtype=np.int64)
    for w in tqdm(range(whole), desc=f"{T:g} K", unit="window", disable=None, leave=False):
        times[w] = _hop(walker, length, T, trail)
        replay_counting(walker.geometry, basis, trail, label, moved, species, jumps[w])
        for k in range(levels):
            if (w + 1) % 2**k == 0:
                close_window(moved, origins[k], species, squares[k][w >> k])
    jumps[:, -1] = length
    return _Windows([s.astype(float) for s in squares], jumps.astype(float), times)


def _measured(windows: _Windows, crystal: Crystal, T: float) -> Diffusion:
    """Coefficients, correlation factors and frequencies of the species that are there."""
    present = np.flatnonzero(crystal.counts)
    names = tuple(crystal.species[s] for s in present)
    levels = [len(windows.squares) - 1] * (len(names) - 1)
    levels.append(min(middle_level(len(windows.times_s)), len(windows.squares) - 1))
    jump = float((crystal.grid.lattice.shells(1)[0][0] ** 2).sum())
    columns, settled = [], []
    for s, k, n in zip(present, levels, crystal.counts[present]):
        halves, wholes = windows.squares[k - 1][:, s], windows.squares[k][:, s]
        times, jumps = joined(windows.times_s, k), joined(windows.jumps[:, s], k)
        scale = _half_squared_A2(crystal) * A2_PER_S / (6 * n)
        own = windowed_ratio(scale * halves, scale * wholes, times)
        factor = windowed_ratio(halves, wholes, jump * jumps)
        frequency = ratio_of_sums(windows.jumps[:, s], n * windows.times_s)
        columns.append((own.value, own.error, factor.value, factor.error, *frequency))
        settled.append(own.settled)
    used = WINDOW_HOPS * len(crystal.vacancies) * 2 ** np.array(levels)
    if not all(settled):
        moving = ", ".join(name for name, still in zip(names, settled) if not still)
        warnings.warn(
            f"at {T:g} K D of {moving} still changes when windows of {used.max() // 2} hops become "
            "twice as long: it is too large, and more hops are needed",
            stacklevel=3,
        )
    D, D_error, f, f_error, nu, nu_error = np.array(columns).T
    return Diffusion(
        temperature_K=T,
        species=names,
        coefficient_m2_s=D,
        coefficient_error=D_error,
        correlation=f,
        correlation_error=f_error,
        jumps_per_s=nu,
        jumps_error=nu_error,
        window_hops=used,
        settled=np.array(settled),
        vacancy_fraction=len(crystal.vacancies) / crystal.grid.n_sites,
        hops=int(windows.jumps[:, -1].sum()),
        time_s=float(windows.times_s.sum()),
    )


def _half_squared_A2(crystal: Crystal) -> float:
    """(a/2)^2 in A^2, the mean over the axes: what |R|^2 means where these differ."""
    vectors = crystal.template.cell.array / np.array(crystal.grid.size)[:, None]
    return float((vectors**2).sum() / 12)
