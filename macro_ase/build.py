"""Crystals to start from: a lattice, a composition, and who sits where."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, reference_states
from numpy.typing import NDArray

from macro_ase.counts import require_count
from macro_ase.crystal import Crystal
from macro_ase.lattice import LATTICES, Lattice, SiteGrid
from macro_ase.memory import require_memory
from macro_ase.rng import Seed, coerce_rng
from macro_ase.sublattices import PHASES, sublattices, two_cells_repeat

NBMOTA_LATTICE_CONSTANT_A = 3.24
FRACTION_TOLERANCE = 0.02
BYTES_PER_SITE = 100


def build_crystal(
    lattice: str = "bcc",
    composition: str | Mapping[str, float] = "Nb0.33Mo0.33Ta0.34",
    size: Sequence[int] = (8, 8, 8),
    vacancies: int = 0,
    ordered: str | None = None,
    lattice_constant_A: float | None = None,
    rng: Seed = None,
) -> Atoms:
    """A random or ordered solid solution on a perfect lattice.

    Parameters
    ----------
    lattice : str
        ``"bcc"``, ``"fcc"`` or ``"cubic"``.
    composition : str or mapping
        Atomic fractions, such as ``"Nb0.33Mo0.33Ta0.34"`` or ``{"Nb": 0.5, "Mo": 0.5}``; without
        numbers (``"NbMoTa"``) equal parts. The cell takes the nearest whole numbers of atoms.
        Fractions that add to 1 within 2 % are normalised.
    size : three int
        Conventional cells along each axis.
    vacancies : int
        Atoms taken out at random and marked ``X``.
    ordered : str, optional
        ``"B2"`` or ``"D0_3"`` of bcc, ``"L1_2"`` or ``"L1_0"`` of fcc. B2: the first species named
        fills the cube corners and the second the cube centres; L1_0: planes along z by turns;
        L1_2, D0_3: the scarcer of these two fills one of four sublattices (`sublattices`), the
        other the rest. All as far as their counts and the sites allow; everything else is put on
        what is left at random. By default all sites are occupied at random.
    lattice_constant_A : float, optional
        In A. By default 3.24 for bcc Nb-Mo-Ta; otherwise from the mean atomic volume of the
        elements in ASE's table of reference states.
    rng : int, SeedSequence, Generator or None
        Seed of the random occupation.

    Returns
    -------
    ase.Atoms
        In the order of the lattice sites, vacancies included.

    Raises
    ------
    ValueError
        If the lattice, the composition, the size, the order or a number is not possible.
    """
    grid = _grid(lattice, size)
    fractions = parse_composition(composition)
    vacancies = require_count(vacancies, "vacancies", 0, grid.n_sites - 1)
    if lattice_constant_A is None:
        lattice_constant_A = default_lattice_constant_A(grid.lattice, fractions)
    generator = coerce_rng(rng)
    counts = nearest_counts(list(fractions.values()), grid.n_sites)
    if ordered is None:
        occupation = generator.permutation(np.repeat(np.arange(len(counts)), counts))
    else:
        occupation = _ordered(ordered, grid, counts, generator)
    occupation[generator.choice(grid.n_sites, vacancies, replace=False)] = len(counts)
    crystal = Crystal.from_sites(grid, tuple(fractions), occupation, lattice_constant_A)
    return crystal.to_atoms()


def parse_composition(composition: str | Mapping[str, float]) -> dict[str, float]:
    """Atomic fractions by symbol, in the order named, adding to 1.

    Raises
    ------
    ValueError
        If it is not a composition, names an unknown element, or does not add to 1 within 2 %.
    """
    given = _read_formula(composition) if isinstance(composition, str) else dict(composition)
    for symbol, fraction in given.items():
        if atomic_numbers.get(symbol, 0) == 0:
            raise ValueError(f"unknown element {symbol!r} in the composition {composition!r}")
        if not 0 <= fraction <= 1 + FRACTION_TOLERANCE:
            raise ValueError(f"the fraction of {symbol} must be 0 to 1, not {fraction:g}")
    total = sum(given.values())
    if abs(total - 1) > FRACTION_TOLERANCE:
        raise ValueError(f"the fractions of {composition!r} add to {total:g}, not to 1")
    return {symbol: fraction / total for symbol, fraction in given.items()}


def nearest_counts(fractions: Sequence[float], total: int) -> NDArray[np.int64]:
    """Whole numbers nearest to ``fractions * total`` that add to ``total``.

    The largest remainders are rounded up; the first named wins a tie.
    """
    exact = np.asarray(fractions) * total
    counts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-np.round(exact - counts, 9), kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts


def default_lattice_constant_A(lattice: Lattice, fractions: Mapping[str, float]) -> float:
    """Lattice constant in A from the mean atomic volume of the elements (Zen's law).

    Volumes are those of the elements' reference states in `ase.data`; bcc Nb-Mo-Ta gets the
    3.24 A of the NbMoTa simulations.

    Raises
    ------
    ValueError
        If an element's reference state is not bcc, fcc, hcp, cubic or diamond.
    """
    if lattice.name == "bcc" and set(fractions) == {"Nb", "Mo", "Ta"}:
        return NBMOTA_LATTICE_CONSTANT_A
    volume = sum(fraction * _atomic_volume_A3(symbol) for symbol, fraction in fractions.items())
    return float((volume * lattice.n_basis) ** (1 / 3))


def _atomic_volume_A3(symbol: str) -> float:
    state: dict[str, Any] = reference_states[atomic_numbers[symbol]] or {}
    cells = {"bcc": 1 / 2, "fcc": 1 / 4, "sc": 1.0, "diamond": 1 / 8}
    cells["hcp"] = math.sqrt(3) / 4 * state.get("c/a", math.nan)
    structure = str(state.get("symmetry"))
    if structure not in cells:
        raise ValueError(
            f"no default lattice constant for {symbol}: give lattice_constant_A "
            "(--lattice-constant)"
        )
    return float(cells[structure] * state["a"] ** 3)


def _read_formula(formula: str) -> dict[str, float]:
    """Fractions as written; whole numbers are parts, and none is one: NbMoTa, AuCu3, Cr20Fe80."""
    parts = re.findall(r"([A-Z][a-z]?)(\d*\.?\d*)", formula)
    if not parts or "".join(symbol + number for symbol, number in parts) != formula:
        raise ValueError(f"not a composition: {formula!r}; write it like Nb0.33Mo0.33Ta0.34")
    symbols = [symbol for symbol, _ in parts]
    if len(set(symbols)) < len(symbols):
        raise ValueError(f"an element is named twice in {formula!r}")
    if all(number == "" or number.isdecimal() for _, number in parts):
        amounts = [float(number or 1) for _, number in parts]
        if sum(amounts) == 0:
            raise ValueError(f"all parts of {formula!r} are 0")
        return {symbol: n / sum(amounts) for symbol, n in zip(symbols, amounts)}
    try:
        return {symbol: float(number) for symbol, number in parts}
    except ValueError as error:
        raise ValueError(f"each element of {formula!r} needs its fraction") from error


def _grid(lattice: str, size: Sequence[int]) -> SiteGrid:
    """The sites, where lattice and size are possible and the memory suffices."""
    if lattice not in LATTICES:
        raise ValueError(f"unknown lattice {lattice!r}; one of {', '.join(LATTICES)}")
    cells = tuple(require_count(n, "size", 1) for n in size)
    n_sites = math.prod(cells) * LATTICES[lattice].n_basis
    require_memory(BYTES_PER_SITE * n_sites, f"a crystal of {n_sites} sites")
    return SiteGrid(LATTICES[lattice], cells)  # type: ignore[arg-type]


def _ordered(
    order: str, grid: SiteGrid, counts: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Species codes, shape (n_sites,), ordered as far as the counts allow."""
    _check_order(order, grid, len(counts))
    filled = PHASES[order][1]
    here = np.isin(sublattices(grid), filled)
    scarcer_first = len(filled) == 1 and counts[1] < counts[0]
    occupation, left = np.full(grid.n_sites, -1), counts.copy()
    for species, own in zip((1, 0) if scarcer_first else (0, 1), (here, ~here)):
        sites = np.flatnonzero(own)
        taken = min(int(counts[species]), len(sites))
        occupation[generator.choice(sites, taken, replace=False)] = species
        left[species] -= taken
    rest = np.repeat(np.arange(len(counts)), left)
    occupation[occupation < 0] = generator.permutation(rest)
    return occupation


def _check_order(order: str, grid: SiteGrid, n_species: int) -> None:
    """Raise ValueError for an order that the sites or species cannot have."""
    name = grid.lattice.name
    if PHASES.get(order, ("",))[0] != name:
        known = ", ".join(f"{phase} of {of}" for phase, (of, _) in PHASES.items())
        raise ValueError(f"no order {order!r} on the {name} lattice: it is one of {known}")
    if n_species < 2:
        raise ValueError(f"{order} order needs at least two species")
    if order == "D0_3" and not two_cells_repeat(grid):
        raise ValueError(
            f"D0_3 repeats every two cells: size must be even along each axis, not "
            f"{list(grid.size)}"
        )
