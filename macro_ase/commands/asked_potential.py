"""A potential that is compared with others: its calculator, or its barrier model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from ase import Atoms
from ase.calculators.calculator import Calculator

from ..barriers.kra import KRABarriers
from ..barriers.pair_calculator import PairEnergyCalculator
from ..barriers.shipped import barrier_file
from ..engines.calculators import calculator_from_text
from ..potentials.accuracy import relaxed_volume
from .crystal_work import digests

PAIR = "pair:"


@dataclass(frozen=True)
class Potential:
    """A potential by its text.

    Attributes
    ----------
    text : str
        As of `engines.calculators`, or ``pair:MODEL``: a barrier model, by file or by the name of
        one that ships, with the pair energy that it goes with.
    """

    text: str

    def calculator(self) -> Calculator:
        """One for each process, used again."""
        return _calculator(self.text)

    @property
    def barriers(self) -> KRABarriers | None:
        """The barrier model that takes the place of nudged bands."""
        return _model(self.text.removeprefix(PAIR)) if self.text.startswith(PAIR) else None

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the files that it is made from, by name."""
        if not self.text.startswith(PAIR):
            return digests(self.text)
        file = barrier_file(self.text.removeprefix(PAIR))
        return {file.name: sha256(file.read_bytes()).hexdigest()}

    @property
    def has_forces(self) -> bool:
        return "forces" in self.calculator().implemented_properties


@lru_cache(maxsize=1)
def _calculator(text: str) -> Calculator:
    if text.startswith(PAIR):
        return PairEnergyCalculator(_model(text.removeprefix(PAIR)).energy)
    return calculator_from_text(text)


@lru_cache(maxsize=1)
def _model(name: str) -> KRABarriers:
    return KRABarriers.load(name)


def at_rest(
    potential: Potential, crystal: Callable[[float], Atoms], names: Sequence[str]
) -> tuple[float | None, float]:
    """Lattice constant (None without forces) and energy per atom of the lowest energy."""
    calculator = potential.calculator()
    if not potential.has_forces:
        atoms = crystal(3.2)
        return None, float(calculator.get_potential_energy(atoms)) / len(atoms)
    a, energy = relaxed_volume(calculator, crystal, names)
    around = [calculator.get_potential_energy(crystal(a * x)) for x in (0.995, 1.005)]
    if min(around) / len(crystal(a)) < energy:
        raise ValueError(f"no lowest energy within 8 % of the elements' lattice constants, {a:.2f}")
    return a, energy
