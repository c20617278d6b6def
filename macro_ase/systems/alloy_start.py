"""Initial states of an alloy study: the large crystal, and small ones cut from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..barriers.shipped import models_of
from ..build import nearest_counts, parse_composition
from ..crystal import Crystal
from ..kinetics.padding import HALO
from ..lattice import BCC, VACANCY, SiteGrid
from ..memory import require_memory
from ..ratios import either, near_divisors
from ..refusals import Refused
from ..rng import stream
from ..site_cells import SiteCells
from ..structure_files import read_structure

N_SMALL_STATES = 8
BYTES_PER_SITE = 300


def large_crystal(
    settings: dict[str, Any], species: tuple[str, ...], seed: int
) -> tuple[Crystal, list[str]]:
    """The large system's initial crystal, from a file or at random, and where it came from.

    Raises
    ------
    ValueError, FileNotFoundError
        Naming the setting and what is wrong with it.
    """
    if settings["structure"]:
        file = settings["structure"]
        crystal = _read(file, species, settings["structure_species"] or None)
        return crystal, [
            f"Initial state of the large system: {Path(file).name}, {_describe(crystal)}.",
            "The settings large_size, composition and lattice_constant_A are not used.",
        ]
    grid = grid_from(settings, "large_size")
    fractions = parse_composition(settings["composition"])
    unknown = sorted(set(fractions) - set(species))
    if unknown:
        wider = models_of(fractions) if "barriers" in settings else []
        raise Refused(
            f"system.composition: {', '.join(unknown)} not among the model's {', '.join(species)}",
            {"system.barriers": wider[0]} if wider else {"system.composition": "".join(species)},
        )
    shares = [fractions.get(name, 0.0) for name in species]
    codes = np.repeat(np.arange(len(shares)), nearest_counts(shares, grid.n_sites))
    rng = np.random.default_rng(stream(seed, "large"))
    crystal = Crystal.from_sites(
        grid, species, rng.permutation(codes), settings["lattice_constant_A"]
    )
    return crystal, [f"Initial state of the large system: a random alloy, {_describe(crystal)}."]


def _read(file: str, species: tuple[str, ...], of_types: Sequence[str] | None) -> Crystal:
    structure = read_structure(file, species=of_types)
    strange = {*structure.get_chemical_symbols()} - {*species, VACANCY}
    if strange:
        raise ValueError(
            f"{file}: species {', '.join(sorted(strange))} not among {', '.join(species)}; the "
            "study swap takes any: macro-ase run swap --structure FILE --calculator KIND:SPEC"
        )
    try:
        return Crystal.from_atoms(structure, species=species)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def grid_from(settings: dict[str, Any], key: str) -> SiteGrid:
    """The block of bcc cells that a setting names."""
    return block_of_cells(settings[key], f"system.{key}")


def block_of_cells(size: Sequence[int], what: str) -> SiteGrid:
    """A block of bcc cells that fits into memory; ``what`` names its size in errors.

    Raises
    ------
    ValueError
    """
    if len(size) != 3 or min(size) < HALO:
        text = f"{what} must be three numbers of at least {HALO}, not {list(size)}"
        raise Refused(text, {what: three_numbers(size, HALO)})
    n_sites = math.prod(size) * BCC.n_basis
    require_memory(BYTES_PER_SITE * n_sites, f"{what} = {list(size)} of {n_sites} sites")
    x, y, z = size
    return SiteGrid(BCC, (x, y, z))


def three_numbers(size: Sequence[int], least: int) -> list[int]:
    """The nearest that may be a size: three numbers of ``least`` or more, the last one repeated."""
    given = [max(n, least) for n in size] or [least]
    return (given + given[-1:] * 2)[:3]


def _describe(crystal: Crystal) -> str:
    parts = [f"{n} {name}" for name, n in zip(crystal.species, crystal.counts) if n]
    return f"{' x '.join(map(str, crystal.grid.size))} bcc cells ({', '.join(parts)})"


def check_division(small: SiteGrid, large: SiteGrid) -> None:
    """Raise ValueError unless the small system divides the large one."""
    if any(big % n for n, big in zip(small.size, large.size)):
        near = [near_divisors(n, big, HALO) for n, big in zip(small.size, large.size)]
        raise Refused(
            f"system.small_size {list(small.size)} does not divide the large system's "
            f"{list(large.size)} cells; the nearest along each axis: "
            f"{', '.join(map(either, near))}",
            {"system.small_size": [sizes[0] for sizes in near]},
        )


def check_alone(small: SiteGrid, large: SiteGrid, boundary: str) -> None:
    """Raise ValueError unless vacancies can evolve in small crystals cut from the large one."""
    if any(n > big for n, big in zip(small.size, large.size)):
        raise Refused(
            f"system.small_size {list(small.size)} is larger than the large system's "
            f"{list(large.size)} cells: make it smaller, or system.large_size larger",
            {"system.small_size": list(map(min, small.size, large.size))},
        )
    if boundary != "embedded":
        raise Refused(
            f"system.boundary must be embedded where states do not grow, not {boundary!r}; tiles "
            "need sampling.grow=true",
            {"system.boundary": "embedded"},
        )


def with_vacancies(
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


def small_states(
    occupation: NDArray[np.int8],
    small: SiteGrid | SiteCells,
    large: SiteGrid | SiteCells,
    vacancy: int,
    seed: int,
) -> NDArray[np.int8]:
    """Initial states of small runs: blocks cut from the large one, brought to its composition."""
    shares = np.bincount(occupation, minlength=vacancy + 1) / len(occupation)
    wanted = np.zeros(vacancy + 1, dtype=np.int64)
    wanted[-1] = max(1, round(shares[-1] * small.n_sites)) if shares[-1] else 0
    wanted[:-1] = nearest_counts(shares[:-1] / shares[:-1].sum(), small.n_sites - wanted[-1])
    _require_every_species(shares[:-1], wanted[:-1], small)
    cells = occupation.reshape(*large.size, -1)
    states = []
    for k in range(N_SMALL_STATES):
        rng = np.random.default_rng(stream(seed, "cut", k))
        shift = tuple(-int(rng.integers(n)) for n in large.size)
        block = np.roll(cells, shift, axis=(0, 1, 2))[tuple(slice(n) for n in small.size)]
        states.append(_at_composition(block.ravel(), wanted, rng))
    return np.array(states, dtype=np.int8)


def _require_every_species(
    shares: NDArray[np.float64], counts: NDArray[np.int64], small: SiteGrid | SiteCells
) -> None:
    """Refuse small crystals without a species that the large one has."""
    lost = shares[(shares > 0) & (counts == 0)]
    if len(lost):
        wider = (1 / (lost.min() * small.n_sites)) ** (1 / 3)
        raise Refused(
            f"system.small_size = {list(small.size)}: its {small.n_sites} sites hold no atom of a "
            f"species of which the large crystal has a share of {lost.min():.2g}",
            {"system.small_size": [math.ceil(wider * n) for n in small.size]},
        )


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
