"""What a process computes of the vacancies of a crystal, each site with a calculator of its own."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator, PropertyNotImplementedError

from ..barriers.formation_frames import RELAXED_TOLERANCE_A
from ..barriers.nudged_band import relaxed
from .hop_worker import fresh_calculator, relax_crystal


def compute_crystal(text: str, atoms: Atoms, fmax: float | None) -> dict[str, Any]:
    """Energy, positions and pressure of the crystal, at its minimum where there is an ``fmax``."""
    record: dict[str, Any] = {"positions_A": atoms.positions.tolist()}
    if fmax is not None:
        record = relax_crystal(text, atoms, fmax)
    copy = atoms.copy()
    copy.positions = record["positions_A"]
    with fresh_calculator(text, atoms) as copy.calc:
        record["energy_eV"] = float(copy.get_potential_energy())
        record["pressure_GPa"] = None
        with suppress(PropertyNotImplementedError, NotImplementedError):
            record["pressure_GPa"] = float(-copy.get_stress()[:3].mean() / units.GPa)
    return record


def compute_site(
    text: str, atoms: Atoms, site: int, others: tuple[str, ...], fmax: float | None
) -> dict[str, Any]:
    """Energies with a site empty and with other species on it, or why there is none."""
    try:
        with fresh_calculator(text, atoms) as calculator:
            empty = atoms.copy()
            del empty[site]
            vacant = _energy(empty, calculator, fmax)
            held = {}
            for symbol in others:
                swapped = atoms.copy()
                swapped.symbols[site] = symbol
                held[symbol] = _energy(swapped, calculator, fmax)
    except Exception as error:  # calculators raise many kinds
        return {"failed": " ".join(f"{type(error).__name__}: {error}".split())}
    return {"vacant_eV": vacant, "occupied_eV": held}


def _energy(atoms: Atoms, calculator: Calculator, fmax: float | None) -> float:
    """Energy in eV, at the minimum nearby where there is an ``fmax``.

    Raises
    ------
    RuntimeError
        If the minimum is not reached, or an atom left its site.
    """
    if fmax is None:
        atoms.calc = calculator
        return float(atoms.get_potential_energy())
    end = relaxed(atoms, calculator, fmax)
    residual = float(np.linalg.norm(end.get_forces(), axis=1).max())
    moved = float(np.linalg.norm(end.positions - atoms.positions, axis=1).max())
    if not (residual <= fmax and moved <= RELAXED_TOLERANCE_A):
        raise RuntimeError(f"relaxed, an atom moved by {moved:.2f} A, forces {residual:.3g} eV/A")
    return float(end.get_potential_energy())
