"""Atoms with patches, and the exact law of how a few of them are arranged."""

import itertools
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones
from scipy import stats

from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import zhou_table

TABLE = zhou_table()
FOUR_SIGMA = 6.3e-5


class Remembered(Calculator):
    """Another calculator that is asked once for each arrangement of the species."""

    implemented_properties = ("energy",)

    def __init__(self, calculator: Any) -> None:
        super().__init__()
        self.calculator, self.known = calculator, {}
        self.reach_A = 2.5

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


def arrangements_of(atoms: Atoms, active: np.ndarray, calculator: Any, kT: float) -> dict:
    found = {}
    for numbers in sorted(set(itertools.permutations(atoms.numbers[active].tolist()))):
        changed = atoms.copy()
        changed.numbers[active] = numbers
        found[numbers] = energy(changed, calculator)
    low = min(found.values())
    weight = {key: np.exp(-(value - low) / kT) for key, value in found.items()}
    return {key: value / sum(weight.values()) for key, value in weight.items()}


def chi_square(counts: dict, probability: dict) -> float:
    total = sum(counts.values())
    observed = [counts.get(key, 0) for key in probability]
    return float(stats.chisquare(observed, total * np.array(list(probability.values()))).pvalue)
