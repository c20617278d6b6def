"""Swaps with relaxing positions: changes of minima, in patches and as a whole."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.optimize import BFGS

from macro_ase.engines.swaps.cut_outs import CutOutEnergy
from macro_ase.engines.swaps.neighbours import nearest_pairs, neighbourhood
from macro_ase.engines.swaps.relaxed import RelaxedEnergy
from macro_ase.engines.swaps.walks import Neighbours, Swap, SwapEnergy, Walk, go_together
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.emt_table import emt_table
from macro_ase.rng import kernel_state
from macro_ase.site_cells import SiteCells

NUMBERS = np.array([29, 79])
CELLS = SiteCells.of(bulk("Cu", cubic=True, a=3.9) * (3, 2, 2))[0]
CODES = np.random.default_rng(0).integers(0, 2, CELLS.n_sites).astype(np.int8)
I = int(np.flatnonzero(CODES[CELLS.shells(1)[0][:, 0]] != CODES)[0])  # noqa: E741
J = int(CELLS.shells(1)[0][I, 0])


def minimum(codes: np.ndarray) -> float:
    atoms = CELLS.atoms(NUMBERS[codes])
    atoms.calc = TableEAM(emt_table(("Cu", "Au")))
    BFGS(atoms, logfile=None).run(fmax=0.02)
    return float(atoms.get_potential_energy())


def test_changes_are_those_of_minima_and_undo_each_other() -> None:
    calculator = TableEAM(emt_table(("Cu", "Au")))
    energy, every = RelaxedEnergy(CELLS, calculator, NUMBERS), np.arange(CELLS.n_sites)
    held, swap = energy.begin(CODES, every), []
    for _ in range(2):
        swap.append(float(energy.changes([Swap(held, I, J)])[0]))
        energy.accept(Swap(held, I, J))
    swapped = CODES.copy()
    swapped[[I, J]] = CODES[[J, I]]
    assert swap[0] == pytest.approx(minimum(swapped) - minimum(CODES), abs=2e-3)
    assert swap[0] == pytest.approx(-swap[1], abs=2e-3)
    np.testing.assert_array_equal(held.occupation, CODES)
    ideal = CutOutEnergy(CELLS, calculator, NUMBERS)
    (stiff,) = ideal.changes([Swap(ideal.begin(CODES, every), I, J)])
    assert abs(stiff - swap[0]) > 0.02, "relaxing matters"


def test_what_is_not_active_stays() -> None:
    energy = RelaxedEnergy(CELLS, TableEAM(emt_table(("Cu", "Au"))), NUMBERS)
    held = energy.begin(CODES, np.array([I, J]))
    atoms = held.memory["atoms"]
    before = atoms.positions.copy()
    energy.changes([Swap(held, I, J)])
    energy.accept(Swap(held, I, J))
    moved = np.linalg.norm(atoms.positions - before, axis=1)
    assert np.all(moved[2:] == 0) and np.all(moved[:2] > 1e-3)


class ByCalls(Calculator):
    """A table that is called with all atoms that are shown."""

    implemented_properties = ("energy", "forces")

    def __init__(self, table: TableEAM) -> None:
        super().__init__()
        self.table, self.reach_A, self.calls = table, 2 * table.table.cutoff_A, 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.calls += 1
        self.results = {
            "energy": self.table.get_potential_energy(self.atoms),
            "forces": self.table.get_forces(self.atoms),
        }


def walk(energy: SwapEnergy, active: np.ndarray) -> Walk:
    near = neighbourhood(nearest_pairs(CELLS.atoms()), CELLS.n_sites)[0]
    held = energy.begin(CODES, active)
    made = Walk(held, Neighbours(near, CELLS.shells(1)), 3, 6, 40, 600.0, kernel_state(3))
    go_together([made], energy)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("active", [np.arange(CELLS.n_sites), np.arange(12)])
def test_a_table_relaxes_as_calls_of_it_do(active: np.ndarray) -> None:
    table = TableEAM(emt_table(("Cu", "Au")))
    calls = ByCalls(table)
    ours, theirs = (walk(RelaxedEnergy(CELLS, c, NUMBERS), active) for c in (table, calls))
    assert calls.calls > 20 and 0 < ours.accepted == theirs.accepted
    np.testing.assert_array_equal(ours.held.occupation, theirs.held.occupation)
    np.testing.assert_array_equal(ours.bonds, theirs.bonds)
    np.testing.assert_array_equal(ours.rng, theirs.rng)
    places = [made.held.memory["atoms"].positions for made in (ours, theirs)]
    np.testing.assert_allclose(*places, atol=1e-7)
    stiff = walk(CutOutEnergy(CELLS, table, NUMBERS), active)
    assert not np.array_equal(stiff.held.occupation, ours.held.occupation), "relaxing matters"


def test_changes_are_those_of_calls() -> None:
    table, active = TableEAM(emt_table(("Cu", "Au"))), np.union1d(np.arange(12), [I, J])
    found = []
    for calculator in (table, ByCalls(table), TableEAM(emt_table(("Cu", "Ag")))):
        numbers = NUMBERS if len(found) < 2 else np.array([29, 47])
        energy = RelaxedEnergy(CELLS, calculator, numbers)
        found.append(energy.changes([Swap(energy.begin(CODES, active), I, J)])[0])
    assert found[0] == pytest.approx(found[1], abs=1e-6)
    assert abs(found[0] - found[2]) > 1e-2
