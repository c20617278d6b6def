"""Swaps with relaxing positions: changes of minima, in patches and as a whole."""

import numpy as np
import pytest
from ase.build import bulk
from ase.optimize import BFGS

from macro_ase.engines.swaps.cut_outs import CutOutEnergy
from macro_ase.engines.swaps.relaxed import RelaxedEnergy
from macro_ase.engines.swaps.walks import Swap
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.emt_table import emt_table
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
