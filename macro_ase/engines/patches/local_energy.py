"""Energies of a patch by any ASE calculator, from a cut-out of the system."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from ...patches import CutOut, Patch, Region, cut_out, order_axes, whole
from ...reals import require_positive
from ...rng import Seed, coerce_rng
from .receptive_field import reach

PROBE_A = 0.1
LONGEST_A = 1e4
"""Beyond which no length around a patch makes sense."""


def energy_without_vacancies(atoms: Atoms, calculator: Any) -> float:
    """Energy in eV; vacancies ``X`` are not shown to the calculator."""
    real = atoms.numbers != 0
    seen = atoms if real.all() else atoms[real]
    return float(calculator.get_potential_energy(atoms=seen))


def checked_energy(atoms: Atoms, calculator: Any, symbols: Iterable[str] = ()) -> float:
    """The energy, when the calculator can do these atoms, and each symbol in place of the first.

    Raises
    ------
    ValueError
        If it cannot, or gives what is not a number.
    """
    probe = atoms.copy()
    for symbol in symbols:
        probe.numbers[0] = atomic_numbers[symbol]
        _energy_or_error(probe, calculator)
    return _energy_or_error(atoms, calculator)


def require_forces(atoms: Atoms, calculator: Any) -> None:
    """Raise ValueError if the calculator cannot give energy and forces of these atoms."""
    checked_energy(atoms, calculator)
    with _told(atoms, calculator, "forces on"):
        forces = calculator.get_forces(atoms)
    if not np.isfinite(forces).all():
        raise ValueError(f"forces that {type(calculator).__name__} gives are not finite")


def _energy_or_error(atoms: Atoms, calculator: Any) -> float:
    with _told(atoms, calculator, "energy of"):
        energy = energy_without_vacancies(atoms, calculator)
    if not math.isfinite(energy):
        raise ValueError(f"the energy that {type(calculator).__name__} gives is {energy}")
    return energy


@contextmanager
def _told(atoms: Atoms, calculator: Any, what: str) -> Iterator[None]:
    """One line for whatever a calculator raises; a missing file stays one."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        name, formula = type(calculator).__name__, atoms.symbols.formula.format("hill")
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(f"{name} cannot give the {what} {formula}: {reason}") from error


def laid(atoms: Atoms, patch: Patch | None) -> Region:
    """The patch on these atoms; None stands for all of them.

    Raises
    ------
    ValueError
        If it is no patch, or does not fit the atoms.
    """
    if patch is None:
        return whole(atoms)
    if not isinstance(patch, Patch):
        raise ValueError(f"a patch is such as Patch.sphere(100, 6.0), not {type(patch).__name__}")
    return patch.select(atoms)


def cut_out_all(atoms: Atoms, region: Region | None = None) -> CutOut:
    """The whole system as its own cut-out; atoms of the region, by default all, come first."""
    region = whole(atoms) if region is None else region
    n, active = len(atoms), region.active
    index = np.concatenate([active, np.setdiff1d(np.arange(n), active)])
    copy = atoms.copy()
    copy.set_constraint()
    copy = copy[index]
    order_axes(copy)
    return CutOut(copy, index, np.zeros((n, 3)), len(region.core), len(active), math.inf)


def required_halo(
    atoms: Atoms, region: Region, calculator: Any, halo_A: float | None, rng: Seed = 0
) -> float:
    """The halo to use; one that is too short gives a warning with the error that it makes.

    Raises
    ------
    ValueError
        If it is not positive, or neither given nor known.
    """
    if halo_A is None:
        return reach(calculator)
    halo_A = require_positive(halo_A, "halo_A", "A", LONGEST_A)
    try:
        needed = reach(calculator)
    except ValueError:
        return halo_A
    if halo_A < needed:
        error = halo_error(atoms, region, calculator, halo_A, rng=rng)
        warnings.warn(
            f"halo_A = {halo_A:g} A is shorter than the {needed:g} A that energies reach: "
            f"energy changes are off by up to {error:.2g} eV",
            stacklevel=3,
        )
    return halo_A


def halo_error(
    atoms: Atoms,
    region: Region,
    calculator: Any,
    halo_A: float,
    n_moves: int = 8,
    rng: Seed = None,
) -> float:
    """Largest error of energy changes that a halo makes, against one that suffices, eV.

    Parameters
    ----------
    n_moves : int
        Moves that are tried: swaps of unlike active atoms, or where all are alike
        displacements by .1 A.
    """
    generator = coerce_rng(rng)
    cuts = [cut_out(atoms, region, h) for h in (halo_A, reach(calculator))]
    start = [energy_without_vacancies(cut.atoms, calculator) for cut in cuts]
    worst = 0.0
    for _ in range(n_moves):
        moved = _probe(cuts[0], generator)
        changes = []
        for cut, before in zip(cuts, start):
            probe, n = cut.atoms.copy(), cut.n_active
            probe.numbers[:n] = moved.numbers[:n]
            probe.positions[:n] += (moved.positions - cuts[0].atoms.positions)[:n]
            changes.append(energy_without_vacancies(probe, calculator) - before)
        worst = max(worst, abs(changes[1] - changes[0]))
    return worst


def _probe(cut: CutOut, rng: np.random.Generator) -> Atoms:
    """The cut-out after a random move."""
    moved: Atoms = cut.atoms.copy()
    numbers = cut.atoms.numbers[: cut.n_active]
    i = rng.integers(cut.n_active)
    unlike = np.flatnonzero(numbers != numbers[i])
    if len(unlike):
        j = rng.choice(unlike)
        moved.numbers[[i, j]] = moved.numbers[[j, i]]
    else:
        moved.positions[i] += rng.normal(scale=PROBE_A / math.sqrt(3), size=3)
    return moved
