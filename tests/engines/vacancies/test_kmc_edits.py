"""Temperatures, edits and fixed atoms between runs of kinetic Monte Carlo are taken up."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.constraints import FixAtoms, FixBondLength
from engines.vacancies.hopping import alloy, kmc

from macro_ase.barriers import KRABarriers
from macro_ase.crystal import Crystal
from macro_ase.engines import Ramp
from macro_ase.lattice import BCC
from macro_ase.observables.bonds import bond_counts
from macro_ase.testing import assert_boltzmann


def test_a_temperature_set_between_runs_acts_on_rates_and_clock() -> None:
    atoms, fresh = alloy(), alloy()
    dynamics = kmc(atoms, temperature_K=1000.0)
    barriers = -np.log(dynamics.rates / 1e13) * units.kB * 1000
    dynamics.temperature_K = 3000.0
    np.testing.assert_allclose(dynamics.rates, 1e13 * np.exp(-barriers / (units.kB * 3000)))
    dynamics.run(500)
    hot = kmc(fresh, temperature_K=3000.0)
    hot.run(500)
    assert dynamics.time == hot.time
    np.testing.assert_array_equal(atoms.positions, fresh.positions)


def test_a_ramp_is_one_temperature_a_hop() -> None:
    """As a new driver at each hop's temperature: exact, whatever observers look."""
    ramp, atoms, single = Ramp(3000.0, 300.0, 60), alloy(3), alloy(3)
    dynamics, one = kmc(atoms, temperature_K=ramp), kmc(single, temperature_K=3000.0)  # type: ignore[arg-type]
    dynamics.attach(lambda: None, interval=7)
    dynamics.run(80)
    for hop in range(80):
        one.temperature_K = ramp(hop)
        one.run(1)
    assert dynamics.time == one.time
    np.testing.assert_array_equal(atoms.positions, single.positions)
    wrong = kmc(alloy(3), temperature_K=3000.0)
    wrong.run(80)
    assert wrong.time < 0.1 * dynamics.time


def actual_bonds(atoms: Atoms) -> np.ndarray:
    crystal = Crystal.from_atoms(atoms, species=("Nb", "Mo", "Ta"))
    return bond_counts(crystal.occupation, crystal.grid.neighbors(BCC.shells(1)[0]), 4)


def edit(atoms: Atoms, how: str) -> None:
    if how == "species":
        hole, atom = atoms.symbols.search("X")[0], atoms.symbols.search("Nb")[0]
        atoms.symbols[[hole, atom]] = ["Nb", "X"]
    if how == "moved X":
        hole, atom = atoms.symbols.search("X")[0], atoms.symbols.search("Ta")[5]
        atoms.positions[[hole, atom]] = atoms.positions[[atom, hole]]
    if how == "translated":
        atoms.positions += [1.1, -7.3, 3.24]
    if how == "wrapped":
        atoms.wrap()
    if how == "scaled":
        atoms.set_cell(1.02 * atoms.cell.array, scale_atoms=True)
    if how == "noise":
        atoms.rattle(0.05, seed=1)


EDITS = ("species", "moved X", "translated", "wrapped", "scaled", "noise")


@pytest.mark.parametrize("how", EDITS)
def test_edits_are_taken_up(how: str) -> None:
    atoms = alloy()
    dynamics = kmc(atoms)
    dynamics.run(300)
    time = dynamics.time
    edit(atoms, how)
    given = atoms.copy()
    fresh = kmc(atoms.copy())
    np.testing.assert_array_equal(dynamics.bond_counts, actual_bonds(atoms))
    np.testing.assert_allclose(dynamics.rates, fresh.rates)
    assert dynamics.time == time and dynamics.nsteps == 300
    dynamics.run(1)
    moved = np.linalg.norm(atoms.positions - given.positions, axis=1)
    hopped = np.flatnonzero(moved > 1e-6)
    assert len(hopped) == 2 and (atoms.numbers[hopped] == 0).sum() == 1
    np.testing.assert_array_equal(atoms.numbers, given.numbers)
    np.testing.assert_allclose(moved[hopped], atoms.cell.lengths()[0] / 4 * 3**0.5 / 2)
    np.testing.assert_array_equal(dynamics.bond_counts, actual_bonds(atoms))


def test_what_has_no_meaning_is_refused_and_the_driver_stays() -> None:
    atoms, twin = alloy(), alloy()
    dynamics, other = kmc(atoms), kmc(twin)
    for driver in (dynamics, other):
        driver.run(100)
    kept = atoms.copy()
    for change, message in (
        (lambda: atoms.symbols.__setitem__(3, "W"), "species of the atoms changed: species W"),
        (lambda: atoms.set_pbc([True, True, False]), "pbc of the atoms changed: .* open along c"),
        (lambda: atoms.set_cell(1.5 * atoms.cell.array), "cell of the atoms changed"),
        (lambda: atoms.set_constraint(FixBondLength(0, 1)), "constraints .*FixBondLength"),
    ):
        change()
        with pytest.raises(ValueError, match=message):
            dynamics.run(10)
        atoms.numbers, atoms.pbc, atoms.cell = kept.numbers, kept.pbc, kept.cell
        atoms.set_constraint()
    dynamics.run(100)
    other.run(100)
    np.testing.assert_array_equal(atoms.positions, twin.positions)


def test_fixed_atoms_and_fixed_vacancies_do_not_hop() -> None:
    atoms = alloy(3)
    vacant = atoms.symbols.search("X")
    free = kmc(atoms.copy())
    held = [int(vacant[1]), *range(40, 60), -1]
    atoms.set_constraint([FixAtoms(held[:5]), FixAtoms(held[5:])])
    start = atoms.positions.copy()
    dynamics = kmc(atoms)
    neighbours = [dynamics.barriers.hop_barriers(atoms, int(v))[0] for v in vacant]
    expected = free.rates.copy()
    expected[np.isin(neighbours, np.arange(len(atoms))[held])] = 0
    expected[1] = 0
    np.testing.assert_allclose(dynamics.rates, expected)
    assert 0 < expected.sum() < free.rates.sum()
    dynamics.run(3000)
    np.testing.assert_array_equal(atoms.positions[held], start[held])
    assert np.all(np.abs(atoms.positions[vacant[[0, 2]]] - start[vacant[[0, 2]]]).max(axis=1) > 1)
    atoms.set_constraint(FixAtoms(vacant))
    with pytest.warns(UserWarning, match="10 of 10 steps were not done: all vacancies are fixed"):
        dynamics.run(10)
    assert dynamics.nsteps == 3000 and dynamics.rates.sum() == 0


@pytest.mark.slow
def test_with_fixed_atoms_time_follows_boltzmann() -> None:
    """One vacancy between three sites; where nothing is fixed it leaves them."""
    start, model = alloy(1), KRABarriers.load()
    hole = int(start.symbols.search("X")[0])
    places = [hole, *model.hop_barriers(start, hole)[0][[0, 7]].tolist()]

    def energy_eV(site: int) -> float:
        atoms = start.copy()
        atoms.symbols[[hole, site]] = start.symbols[[site, hole]]
        return model.energy.energy(Crystal.from_atoms(atoms, species=model.species))

    def compare(fixed: list[int]) -> None:
        atoms = start.copy()
        atoms.set_constraint(FixAtoms(fixed))
        dynamics = kmc(atoms, temperature_K=2000.0)

        def hop(_: int) -> int:
            dynamics.run(1)
            away = start.cell.scaled_positions(start.positions - atoms.positions[hole])
            return int(np.abs(away - np.rint(away)).sum(axis=1).argmin())

        assert_boltzmann(
            hop,
            places,
            energy_eV,
            units.kB * 2000.0,
            n_samples=2560,
            residence=lambda _: 1 / dynamics.rates.sum(),
            wrong=1.5,
        )

    compare([i for i in range(len(start)) if i not in places])
    with pytest.raises(ValueError, match="which is none of the 3 states"):
        compare([])
