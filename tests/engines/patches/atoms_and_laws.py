"""Atoms with patches, and the exact law of how a few of them are arranged."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import all_changes
from ase.calculators.lj import LennardJones

from macro_ase.engines.patches.mc import PatchMC
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.exact_state import ExactState
from macro_ase.potentials.zhou import zhou_table
from macro_ase.testing import arrangements, assert_boltzmann

TABLE = zhou_table()


class Remembered(ExactState):
    """Another calculator that is asked once for each arrangement of the species."""

    implemented_properties = ("energy",)

    def __init__(self, calculator: Any) -> None:
        super().__init__()
        self.calculator, self.known = calculator, {}
        self.reach_A = getattr(calculator, "reach_A", 2.5)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        key = self.atoms.numbers.tobytes() + self.atoms.positions.tobytes()
        if key not in self.known:
            self.known[key] = self.calculator.get_potential_energy(self.atoms)
        self.results = {"energy": self.known[key]}


def alloy(size: int = 5, seed: int = 0) -> Atoms:
    """NbMoTa with a vacancy at 40."""
    atoms = bulk("Nb", "bcc", 3.24, cubic=True) * (size, size, size)
    atoms.symbols[:] = np.random.default_rng(seed).choice(["Nb", "Mo", "Ta"], len(atoms))
    atoms.symbols[40] = "X"
    atoms.calc = TableEAM(TABLE)
    return atoms


def energy(atoms: Atoms, calculator: Any) -> float:
    return float(calculator.get_potential_energy(atoms[atoms.numbers != 0]))


def argon() -> Atoms:
    atoms = bulk("Ar", "fcc", 5.3, cubic=True) * (4, 4, 4)
    atoms.rattle(0.1, seed=0)
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.0103, rc=6.0)
    return atoms


def energy_of(atoms: Atoms, active: np.ndarray, calculator: Any) -> Callable[[Any], float]:
    """Energy of the whole by the numbers of some of its atoms, in eV."""
    frame = atoms.copy()

    def energy_eV(numbers: tuple[int, ...]) -> float:
        frame.numbers[active] = numbers
        return energy(frame, calculator)

    return energy_eV


def follow_boltzmann(
    mc: PatchMC, active: np.ndarray, calculator: Any, n_samples: int, wrong: float
) -> None:
    """Swaps of some atoms against the exact law of all their arrangements."""
    atoms, kT = mc.atoms, units.kB * mc.temperature_K

    def move(_: Any) -> np.ndarray:
        mc.run(10)
        return atoms.numbers[active]

    every = arrangements(atoms.numbers[active].tolist())
    energy_eV = energy_of(atoms, active, calculator)
    assert_boltzmann(move, every, energy_eV, kT, n_samples=n_samples, wrong=wrong)
