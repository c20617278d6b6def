"""Swaps among vibrating atoms: exact laws of springs, and equipartition in a frozen crystal."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import all_changes

from macro_ase.engines.swaps import thermal
from macro_ase.engines.swaps.neighbours import nearest_pairs, neighbourhood
from macro_ase.engines.swaps.thermal import ThermalEnergy
from macro_ase.engines.swaps.walks import Bath, Held, Neighbours, Walk, go_together
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.emt_table import emt_table
from macro_ase.potentials.exact_state import ExactState
from macro_ase.rng import kernel_state
from macro_ase.site_cells import SiteCells

CUBE = ((3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 3.0))
TWO = SiteCells("bcc", CUBE, ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)), (1, 1, 1))
SITES_A, NUMBERS = TWO.atoms().positions, np.array([12, 13])
BY_SPECIES, BY_SITE = np.array([5.0, 45.0]), np.array([2.5, 40.0])
TEMPERATURE_K = 300.0


class Springs(ExactState):
    """Every atom on a spring to its site, of stiffness (eV / A^2) by species and site."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def calculate(
        self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        away = self.atoms.positions - SITES_A
        stiffness = (BY_SPECIES[self.atoms.numbers - NUMBERS[0]] + BY_SITE)[:, None]
        forces = -stiffness * away
        self.results = {"energy": -0.5 * float((forces * away).sum()), "forces": forces}


def seed(number: int = 0) -> np.ndarray:
    return kernel_state(np.random.SeedSequence(number))


def warm(held: Held, temperature_K: float) -> Held:
    held.bath = Bath(1 / (units.kB * temperature_K), seed())
    return held


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """By twenty batches."""
    batches = np.array(values).reshape(20, -1).mean(axis=1)
    return batches.mean(), batches.std(ddof=1) / 20**0.5


def share_of_first() -> tuple[float, float]:
    """How often the first species is on the first site."""
    energy = ThermalEnergy(TWO, Springs(), NUMBERS, halo_A=1.0)
    held, rng = energy.begin(np.array([0, 1], dtype=np.int8), np.arange(2)), seed()
    near = neighbourhood(nearest_pairs(TWO.atoms()), 2)[0]
    neighbours, found = Neighbours(near, TWO.shells(1)), []
    for _ in range(1000):
        go_together([Walk(held, neighbours, 3, 2, 1, TEMPERATURE_K, rng)], energy)
        found.append(float(held.occupation[0] == 0))
    return mean_and_error(found)


@pytest.mark.slow
def test_species_are_where_their_vibrations_have_most_room() -> None:
    """P ~ product of stiffnesses^(-3/2): entropy alone, of which sites at rest know nothing."""
    first = np.prod(BY_SPECIES + BY_SITE) ** -1.5
    other = np.prod(BY_SPECIES + BY_SITE[::-1]) ** -1.5
    exact, (share, error) = first / (first + other), share_of_first()
    assert abs(share - exact) < 4 * error < 0.12
    assert abs(share - 0.5) > 4 * error, "at rest both are alike"


def mean_energy(step_fs: float, monkeypatch: pytest.MonkeyPatch, always: bool) -> Any:
    """Mean of U over k_B T and its error, of two atoms."""
    monkeypatch.setattr(thermal, "STEP_FS", step_fs)
    if always:
        monkeypatch.setattr(thermal, "metropolis_accepts", lambda *_: True)
    energy = ThermalEnergy(TWO, Springs(), NUMBERS, halo_A=1.0)
    held = warm(energy.begin(np.array([0, 1], dtype=np.int8), np.arange(2)), TEMPERATURE_K)
    values = []
    for _ in range(1000):
        energy.vibrate(held)
        values.append(held.memory["energy"] / (units.kB * TEMPERATURE_K))
    return mean_and_error(values)


@pytest.mark.slow
def test_any_time_step_has_the_mean_energy_of_equipartition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """3/2 k_B T per atom, also by coarse steps, which without the rule heat the springs."""
    value, error = mean_energy(9.0, monkeypatch, always=False)
    assert abs(value - 3.0) < 4 * error < 0.6
    heated, error = mean_energy(9.0, monkeypatch, always=True)
    assert abs(heated - 3.0) > 4 * error


@pytest.mark.slow
def test_a_patch_in_a_frozen_crystal_is_warm_and_all_else_at_rest() -> None:
    crystal = bulk("Cu", cubic=True, a=3.9) * (3, 2, 2)
    cells, codes = SiteCells.of(crystal)[0], np.random.default_rng(0).integers(0, 2, 48)
    energy = ThermalEnergy(cells, TableEAM(emt_table(("Cu", "Au"))), np.array([29, 79]))
    held = warm(energy.begin(codes.astype(np.int8), np.array([0, 1, 5, 9, 20, 33])), 60.0)
    atoms: Atoms = held.memory["atoms"]
    least, before, values = None, atoms.positions.copy(), []
    for _ in range(140):
        energy.vibrate(held)
        atoms.calc = energy.calculator
        least = least if least is not None else _energy_at(atoms, before)
        values.append((held.memory["energy"] - least) / (units.kB * 60.0))
    value, error = mean_and_error(values[40:])
    assert abs(value - 9.0) < 4 * error
    assert abs(value - 18.0) > 4 * error, "that of twice the temperature"
    np.testing.assert_array_equal(atoms.positions[6:], before[6:])


def _energy_at(atoms: Atoms, positions: np.ndarray) -> float:
    there = atoms.copy()
    there.positions, there.calc = positions, atoms.calc
    return float(there.get_potential_energy())
