"""What belongs to an atom travels with it; species that change keep the Maxwell-Boltzmann law."""

import numpy as np
from ase import Atoms, units
from ase.build import bulk

from macro_ase.engines.belongings import exchange, turn_into


def crystal() -> Atoms:
    atoms = bulk("Ne", "fcc", a=5.26, cubic=True) * (2, 1, 1)
    atoms.numbers[::2] = 54
    atoms.set_masses(atoms.get_masses() + 0.1 * np.arange(8))
    atoms.set_momenta(np.arange(24.0).reshape(8, 3))
    atoms.set_tags(np.arange(8))
    atoms.set_initial_charges(0.1 * np.arange(8))
    atoms.set_initial_magnetic_moments(np.arange(8.0))
    atoms.set_array("mine", np.arange(16).reshape(8, 2))
    return atoms


def test_everything_but_the_place_travels() -> None:
    atoms, before = crystal(), crystal()
    exchange(atoms, np.array([6, 1, 3]), np.array([2, 0, 1]))
    source = np.array([0, 6, 2, 1, 4, 5, 3, 7])
    np.testing.assert_array_equal(atoms.positions, before.positions)
    for name in before.arrays:
        if name != "positions":
            np.testing.assert_array_equal(atoms.arrays[name], before.arrays[name][source])


def test_momenta_of_atoms_that_turn_into_others() -> None:
    rng, atoms = np.random.default_rng(0), Atoms("NeXeNeX", positions=np.zeros((4, 3)))
    atoms.set_momenta(np.array([1.0, 1.0, 1.0, 0.0])[:, None] * np.ones(3))
    turn_into(atoms, np.arange(4), np.array([54, 54, 0, 0]), 300.0, rng)
    ratio = np.sqrt(131.293 / 20.1797)
    np.testing.assert_allclose(atoms.get_momenta()[:, 0], [ratio, 1, 0, 0], rtol=1e-6)
    n = 20_000
    many = Atoms(numbers=np.zeros(n, int), positions=np.zeros((n, 3)), momenta=np.zeros((n, 3)))
    turn_into(many, np.arange(n), np.full(n, 10), 300.0, rng)
    width = (many.get_momenta() ** 2).mean() / (20.1797 * units.kB * 300)
    assert abs(width - 1) < 4 * np.sqrt(2 / (3 * n))


def test_explicit_masses_follow_the_species() -> None:
    atoms = crystal()
    turn_into(atoms, np.array([0, 1]), np.array([10, 10]), 300.0, np.random.default_rng(0))
    np.testing.assert_allclose(atoms.get_masses()[:2], [20.1797, 20.2797], rtol=1e-5)
