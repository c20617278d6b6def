"""One set of manners for all drivers: temperature, edits, constraints, open axes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.constraints import FixAtoms, FixBondLength
from engines.driver_cases import ALL, CASES, FIELD, HEATED, ON_SITES, REPEATABLE, same, state

from macro_ase.engines.temperature import Ramp


@pytest.mark.parametrize("name", HEATED)
def test_a_temperature_set_between_runs_acts(name: str) -> None:
    """Set to what it was, the run goes on as if nothing had been set; hot, it differs."""
    case, found = CASES[name], []
    for value in (None, case.cold, case.hot):
        atoms = case.atoms()
        driver = case.driver(atoms)
        driver.run(case.steps)
        if value is not None:
            setattr(driver, case.temperature, value)
            assert getattr(driver, case.temperature) == value
        driver.run(case.steps)
        found.append((state(atoms), getattr(driver, "time", 0.0)))
    assert same(found[0][0], found[1][0])
    assert not same(found[0][0], found[2][0]) or found[2][1] != found[0][1]
    for wrong in (0.0, -1.0, np.nan, np.inf, "hot"):
        with pytest.raises(ValueError, match="temperature"):
            setattr(driver, case.temperature, wrong)


@pytest.mark.parametrize("name", HEATED)
def test_numbers_callables_and_ramps_are_one(name: str) -> None:
    case, found = CASES[name], []
    for given in (
        case.cold,
        np.float64(case.cold),
        lambda step: case.cold,
        Ramp(case.cold, case.cold, 10),
    ):
        atoms = case.atoms()
        driver = case.driver(atoms, **{case.temperature: given})
        driver.run(case.steps // 2)
        found.append(state(atoms))
    assert all(same(found[0], other) for other in found[1:])


@pytest.mark.parametrize("name", HEATED)
def test_a_ramp_reaches_its_end(name: str) -> None:
    case = CASES[name]
    driver = case.driver(case.atoms(), **{case.temperature: Ramp(case.cold, case.hot, 8)})
    driver.run(4)
    middle = (case.cold + case.hot) / 2
    assert getattr(driver, case.temperature) == pytest.approx(middle)
    driver.run(8)
    assert getattr(driver, case.temperature) == pytest.approx(case.hot)


def swap_two(atoms: Atoms) -> None:
    """Exchange two unlike atoms of the patch."""
    j = int(np.flatnonzero(atoms.numbers[:40] != atoms.numbers[0])[0])
    atoms.numbers[[0, j]] = atoms.numbers[[j, 0]]


def turn_all(atoms: Atoms) -> None:
    atoms.set_initial_magnetic_moments(-atoms.get_initial_magnetic_moments())


def scale_field(atoms: Atoms) -> None:
    atoms.arrays[FIELD.fields[0]] *= 0.5


EDITS: dict[str, Callable[[Atoms], None]] = {
    **dict.fromkeys(ON_SITES, swap_two),
    **dict.fromkeys(("Glauber", "Glauber, n-fold", "Metropolis", "Wolff"), turn_all),
    "FieldDynamics": scale_field,
}


@pytest.mark.parametrize("name", REPEATABLE)
@pytest.mark.parametrize("when", ["between", "observer"])
def test_what_others_change_is_taken_up(name: str, when: str) -> None:
    """A driver whose atoms are edited is one that was made with the edited atoms."""
    case, edit = CASES[name], EDITS[name]
    edited, fresh = case.atoms(), case.atoms()
    edit(fresh)
    driver, other = case.driver(edited), case.driver(fresh)
    if when == "between":
        edit(edited)
    else:
        driver.attach(lambda: edit(edited) if driver.nsteps == 0 else None, interval=20)
        other.attach(lambda: None, interval=20)
    driver.run(case.short)
    other.run(case.short)
    for key in ("numbers", "positions", "initial_magmoms", *FIELD.fields):
        if key in edited.arrays:
            np.testing.assert_allclose(
                edited.arrays[key], fresh.arrays[key], atol=1e-9, err_msg=key
            )


@pytest.mark.parametrize("name", [n for n in ON_SITES if n in REPEATABLE])
def test_wrapping_and_whole_translations_are_kept(name: str) -> None:
    """Atoms that are put back into the cell stay there, and the run goes on as it would have."""
    case, found = CASES[name], []
    for moved in (False, True):
        atoms = case.atoms()
        atoms.positions += 0.2
        driver = case.driver(atoms)
        driver.run(case.short)
        if moved:
            atoms.positions += atoms.cell.array[0]
            before = atoms.positions.copy()
        driver.run(case.short)
        found.append(atoms)
    assert np.abs(atoms.positions - before).max() < 5.0
    np.testing.assert_array_equal(found[0].numbers, found[1].numbers)
    away = found[1].positions - found[0].positions - atoms.cell.array[0]
    assert np.abs(away).max() < 1e-6


@pytest.mark.parametrize("name", ALL)
def test_what_cannot_be_followed_is_refused_by_name(name: str) -> None:
    case = CASES[name]
    atoms = case.atoms()
    driver = case.driver(atoms)
    driver.run(2)
    del atoms[-1]
    with pytest.raises(ValueError, match="number of atoms"):
        driver.run(2)


@pytest.mark.parametrize("name", ON_SITES)
@pytest.mark.parametrize("held", [{"indices": [-128, 1]}, {"mask": np.arange(128) < 2}])
def test_fixed_atoms_hold_their_place(name: str, held: dict[str, Any]) -> None:
    case = CASES[name]
    atoms = case.atoms()
    vacancy = atoms.symbols.search("X")
    if len(vacancy):
        near = atoms.get_distances(vacancy[0], range(128), mic=True)
        order = np.argsort(np.where(near == 0, np.inf, near), kind="stable")
        atoms = atoms[np.concatenate([order[:2], np.setdiff1d(np.arange(128), order[:2])])]
    atoms.set_constraint(FixAtoms(**held))
    before = atoms.copy()
    case.driver(atoms, **case.heat).run(case.long if case.exchanges else case.short)
    np.testing.assert_array_equal(atoms.positions[:2], before.positions[:2])
    np.testing.assert_array_equal(atoms.numbers[:2], before.numbers[:2])
    assert not same(state(atoms), state(before))


@pytest.mark.parametrize("name", ["Glauber", "Glauber, n-fold", "Metropolis"])
def test_fixed_spins_are_held(name: str) -> None:
    case = CASES[name]
    atoms = case.atoms()
    atoms.set_constraint(FixAtoms([-1, 3]))
    before = atoms.get_initial_magnetic_moments()
    driver, seen = case.driver(atoms, temperature=case.hot), []
    driver.attach(lambda: seen.append(atoms.get_initial_magnetic_moments()))
    driver.run(50)
    flips = np.any(np.array(seen) != before, axis=0)
    assert flips.tolist() == [k not in (3, 15) for k in range(16)]


@pytest.mark.parametrize("name", ["Wolff", "FieldDynamics"])
def test_what_cannot_hold_atoms_says_so(name: str) -> None:
    atoms = CASES[name].atoms()
    atoms.set_constraint(FixAtoms([0]))
    with pytest.raises(ValueError, match=r"held|hold"):
        CASES[name].driver(atoms)


@pytest.mark.parametrize("name", ALL)
def test_other_constraints_are_refused_by_name(name: str) -> None:
    case = CASES[name]
    atoms = case.atoms()
    atoms.set_constraint(FixBondLength(0, 1))
    with pytest.raises(ValueError, match=r"FixAtoms.*FixBondLength"):
        case.driver(atoms)
    atoms.set_constraint()
    driver = case.driver(atoms)
    driver.run(2)
    atoms.set_constraint(FixBondLength(0, 1))
    with pytest.raises(ValueError, match=r"FixAtoms.*FixBondLength|constraints"):
        driver.run(2)


def give_belongings(atoms: Atoms) -> None:
    atoms.set_masses(atoms.get_masses() + np.where(atoms.numbers == 0, 0.0, 0.01))
    atoms.set_tags(1000 * atoms.numbers + np.arange(len(atoms)) % 1000)
    atoms.set_array("mine", np.stack([atoms.numbers, np.arange(len(atoms))], axis=1))
    atoms.set_initial_charges(0.1 * atoms.numbers)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in ON_SITES if CASES[n].exchanges])
def test_what_belongs_to_an_atom_travels_with_it(name: str) -> None:
    case = CASES[name]
    atoms = case.atoms()
    give_belongings(atoms)
    before = atoms.copy()
    case.driver(atoms, **case.heat).run(case.long)
    places = (before.numbers != atoms.numbers) | (
        np.abs(before.positions - atoms.positions).max(axis=1) > 1
    )
    assert places.any()
    assert np.all(atoms.get_tags() // 1000 == atoms.numbers)
    assert np.all(atoms.arrays["mine"][:, 0] == atoms.numbers)
    assert np.allclose(atoms.get_initial_charges(), 0.1 * atoms.numbers)
    one_of_each = sorted(zip(before.numbers, np.round(before.get_masses(), 6)))
    assert one_of_each == sorted(zip(atoms.numbers, np.round(atoms.get_masses(), 6)))
    assert len(np.unique(atoms.arrays["mine"][:, 1])) == len(atoms)


@pytest.mark.parametrize("name", ON_SITES)
def test_an_open_axis_is_open_or_refused(name: str) -> None:
    """Atoms at both ends of an open axis are no neighbours; where that cannot be, it is said."""
    case, found = CASES[name], []
    for vacuum in (0.0, 20.0):
        atoms = case.atoms()
        atoms.pbc = (True, True, False)
        atoms.cell[2, 2] += vacuum
        try:
            case.driver(atoms).run(case.steps)
        except ValueError as error:
            assert "open" in str(error) or "pbc" in str(error) or "periodic" in str(error)
            return
        found.append(atoms)
    np.testing.assert_array_equal(found[0].numbers, found[1].numbers)
    np.testing.assert_allclose(found[0].positions, found[1].positions, atol=1e-8)


@pytest.mark.parametrize("name", ALL)
def test_steps_are_a_whole_number(name: str) -> None:
    driver = CASES[name].driver(CASES[name].atoms())
    for steps in (-1, 1.5, "ten", None, True, np.nan):
        with pytest.raises(ValueError, match="steps must be"):
            driver.run(steps)
    driver.run(np.int64(2))
    driver.run(2.0)
    assert driver.nsteps == 4
