"""All drivers again: restarts, copies, trajectories that go on."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.constraints import FixAtoms
from ase.io import read, write
from engines.driver_cases import ALL, CASES, EAM, PATCH, REPEATABLE, same, state

from macro_ase.build import build_crystal
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.md import PatchMD
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM


@pytest.mark.parametrize("name", [n for n in ALL if "Lammps" not in n])
def test_a_restart_knows_its_atoms(name: str, tmp_path: Path) -> None:
    case, file = CASES[name], tmp_path / "a.npz"
    atoms = case.atoms()
    driver = case.driver(atoms)
    driver.run(case.short)
    driver.write_restart(file)
    driver.run(case.short)
    again = case.atoms()
    second = case.driver(again)
    second.read_restart(file)
    second.run(case.short)
    for key in atoms.arrays:
        np.testing.assert_array_equal(again.arrays[key], atoms.arrays[key], err_msg=key)
    for wrong in (reordered, stretched, held):
        strange = wrong(case.atoms())
        try:
            other = case.driver(strange)
        except ValueError:
            assert wrong is not reordered
            continue
        kept = state(strange)
        with pytest.raises(ValueError, match=r"a\.npz|the restart was written with other"):
            other.read_restart(file)
        assert same(kept, state(strange))


def reordered(atoms: Atoms) -> Atoms:
    found = atoms[::-1]
    found.calc = atoms.calc
    return found


def stretched(atoms: Atoms) -> Atoms:
    atoms.set_cell(1.01 * atoms.cell.array, scale_atoms=True)
    return atoms


def held(atoms: Atoms) -> Atoms:
    atoms.set_constraint(FixAtoms([5]))
    return atoms


@pytest.mark.parametrize("name", REPEATABLE)
@pytest.mark.parametrize("way", [copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])
def test_copies_go_on_as_the_original(name: str, way: Callable[[Any], Any]) -> None:
    case = CASES[name]
    driver = case.driver(case.atoms())
    driver.run(case.short)
    twin = way(driver)
    assert twin.atoms is not driver.atoms and twin.nsteps == case.short
    for one in (driver, twin):
        one.run(case.short)
    for key in driver.atoms.arrays:
        np.testing.assert_allclose(
            twin.atoms.arrays[key], driver.atoms.arrays[key], atol=1e-9, err_msg=key
        )


@pytest.mark.parametrize("name", ALL)
def test_a_copy_leaves_files_alone(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    file = tmp_path / ("a.xyz" if name == "FieldDynamics" else "a.traj")
    driver = case.driver(case.atoms(), trajectory=file, logfile=tmp_path / "log", loginterval=2)
    driver.run(4)
    with pytest.warns(UserWarning, match="neither its log nor its trajectory"):
        twin = copy.deepcopy(driver)
    twin.run(2)
    assert len(read(file, index=":")) == 3
    assert len((tmp_path / "log").read_text().splitlines()) == 4


@pytest.mark.parametrize("name", ALL)
def test_an_appended_trajectory_repeats_no_frame(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    file = tmp_path / ("a.xyz" if name == "FieldDynamics" else "a.traj")
    atoms = case.atoms()
    options: dict[str, Any] = {"trajectory": file, "loginterval": 2}
    case.driver(atoms, **options).run(4)
    case.driver(atoms, append_trajectory=True, **options).run(4)
    assert [frame.info["step"] for frame in read(file, index=":")] == [0, 2, 4, 2, 4]
    write(file, Atoms("H"))
    with pytest.raises(ValueError, match="cannot append"):
        case.driver(case.atoms(), append_trajectory=True, **options)


class Unpicklable(TableEAM):
    """A calculator that holds what cannot be pickled."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.held = lambda: None


@pytest.mark.parametrize("name", ["PatchMC", "PatchMD"])
def test_what_keeps_a_driver_from_being_pickled_is_named(name: str) -> None:
    driver = CASES[name].driver(CASES[name].atoms())
    driver.attach(lambda: None)
    with pytest.raises(TypeError, match=r"cannot be pickled: its observer .*<lambda>"):
        pickle.dumps(driver)
    copy.deepcopy(driver).run(2)
    atoms, calculator = CASES[name].atoms(), Unpicklable(path("NbMoTa.eam.alloy"))
    if name == "PatchMC":
        held: Any = PatchMC(atoms, PATCH, calculator, temperature_K=900.0, rng=1)
    else:
        held = PatchMD(atoms, PATCH, calculator, timestep=units.fs, rng=1)
    with pytest.raises(TypeError, match="its calculator Unpicklable cannot"):
        pickle.dumps(held)


def spoil_momenta(atoms: Atoms) -> None:
    atoms.set_momenta(np.where(np.arange(len(atoms)) == 3, np.nan, 0.0)[:, None] * np.ones(3))


def spoil_masses(atoms: Atoms) -> None:
    atoms.set_masses(np.where(np.arange(len(atoms)) == 3, 0.0, atoms.get_masses()))


def spoil_positions(atoms: Atoms) -> None:
    atoms.positions[-1] = np.inf


def spoil_cell(atoms: Atoms) -> None:
    atoms.cell[0] = 0.0


SPOILS = {
    "momenta": spoil_momenta,
    "masses": spoil_masses,
    "positions": spoil_positions,
    "cell": spoil_cell,
}


@pytest.mark.filterwarnings("error:invalid value")
@pytest.mark.parametrize("name", [n for n in ALL if n != "FieldDynamics"])
@pytest.mark.parametrize("what", SPOILS)
def test_what_no_atoms_can_have_is_refused(name: str, what: str) -> None:
    """At the start, and between runs where steps depend on it."""
    case = CASES[name]
    atoms = case.atoms()
    driver = case.driver(atoms)
    driver.run(2)
    spoilt = case.atoms()
    SPOILS[what](spoilt)
    with pytest.raises(ValueError, match=f"{what}|finite|lattice|flat"):
        case.driver(spoilt)
    if what in ("positions", "cell") or what in driver._watched:
        SPOILS[what](atoms)
        with pytest.raises(ValueError, match=f"{what}|finite|lattice|flat"):
            driver.run(2)


@pytest.mark.parametrize("interval", ["x", None, 2.5, np.nan])
def test_intervals_of_observers_are_whole_numbers(interval: Any) -> None:
    driver = CASES["Metropolis"].driver(CASES["Metropolis"].atoms())
    with pytest.raises(ValueError, match="interval of an observer"):
        driver.attach(lambda: None, interval=interval)
    seen: list[int] = []
    driver.attach(lambda: seen.append(driver.nsteps), interval=np.float64(2.0))
    driver.run(4)
    assert seen == [0, 2, 4]


@pytest.mark.parametrize("name", ["VacancyKMC", "SwapMC", "PatchMC"])
def test_no_temperature_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="temperature must be above 0 K, not None"):
        CASES[name].driver(CASES[name].atoms(), temperature_K=None)


def test_an_atom_that_comes_into_the_halo_is_seen() -> None:
    atoms = build_crystal("bcc", "NbMoTa", size=(10, 10, 10), rng=1)
    driver = PatchMC(atoms, Patch.sphere(0, 5.0), EAM, temperature_K=900.0, rng=1)
    driver.run(2)
    far = np.setdiff1d(np.arange(len(atoms)), driver._rows)[-1]
    atoms.positions[far] = atoms.positions[0] + 1.0
    driver.run(1)
    assert far in driver._rows


@pytest.mark.parametrize("name", ALL)
def test_no_frame_is_written_twice(name: str, tmp_path: Path) -> None:
    """Neither by two runs that begin at step 0, nor after a restart of the same run."""
    case = CASES[name]
    file = tmp_path / ("a.xyz" if name == "FieldDynamics" else "a.traj")
    driver = case.driver(case.atoms(), trajectory=file, loginterval=2)
    driver.run(0)
    driver.run(2)
    if "Lammps" not in name:
        driver.write_restart(tmp_path / "a.npz")
    driver.run(4)
    if "Lammps" not in name:
        driver.read_restart(tmp_path / "a.npz")
        driver.run(6)
    else:
        driver.run(2)
    assert [frame.info["step"] for frame in read(file, index=":")] == [0, 2, 4, 6, 8]
