"""The system of a study of swaps in a person's own alloy: any lattice, any calculator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from ..build import default_lattice_constant_A, nearest_counts, parse_composition
from ..lattice import FCC, LATTICES, VACANCY
from ..memory import require_memory
from ..ratios import either, near_divisors
from ..refusals import Refused
from ..rng import stream
from ..site_cells import SiteCells
from ..structure_files import read_structure
from .alloy_start import BYTES_PER_SITE, small_states, three_numbers
from .alloy_swap import SwapAlloy
from .calculator_swaps import CalculatorSwaps
from .swap_choice import swap_engine

HCP = "hcp"
MOST_SHELLS = 6
UNUSED = "The settings lattice, large_size, composition and lattice_constant_A are not used."
VACANT = "Vacant sites swap as atoms do; order is that of the atoms."
Size = tuple[int, int, int]
Numbers = NDArray[np.int64]


def sites_from_config(config: dict[str, Any]) -> tuple[SwapAlloy, list[str]]:
    """The system, and what should be said of how it was made.

    Raises
    ------
    ValueError, FileNotFoundError
        Naming the setting and what is wrong with it.
    """
    settings, seed = config["system"], config["seed"]
    shells = settings["shells"]
    if not 1 <= shells <= MOST_SHELLS:
        text = f"system.shells must be 1 to {MOST_SHELLS}, not {shells}"
        raise Refused(text, {"system.shells": min(max(shells, 1), MOST_SHELLS)})
    large, numbers, notes = large_sites(settings, seed)
    species = tuple(chemical_symbols[z] for z in np.unique(numbers) if z)
    if len(species) < 2:
        raise ValueError(f"order needs atoms of at least two species, not of {species[0]} alone")
    state = codes_of(numbers, species)
    small = large.resized(_size(settings, "small_size"))
    patch = _size(settings, "patch_size")
    _check_sizes(patch, settings["buffer_cells"], small.size, large.size)
    swaps, said = swap_engine(settings, species, shells, large.name)
    if isinstance(swaps, CalculatorSwaps) and not numbers.all():
        raise ValueError(
            f"system.structure: {np.sum(numbers == 0)} of {len(numbers)} sites are vacant, which "
            "energies of tables and pair energies on the ideal sites can have, not those of "
            f"{settings['calculator']} on {settings['sites']} ones: fill them with atoms"
        )
    alloy = SwapAlloy(
        swaps=swaps,
        small=small,
        large=large,
        small_states=small_states(state, small, large, len(species), seed),
        large_state=state,
        random_start=not settings["structure"],
        shells=shells,
        buffer_cells=settings["buffer_cells"],
        patch_size=patch,
    )
    if isinstance(swaps, CalculatorSwaps):
        _check_calculator(swaps, small, alloy)
    return alloy, [*notes, said]


def codes_of(numbers: Numbers, species: Sequence[str]) -> NDArray[np.int8]:
    """Species codes of atomic numbers, shape (n,); the last of a vacancy, number 0.

    Raises
    ------
    ValueError
        If one is none of the species.
    """
    known = [chemical_symbols.index(name) for name in (*species, VACANCY)]
    strange = sorted({chemical_symbols[z] for z in np.unique(numbers) if z not in known})
    if strange:
        raise ValueError(f"species {', '.join(strange)} not among {', '.join(species)}")
    code = np.zeros(len(chemical_symbols), dtype=np.int8)
    code[known] = np.arange(len(known))
    return code[numbers]


def large_sites(settings: dict[str, Any], seed: int) -> tuple[SiteCells, Numbers, list[str]]:
    """The large crystal and the atomic numbers on its sites, from a file or at random.

    Raises
    ------
    ValueError, FileNotFoundError
        Naming the setting and what is wrong with it.
    """
    file = settings["structure"]
    if file:
        structure = read_structure(file, species=settings["structure_species"] or None)
        try:
            cells, numbers = SiteCells.of(structure, vacancies=True)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
        what = f"{Path(file).name}, {_describe(cells, numbers)}"
        notes = [f"Initial state of the large system: {what}.", UNUSED]
        return cells, numbers, notes if numbers.all() else [*notes, VACANT]
    fractions = parse_composition(settings["composition"])
    name, size = settings["lattice"], _size(settings, "large_size")
    cells = _perfect(name, fractions, settings["lattice_constant_A"]).resized(size)
    require_memory(BYTES_PER_SITE * cells.n_sites, f"system.large_size = {list(size)}")
    numbers = random_numbers(cells, fractions, seed)
    what = f"a random alloy, {_describe(cells, numbers)}"
    return cells, numbers, [f"Initial state of the large system: {what}."]


def random_numbers(cells: SiteCells, fractions: Mapping[str, float], seed: int) -> Numbers:
    """Atomic numbers on sites at random, in shares by symbol."""
    counts = nearest_counts(list(fractions.values()), cells.n_sites)
    kinds = np.repeat([chemical_symbols.index(symbol) for symbol in fractions], counts)
    return np.random.default_rng(stream(seed, "large")).permutation(kinds)


def _perfect(name: str, fractions: Mapping[str, float], constant_A: float) -> SiteCells:
    """One cell of a lattice: cubic, or of hcp the primitive one with the ideal c / a."""
    if name not in (*LATTICES, HCP):
        known = ", ".join([*LATTICES, HCP])
        raise ValueError(f"system.lattice must be one of {known}, not {name!r}")
    if constant_A < 0:
        raise ValueError(f"system.lattice_constant_A must be 0 or more, not {constant_A:g}")
    if name != HCP:
        a = constant_A or default_lattice_constant_A(LATTICES[name], fractions)
        basis = tuple((x / 2, y / 2, z / 2) for x, y, z in LATTICES[name].basis)
        return SiteCells(name, ((a, 0.0, 0.0), (0.0, a, 0.0), (0.0, 0.0, a)), basis, (1, 1, 1))
    a = constant_A or default_lattice_constant_A(FCC, fractions) / math.sqrt(2)
    edges = (
        (a, 0.0, 0.0),
        (-a / 2, a * math.sqrt(3) / 2, 0.0),
        (0.0, 0.0, a * math.sqrt(8 / 3)),
    )
    return SiteCells(HCP, edges, ((0.0, 0.0, 0.0), (1 / 3, 2 / 3, 0.5)), (1, 1, 1))


def _check_calculator(swaps: CalculatorSwaps, small: SiteCells, alloy: SwapAlloy) -> None:
    """Raise ValueError, naming the setting, if the calculator cannot do the alloy."""
    try:
        swaps.check(small, alloy.small_states[0])
    except ValueError as error:
        hint = ": set system.halo_A (A)" if "halo_A" in str(error) else ""
        raise ValueError(f"system.calculator: {error}{hint}") from error


def _size(settings: dict[str, Any], key: str) -> Size:
    size = settings[key]
    if len(size) != 3 or min(size) < 1:
        text = f"system.{key} must be three numbers of at least 1, not {list(size)}"
        raise Refused(text, {f"system.{key}": three_numbers(size, 1)})
    x, y, z = size
    return x, y, z


def _check_sizes(patch: Size, buffer: int, small: Size, large: Size) -> None:
    """Patches tile the small system, with room for their buffers, and it fits the large one."""
    if any(n > big for n, big in zip(small, large)):
        raise Refused(
            f"system.small_size {list(small)} is larger than the large system's {list(large)} "
            "cells",
            {"system.small_size": list(map(min, small, large))},
        )
    if any(n % p for p, n in zip(patch, small)):
        near = [near_divisors(p, n) for p, n in zip(patch, small)]
        raise Refused(
            f"system.patch_size {list(patch)} does not divide system.small_size {list(small)}; the "
            f"nearest along each axis: {', '.join(map(either, near))}",
            {"system.patch_size": [sizes[0] for sizes in near]},
        )
    if buffer < 1:
        text = f"system.buffer_cells must be at least 1, not {buffer}"
        raise Refused(text, {"system.buffer_cells": 1})
    if any(p + 2 * buffer > n for p, n in zip(patch, small)):
        wide = [p * math.ceil((p + 2 * buffer) / p) for p in patch]
        raise Refused(
            f"a patch of {list(patch)} cells with a buffer of {buffer} does not fit into "
            f"system.small_size {list(small)}: make this larger, or system.patch_size smaller",
            {"system.small_size": list(map(max, small, wide))},
        )


def _describe(cells: SiteCells, numbers: Numbers) -> str:
    kinds, counts = np.unique(numbers, return_counts=True)
    names = [chemical_symbols[z] if z else "vacant" for z in kinds]
    parts = ", ".join(f"{n} {name}" for name, n in zip(names, counts))
    what = f"{cells.name} cells" if cells.name else f"cells of {cells.n_basis} sites"
    return f"{' x '.join(map(str, cells.size))} {what} ({parts})"
