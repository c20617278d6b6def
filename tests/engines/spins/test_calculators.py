"""Energies of spin lattices through ASE."""

import math

import numpy as np
import pytest

from macro_ase.engines.spins.calculators import CurieWeissCalculator, IsingCalculator
from macro_ase.engines.spins.lattice import random_spins, spin_lattice


@pytest.mark.parametrize("size", [(5,), (4, 7), (3, 4, 5)])
def test_energy_is_the_formula(size: tuple[int, ...]) -> None:
    spins = random_spins(math.prod(size), 0.2, 0)
    grid = spins.reshape(size).astype(float)
    atoms = spin_lattice(size, spins)
    atoms.calc = IsingCalculator(coupling=-1.5, field=0.4)
    bonds = sum((grid * np.roll(grid, 1, axis)).sum() for axis in range(len(size)))
    assert atoms.get_potential_energy() == pytest.approx(1.5 * bonds - 0.4 * grid.sum())
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy())
    assert atoms.get_magnetic_moment() == grid.sum()
    order = np.random.default_rng(1).permutation(len(atoms))
    shuffled = atoms[order]
    shuffled.calc = IsingCalculator(coupling=-1.5, field=0.4)
    assert shuffled.get_potential_energy() == pytest.approx(atoms.get_potential_energy())
    energies = atoms.get_potential_energies()[order]
    np.testing.assert_allclose(shuffled.get_potential_energies(), energies)


def test_curie_weiss_energy_is_the_formula() -> None:
    atoms = spin_lattice((4, 5), random_spins(20, 0.4, 0))
    atoms.calc = CurieWeissCalculator(field=0.1)
    assert atoms.get_potential_energy() == pytest.approx(20 * (-(0.4**2) / 2 - 0.1 * 0.4))
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy())


@pytest.mark.parametrize("calculator", [IsingCalculator(field=0.1), CurieWeissCalculator(0.1)])
def test_a_turned_spin_is_noticed(calculator: IsingCalculator | CurieWeissCalculator) -> None:
    atoms = spin_lattice((4, 4))
    atoms.calc = calculator
    before = atoms.get_potential_energy()
    moments = atoms.get_initial_magnetic_moments()
    moments[3] = -1
    atoms.set_initial_magnetic_moments(moments)
    after = atoms.get_potential_energy()
    assert after > before
    calculator.set(field=0.2)
    assert atoms.get_potential_energy() == pytest.approx(after - 0.1 * 14)


def test_refusals() -> None:
    atoms = spin_lattice((4, 4), spacing=1.0)
    atoms.calc = IsingCalculator(coupling=math.nan)
    with pytest.raises(ValueError, match="coupling must be a finite number"):
        atoms.get_potential_energy()
    atoms.set_initial_magnetic_moments(np.full(16, 2.2))
    atoms.calc = CurieWeissCalculator()
    with pytest.raises(ValueError, match="1 or -1"):
        atoms.get_potential_energy()
