"""What a process computes of the hops of a crystal, each with a calculator of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from ..barriers.formation_frames import RELAXED_TOLERANCE_A
from ..barriers.nudged_band import hop_barrier, relaxed
from ..engines.calculators import calculator_from_text


@contextmanager
def fresh_calculator(text: str, atoms: Atoms) -> Iterator[Calculator]:
    """A calculator that knows the species of the atoms, closed after the block."""
    calculator = calculator_from_text(text, set(atoms.get_chemical_symbols()))
    try:
        yield calculator
    finally:
        getattr(calculator, "close", lambda: None)()


def relax_crystal(text: str, atoms: Atoms, fmax: float) -> dict[str, Any]:
    """The crystal at its energy minimum, which must be near its sites."""
    with fresh_calculator(text, atoms) as calculator:
        end = relaxed(atoms, calculator, fmax)
    residual = float(np.linalg.norm(end.get_forces(), axis=1).max())
    moved = float(np.linalg.norm(end.positions - atoms.positions, axis=1).max())
    if not (residual <= fmax and moved <= RELAXED_TOLERANCE_A):
        raise ValueError(
            f"{text} does not hold the crystal: relaxed, its atoms moved by up to {moved:.2f} A "
            f"(at most {RELAXED_TOLERANCE_A:g}) with forces up to {residual:.3g} eV/A"
        )
    return {
        "energy_eV": float(end.get_potential_energy()),
        "fmax_eV_A": residual,
        "largest_move_A": moved,
        "positions_A": end.positions.tolist(),
    }


def compute_hop(
    text: str,
    atoms: Atoms,
    images: int,
    fmax: float,
    vacancy: int,
    target: int,
    radius_A: float | None,
) -> dict[str, Any]:
    """One hop as the journal keeps it; what a calculator raises is kept too."""
    try:
        with fresh_calculator(text, atoms) as calculator:
            hop = hop_barrier(atoms, vacancy, target, calculator, images, radius_A, fmax)
    except Exception as error:  # calculators raise many kinds
        return {"failed": " ".join(f"{type(error).__name__}: {error}".split())}
    return asdict(hop)
