"""Who swaps the atoms of an alloy by the energies of a calculator in words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..barriers.kra import KRABarriers
from ..barriers.shipped import barrier_file
from ..engines.calculators import calculator_files
from .calculator_swaps import CalculatorSwaps, table_of
from .swap_engines import EAMSwaps, PairSwaps, SwapEngine

PAIR = "pair:"
SITES = {
    "ideal": "on the ideal sites, of the atoms around each swap",
    "relaxed": "with positions that relax after each trial, by {by}",
    "thermal": "of atoms that vibrate, with some 7 calls of the calculator before each trial",
}
"""What is said of energies where a calculator is called."""


def swap_engine(
    settings: dict[str, Any], species: tuple[str, ...], shells: int, lattice: str
) -> tuple[SwapEngine, str]:
    """What swaps the atoms, and what should be said of it: compiled where energies are of a table.

    Raises
    ------
    ValueError, FileNotFoundError
        If the calculator is none, or does not know the species or the lattice.
    """
    text, halo_A, sites = settings["calculator"].strip(), settings["halo_A"], settings["sites"]
    if sites not in SITES:
        raise ValueError(f"system.sites must be one of {', '.join(SITES)}, not {sites!r}")
    if not (math.isfinite(halo_A) and halo_A >= 0):
        raise ValueError(f"system.halo_A must be 0 or more, not {halo_A:g}")
    by_kernel = f"Energies of {text} on the ideal sites, by the compiled kernel of "
    try:
        if text.startswith(PAIR):
            return _pair(text, halo_A, sites, species, shells, lattice), f"{by_kernel}pairs."
        table = table_of(text, species)
    except (ValueError, FileNotFoundError) as error:
        raise type(error)(f"system.calculator: {error}") from error
    if table is not None and not halo_A and sites == "ideal":
        return EAMSwaps(table, 0.0, shells), f"{by_kernel}tables."
    engine = CalculatorSwaps(text, species, shells, halo_A, sites)
    by = "the compiled kernel of tables" if table else "10 to 30 calls of the calculator"
    return engine, f"Energies of {text} {SITES[sites].format(by=by)}."


def energy_files(text: str) -> tuple[Path, ...]:
    """Files that the energies of a calculator in words are made from."""
    if text.strip().startswith(PAIR):
        return (barrier_file(text.strip().removeprefix(PAIR)),)
    return calculator_files(text)


def _pair(
    text: str, halo_A: float, sites: str, species: tuple[str, ...], shells: int, lattice: str
) -> PairSwaps:
    """Swaps on the pair energy of a barrier model."""
    if lattice != "bcc" or sites != "ideal" or halo_A:
        raise ValueError(
            f"{text} is an energy of the ideal sites of bcc, whole: not of {lattice or 'these'} "
            f"cells with system.sites {sites!r} and system.halo_A {halo_A:g}"
        )
    energy = KRABarriers.load(text.removeprefix(PAIR)).energy
    return PairSwaps(energy.only(species), shells)
