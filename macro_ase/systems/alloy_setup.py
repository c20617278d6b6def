"""An alloy study's system from its settings: the crystals, the vacancies, the barriers."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from ase.io import read
from numpy.typing import NDArray

from ..barriers import BarrierModel, KRABarriers, PairEnergy
from ..barriers.fitting import energy_of
from ..barriers.load import load_barriers
from ..build import nearest_counts, parse_composition
from ..kinetics.padding import HALO
from ..lattice import BCC, Crystal, SiteGrid
from ..rng import stream
from .alloy import Alloy

N_SMALL_STATES = 8
BOUNDARIES = ("embedded", "periodic")


def alloy_from_config(config: dict[str, Any]) -> tuple[Alloy, list[str]]:
    """The system of an alloy study, and what should be said about how it was made.

    Raises
    ------
    ValueError, FileNotFoundError
        Naming the setting and what is wrong with it.
    """
    settings, seed = config["system"], config["seed"]
    if settings["boundary"] not in BOUNDARIES:
        raise ValueError(
            f"system.boundary must be one of {', '.join(BOUNDARIES)}, not {settings['boundary']!r}"
        )
    if settings["sites_per_vacancy"] < 2:
        raise ValueError(
            f"system.sites_per_vacancy must be at least 2, not {settings['sites_per_vacancy']}"
        )
    if not 1 <= settings["shells"] <= 3:
        raise ValueError(f"system.shells must be 1, 2 or 3, not {settings['shells']}")
    barriers = load_barriers(settings["barriers"] or None)
    crystal, notes = _large_crystal(settings, barriers, seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        barriers.check_composition(crystal)
    for warning in caught:
        warnings.warn(str(warning.message), stacklevel=2)
        notes.append(f"Warning: {warning.message}.")
    if settings["structure"]:
        notes.append("The settings large_size, composition and lattice_constant_A are not used.")
    if np.count_nonzero(crystal.counts[:-1]) < 2:
        raise ValueError("short-range order needs atoms of at least two species")
    small = _grid(settings, "small_size")
    _check_patch(small, crystal.grid)
    occupation, added = _with_vacancies(crystal, settings["sites_per_vacancy"], seed)
    notes += added
    alloy = Alloy(
        barriers=barriers,
        healing_energy=_healing_energy(barriers),
        small=small,
        large=crystal.grid,
        small_states=_small_states(occupation, small, crystal.grid, crystal.vacancy_code, seed),
        large_state=occupation,
        shells=settings["shells"],
        boundary=settings["boundary"],
    )
    return alloy, notes


def _large_crystal(
    settings: dict[str, Any], barriers: BarrierModel, seed: int
) -> tuple[Crystal, list[str]]:
    if settings["structure"]:
        file = Path(settings["structure"])
        if not file.is_file():
            raise FileNotFoundError(f"no such file: {file}")
        crystal = _read(file, barriers)
        return crystal, [f"Initial state of the large system: {file.name}, {_describe(crystal)}."]
    grid = _grid(settings, "large_size")
    fractions = parse_composition(settings["composition"])
    unknown = sorted(set(fractions) - set(barriers.species))
    if unknown:
        raise ValueError(
            f"system.composition: {', '.join(unknown)} not among the barrier model's "
            f"{', '.join(barriers.species)}"
        )
    shares = [fractions.get(name, 0.0) for name in barriers.species]
    codes = np.repeat(np.arange(len(shares)), nearest_counts(shares, grid.n_sites))
    rng = np.random.default_rng(stream(seed, "large"))
    crystal = Crystal.from_sites(
        grid, barriers.species, rng.permutation(codes), settings["lattice_constant_A"]
    )
    return crystal, [f"Initial state of the large system: a random alloy, {_describe(crystal)}."]


def _read(file: Path, barriers: BarrierModel) -> Crystal:
    try:
        structure = read(file)
    except Exception as error:  # each of ASE's readers raises its own kind
        raise ValueError(f"{file} cannot be read as a structure: {error!r}") from error
    try:
        return barriers.crystal(structure)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _grid(settings: dict[str, Any], key: str) -> SiteGrid:
    size = settings[key]
    if len(size) != 3 or min(size) < HALO:
        raise ValueError(f"system.{key} must be three numbers of at least {HALO}, not {size}")
    return SiteGrid(BCC, tuple(size))


def _describe(crystal: Crystal) -> str:
    parts = [f"{n} {name}" for name, n in zip(crystal.species, crystal.counts) if n]
    return f"{' x '.join(map(str, crystal.grid.size))} bcc cells ({', '.join(parts)})"


def _check_patch(small: SiteGrid, large: SiteGrid) -> None:
    if any(big % n for n, big in zip(small.size, large.size)):
        divisors = [[n for n in range(HALO, big + 1) if big % n == 0] for big in large.size]
        raise ValueError(
            f"system.small_size {list(small.size)} does not divide the large system's "
            f"{list(large.size)} cells; along each axis it may be one of {divisors}"
        )


def _with_vacancies(
    crystal: Crystal, sites_per_vacancy: int, seed: int
) -> tuple[NDArray[np.int8], list[str]]:
    """Species codes with at least one vacancy, and what was put in."""
    occupation = crystal.occupation.copy()
    if len(crystal.vacancies):
        return occupation, [f"It has {len(crystal.vacancies)} vacancies of its own."]
    number = max(1, round(crystal.grid.n_sites / sites_per_vacancy))
    rng = np.random.default_rng(stream(seed, "vacancies"))
    occupation[rng.choice(crystal.grid.n_sites, number, replace=False)] = crystal.vacancy_code
    return occupation, [
        f"It came without vacancies: {number} put in at random places, "
        f"one per {crystal.grid.n_sites // number} sites."
    ]


def _small_states(
    occupation: NDArray[np.int8], small: SiteGrid, large: SiteGrid, vacancy: int, seed: int
) -> NDArray[np.int8]:
    """Initial states of small runs: blocks cut from the large one, brought to its composition."""
    shares = np.bincount(occupation, minlength=vacancy + 1) / len(occupation)
    wanted = np.zeros(vacancy + 1, dtype=np.int64)
    wanted[-1] = max(1, round(shares[-1] * small.n_sites))
    wanted[:-1] = nearest_counts(shares[:-1] / shares[:-1].sum(), small.n_sites - wanted[-1])
    cells = occupation.reshape(*large.size, -1)
    states = []
    for k in range(N_SMALL_STATES):
        rng = np.random.default_rng(stream(seed, "cut", k))
        shift = tuple(-int(rng.integers(n)) for n in large.size)
        block = np.roll(cells, shift, axis=(0, 1, 2))[tuple(slice(n) for n in small.size)]
        states.append(_at_composition(block.ravel(), wanted, rng))
    return np.array(states, dtype=np.int8)


def _at_composition(
    state: NDArray[np.int8], wanted: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int8]:
    """A state with as few random sites changed as its numbers of species ask for."""
    state = state.copy()
    excess = np.bincount(state, minlength=len(wanted)) - wanted
    freed = [
        rng.choice(np.flatnonzero(state == code), extra, replace=False)
        for code, extra in enumerate(excess)
        if extra > 0
    ]
    if freed:
        missing = np.repeat(np.arange(len(wanted)), np.maximum(-excess, 0))
        state[np.concatenate(freed)] = rng.permutation(missing)
    return state


def _healing_energy(barriers: BarrierModel) -> PairEnergy:
    """The model's own energy, or for a network one fitted to its barriers."""
    if isinstance(barriers, KRABarriers):
        return barriers.energy
    return energy_of(barriers)
