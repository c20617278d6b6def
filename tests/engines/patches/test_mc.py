"""Monte Carlo of patches: exact against the whole cell and against enumeration."""

from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import all_changes
from ase.calculators.emt import EMT
from ase.calculators.harmonic import SpringCalculator
from engines.patches.atoms_and_laws import (
    TABLE,
    Remembered,
    alloy,
    argon,
    energy,
    follow_boltzmann,
)

from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.swaps.ensembles import SemiGrand
from macro_ase.engines.swaps.moves import (
    Displacement,
    Move,
    NeighbourSwap,
    Swap,
    Transmute,
    VacancySwap,
)
from macro_ase.patches import Patch
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.exact_state import ExactState
from macro_ase.potentials.zhou import zhou_table
from macro_ase.statistics import standard_error


class Dimer(ExactState):
    """Lennard-Jones energy of two atoms, in units of its own."""

    implemented_properties = ("energy",)
    reach_A = 3.0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        r = np.linalg.norm(self.atoms.positions[0] - self.atoms.positions[1])
        self.results = {"energy": 4 * (r**-12 - r**-6)}


class Spring(SpringCalculator):
    """Of every atom to a place of its own."""

    check_state = ExactState.check_state


CASES: dict[str, tuple[Callable[[], Atoms], Patch, list[Move], int]] = {
    "table": (alloy, Patch.sphere(40, 4.0, 2.0), [Swap(), NeighbourSwap(), VacancySwap()], 3000),
    "table and displacements": (alloy, Patch.sphere(40, 3.0), [Swap(), Displacement(2.0, 0.2)], 40),
    "Lennard-Jones": (argon, Patch.sphere(9, 4.5, 1.0), [Displacement(width_A=0.4)], 30),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_energy_changes_are_those_of_the_whole_and_the_rest_stays(name: str) -> None:
    make, patch, moves, steps = CASES[name]
    atoms, start = make(), make()
    mc = PatchMC(atoms, patch, moves=moves, temperature_K=900.0, rng=0)
    mc.run(steps)
    assert mc.compiled == name.startswith("table")
    change = energy(atoms, atoms.calc) - energy(start, atoms.calc)
    assert mc.energy_change_eV == pytest.approx(change, abs=1e-9)
    moved = (atoms.numbers != start.numbers) | (atoms.positions != start.positions).any(axis=1)
    assert 1 < moved.sum() and np.all(np.isin(np.flatnonzero(moved), mc.region.active))
    assert atoms.symbols.formula.count() == start.symbols.formula.count()
    assert mc.tally[:, 0].sum() == steps and all(0 < share < 1 for share in mc.acceptance)


@pytest.mark.slow
def test_an_atom_that_wanders_gets_a_new_cut_out() -> None:
    atoms, start = argon(), argon()
    mc = PatchMC(
        atoms, Patch.sphere(9, 3.0), moves=Displacement(width_A=3.0), temperature_K=5000.0, rng=1
    )
    first = mc._sites
    mc.run(30)
    assert mc._sites is not first
    change = energy(atoms, atoms.calc) - energy(start, atoms.calc)
    assert mc.energy_change_eV == pytest.approx(change, abs=1e-9)


@pytest.mark.slow
def test_kernel_and_calculator_make_the_same_moves() -> None:
    patch, ensemble = Patch.sphere(40, 4.0, 2.0), SemiGrand({"Mo": 0.1, "Nb": 0.0})
    moves = [Swap(), NeighbourSwap(), VacancySwap(), Transmute()]

    class ByCalls(ExactState):
        implemented_properties = ("energy",)
        reach_A = 2 * TABLE.cutoff_A

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            self.results = {"energy": TableEAM(TABLE).get_potential_energy(self.atoms)}

    runs = []
    for calculator in (TableEAM(zhou_table(("Mo", "Nb", "Ta"))), ByCalls()):
        atoms = alloy()
        mc = PatchMC(
            atoms, patch, calculator, moves=moves, temperature_K=2000.0, rng=4, ensemble=ensemble
        )
        mc.run(150)
        runs.append((atoms.get_chemical_symbols(), mc.tally.tolist(), mc.compiled))
    assert runs[0][:2] == runs[1][:2] and runs[0][2] and not runs[1][2]


def small_alloy(symbols: tuple[str, ...], structure: str, a: float) -> Atoms:
    atoms = bulk(symbols[0], structure, a, cubic=True) * (2, 2, 2)
    atoms.symbols[:] = np.random.default_rng(3).choice(symbols, len(atoms))
    return atoms


GENERIC = {
    "EMT": (lambda: EMT(), ("Cu", "Au"), "fcc", 3.9, 700.0),
    "table": (lambda: TableEAM(TABLE), ("Nb", "Mo", "Ta"), "bcc", 3.24, 1000.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERIC)
def test_swaps_by_calls_sample_the_exact_distribution(name: str) -> None:
    make, symbols, structure, a, temperature_K = GENERIC[name]
    atoms, active = small_alloy(symbols, structure, a), np.array([0, 1, 2, 6])
    atoms.symbols[active] = [symbols[0], symbols[1], symbols[-1], symbols[0]]
    calculator, mask = make(), np.isin(np.arange(len(atoms)), active)
    mc = PatchMC(
        atoms,
        Patch.mask(mask),
        Remembered(calculator),
        moves=Swap(),
        temperature_K=temperature_K,
        rng=2,
        halo_A=30.0,
    )
    follow_boltzmann(mc, active, calculator, 1280, wrong=2.0)


@pytest.mark.slow
def test_an_atom_on_a_spring_spreads_as_it_must() -> None:
    atoms = Atoms("Ar", positions=[[1.0, 2.0, 3.0]])
    spring = Spring(atoms.positions.copy(), 2.0)
    mc = PatchMC(atoms, None, spring, moves=Displacement(width_A=0.6), temperature_K=600.0, rng=0)
    places = []
    mc.attach(lambda: places.append(atoms.positions[0] - [1.0, 2.0, 3.0]), interval=5)
    mc.run(12_000)
    square = (np.array(places[10:]) ** 2).sum(axis=1)
    expected, error = 3 * units.kB * 600.0 / 2.0, standard_error(square)
    assert abs(square.mean() - expected) < 4 * error < 0.2 * expected
    assert abs(square.mean() - 1.25 * expected) > 4 * error


@pytest.mark.slow
def test_a_dimer_keeps_to_its_law() -> None:
    """p(r) ~ r^2 exp(-U(r) / kT) for one atom around another that is frozen."""
    atoms, kT = Atoms("Ar2", positions=[[0.0, 0, 0], [1.12, 0, 0]]), 0.12
    mc = PatchMC(
        atoms,
        Patch.mask([False, True]),
        Dimer(),
        moves=Displacement(width_A=0.25),
        temperature_K=kT / units.kB,
        rng=3,
    )
    lengths = []
    mc.attach(lambda: lengths.append(atoms.get_distance(0, 1)), interval=4)
    mc.run(6_000)
    r = np.linspace(0.8, 2.0, 4000)
    for factor, agrees in ((1.0, True), (1.6, False)):
        weight = r**2 * np.exp(-4 * (r**-12.0 - r**-6.0) / (factor * kT))
        mean, error = (r * weight).sum() / weight.sum(), standard_error(np.array(lengths[50:]))
        assert (abs(np.mean(lengths[50:]) - mean) < 4 * error) == agrees
