"""Minima of the energy over the positions of some atoms, all others frozen.

A table of an embedded-atom potential relaxes in a compiled kernel: only pairs with a moving atom
are visited, and what frozen ones add to densities is known. Any other calculator is called by ASE's
`LBFGS`. Both take the same steps, those of limited-memory BFGS (J. Nocedal, Math. Comp. 35, 773
(1980)) from the inverse Hessian 1 / `STIFFNESS_EV_A2`, cut to `LONGEST_STEP_A`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.optimize import LBFGS

from ...arrays import Array
from ...potentials.eam_calculator import TableEAM
from ..patches.eam_surroundings import EAMSurroundings

FMAX_EV_A = 0.02
MOST_STEPS = 300
STIFFNESS_EV_A2 = 70.0
LONGEST_STEP_A = 0.2
ROOM_A = 0.3
"""How far an atom may go before neighbours are looked for anew."""

Evaluate = Callable[[Array], tuple[float, Array]]


class Relaxing(Protocol):
    """Relaxes the first ``n_moving`` of some atoms."""

    def __call__(self, atoms: Atoms) -> float:
        """Move them to the minimum near where they are; its energy up to a constant, eV.

        Parameters
        ----------
        atoms : ase.Atoms
            Those that it was made for; the moving ones may have other species and positions.

        Raises
        ------
        ValueError
            If they do not come to rest.
        """


def relaxing(atoms: Atoms, n_moving: int, calculator: Any, fmax: float = FMAX_EV_A) -> Relaxing:
    """What relaxes the first of some atoms, until no force on them exceeds ``fmax``, eV/A."""
    if isinstance(calculator, TableEAM):
        return TableRelaxing(atoms, n_moving, calculator, fmax)
    return CalculatorRelaxing(n_moving, calculator, fmax)


class CalculatorRelaxing:
    """`Relaxing` by calls of any calculator."""

    def __init__(self, n_moving: int, calculator: Any, fmax: float) -> None:
        self.n, self.calculator, self.fmax = n_moving, calculator, fmax

    def __call__(self, atoms: Atoms) -> float:
        atoms.calc = self.calculator
        atoms.set_constraint(FixAtoms(np.arange(self.n, len(atoms))) if self.n < len(atoms) else [])
        own = {"logfile": None, "maxstep": LONGEST_STEP_A, "alpha": STIFFNESS_EV_A2}
        steps = LBFGS(atoms, **own)  # type: ignore[arg-type]
        if not steps.run(fmax=self.fmax, steps=MOST_STEPS):
            raise _restless(self.calculator)
        return float(atoms.get_potential_energy())


class TableRelaxing:
    """`Relaxing` by the compiled kernel of tables."""

    def __init__(self, atoms: Atoms, n_moving: int, eam: TableEAM, fmax: float) -> None:
        self.n, self.eam, self.fmax = n_moving, eam, fmax
        self._look(atoms)

    def __call__(self, atoms: Atoms) -> float:
        def evaluate(positions: Array) -> tuple[float, Array]:
            atoms.positions[: self.n] = positions
            away = ((positions - self._places) ** 2).sum(axis=1)
            if away.max(initial=0.0) > ROOM_A**2:
                self._look(atoms)
            return self._table.evaluate(atoms)

        energy = descend(evaluate, atoms.positions[: self.n].copy(), self.fmax)
        if energy is None:
            raise _restless(self.eam)
        return energy

    def _look(self, atoms: Atoms) -> None:
        self._places = atoms.positions[: self.n].copy()
        self._table = EAMSurroundings(atoms, self.n, self.eam, ROOM_A)


def descend(evaluate: Evaluate, positions: Array, fmax: float) -> float | None:
    """Energy at the minimum, which is evaluated last, eV; None if it is not reached.

    Parameters
    ----------
    evaluate : callable
        Positions, shape (n, 3), to energy (eV) and forces (eV/A).
    positions : array, shape (n, 3)
    fmax : float
    """
    shifts: list[Array] = []
    turns: list[Array] = []
    energy, forces = evaluate(positions)
    for _ in range(MOST_STEPS):
        if (forces**2).sum(axis=1).max() < fmax**2:
            return energy
        step = _newton_step(forces, shifts, turns)
        longest = np.sqrt((step**2).sum(axis=1).max())
        step *= min(1.0, LONGEST_STEP_A / longest)
        before, positions = forces, positions + step
        energy, forces = evaluate(positions)
        shifts.append(step)
        turns.append(before - forces)
    return energy if (forces**2).sum(axis=1).max() < fmax**2 else None


def _newton_step(forces: Array, shifts: list[Array], turns: list[Array]) -> Array:
    """Forces by the inverse Hessian that past steps and what forces lost in them tell."""
    pairs = [(s, y, 1 / np.vdot(s, y)) for s, y in zip(shifts, turns)]
    step, weights = forces.copy(), []
    for s, y, scale in reversed(pairs):
        weights.append(scale * np.vdot(s, step))
        step -= weights[-1] * y
    step /= STIFFNESS_EV_A2
    for (s, y, scale), weight in zip(pairs, reversed(weights)):
        step += s * (weight - scale * np.vdot(y, step))
    return step


def _restless(calculator: Any) -> ValueError:
    return ValueError(
        f"positions did not relax within {MOST_STEPS} steps: is the crystal stable with "
        f"{type(calculator).__name__} at this lattice constant?"
    )
