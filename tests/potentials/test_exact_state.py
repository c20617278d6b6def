"""Calculators that compare by equality: changes are those that ASE finds, and one ulp is one."""

from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import all_changes, compare_atoms

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
