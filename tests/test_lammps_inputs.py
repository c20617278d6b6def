"""Each LAMMPS input that ships runs by itself, and what it finds is physics."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.mep import NEB
from ase.mep.neb import NEBOptimizer, NEBTools
from ase.optimize import BFGS
from engines.lammps.program import start_without_python

from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.lammps.dump import read_dump
from macro_ase.engines.lammps.files import input_path, read_data, write_data
from macro_ase.engines.lammps.library import executable
from macro_ase.potentials.zhou import zhou_table

pytest.importorskip("lammps")
SPECIES = ("Nb", "Mo", "Ta")
INPUTS = (
    "in.relax",
    "in.patch_md",
    "in.patch_swap_mc",
    "in.hybrid_mc_md",
    "in.neb_vacancy",
    "in.lj_nve",
)
PATCH = {"size": 10, "radius": 4, "buffer": 1.5}


@pytest.fixture(autouse=True)
def without_python(monkeypatch: pytest.MonkeyPatch) -> None:
    start_without_python(monkeypatch)


@pytest.fixture(scope="module")
def potential(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("potential") / "zhou.eam.alloy"
    zhou_table(SPECIES).write(file)
    return file


def run_input(name: str, tmp_path: Path, **variables) -> dict[str, float]:
    """Values of the RESULT lines, by their names."""
    variables |= {"out": tmp_path / "out"}
    words = [word for key, value in variables.items() for word in ("-var", key, str(value))]
    command = [*executable(), "-in", name, "-log", str(tmp_path / "log"), "-nocite", *words]
    folder = input_path(name).parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    told = " ".join(re.findall(r"^RESULT (.*)", done.stdout, re.MULTILINE)).split()
    return {key: float(value) for key, value in zip(told[::2], told[1::2])}


def inside(atoms: Atoms, radius_A: float) -> np.ndarray:
    """Which atoms of the first frame are within a radius of the middle of the cell."""
    return np.linalg.norm(atoms.positions - atoms.cell.sum(axis=0) / 2, axis=1) <= radius_A


def test_every_input_says_how_it_is_run() -> None:
    for name in INPUTS:
        text = input_path(name).read_text()
        assert f"#   lmp -in {name}" in text and "-var" in text
        assert set(re.findall(r"^include\s+(\S+)", text, re.MULTILINE)) <= {
            "system.include",
            "patch.include",
            "check.include",
        }


@pytest.mark.slow
def test_relaxing_lowers_the_energy(potential: Path, tmp_path: Path) -> None:
    found = run_input("in.relax", tmp_path, potential=potential, size=3)
    assert found["after_eV"] < found["before_eV"] - 0.1 and found["fmax_eV_per_A"] < 1e-5
    atoms = read_data(tmp_path / "out", SPECIES)
    atoms.calc = LammpsCalculator(["pair_style eam/alloy", f"pair_coeff * * {potential} Nb Mo Ta"])
    assert atoms.get_potential_energy() == pytest.approx(found["after_eV"], abs=1e-6)
    write_data(tmp_path / "mine.data", atoms[:40], ("Nb", "Mo", "Ta"))
    cell = {"cell": "yes", "ftol": 1e-4, "crystal": "read"}
    cell |= {"data": tmp_path / "mine.data"}
    again = run_input("in.relax", tmp_path, potential=potential, **cell)
    assert again["after_eV"] < again["before_eV"]


def test_the_potential_that_ships_is_the_default(tmp_path: Path) -> None:
    shipped = input_path("in.relax").parent.parent / "potentials" / "NbMoTa.eam.alloy"
    if not shipped.is_file():
        pytest.skip("no embedded-atom potential ships")
    found = run_input("in.relax", tmp_path, size=3)
    assert found["after_eV"] < found["before_eV"]


REFUSALS = [
    (
        "in.patch_swap_mc",
        {"ntypes": 4, "elements": "Nb Mo Ta W"},
        "ntypes must be 2 or 3 here, not 4",
    ),
    ("in.patch_swap_mc", {"ntypes": 1, "elements": "Nb"}, "ntypes must be 2 or 3 here, not 1"),
    ("in.hybrid_mc_md", {"ntypes": 4}, "ntypes must be 2 or 3 here, not 4"),
    (
        "in.patch_swap_mc",
        {"radius": 20},
        r"radius \+ buffer is 23 A, more than half the cell, 22.68 A",
    ),
    ("in.patch_md", {"radius": 1e3}, r"radius \+ buffer is 1003 A, more than half the cell"),
    ("in.patch_swap_mc", {"radius": -1}, "radius must be a number above 0 and at most 1e9, not -1"),
    ("in.patch_swap_mc", {"buffer": -1}, "buffer must be 0 or more, not -1"),
    ("in.patch_swap_mc", {"temperature": 0}, "temperature must be a number above 0"),
    ("in.patch_swap_mc", {"temperature": "hot"}, "Variable temperature: Non-numeric"),
    ("in.patch_md", {"timestep": -1e-3}, "timestep must be a number above 0"),
    ("in.hybrid_mc_md", {"damping": 0}, "damping must be a number above 0"),
    ("in.patch_swap_mc", {"seed": 0}, "seed must be a whole number from 1 to 899999990, not 0"),
    ("in.patch_swap_mc", {"seed": 2**31}, "seed must be a whole number .* not 2147483648"),
    ("in.patch_swap_mc", {"attempts": 2.5}, "attempts must be a whole number from 1"),
    ("in.patch_swap_mc", {"cut": "maybe"}, "cut must be yes or no, not maybe"),
    ("in.patch_md", {"ensemble": "npt"}, "ensemble must be nve, langevin or nvt, not npt"),
    ("in.hybrid_mc_md", {"steps": 7}, "steps must be even and at least every, not 7"),
    ("in.hybrid_mc_md", {"every": 600}, "steps must be even and at least every, not 500"),
    ("in.relax", {"cell": "maybe"}, "cell must be yes or no, not maybe"),
    ("in.relax", {"crystal": "given"}, "crystal must be random or read, not given"),
    ("in.relax", {"ftol": 0}, "ftol must be a number above 0"),
    ("in.neb_vacancy", {"vacancy": 5, "hop": 5}, "vacancy and hop must be two atoms, not both 5"),
    ("in.neb_vacancy", {"vacancy": 5}, "give both vacancy and hop, not 5 and none"),
    ("in.neb_vacancy", {"vacancy": 1, "hop": 40}, "vacancy and hop are .* A apart, more than"),
    ("in.neb_vacancy", {"planes": 0}, "planes must be a whole number from 1"),
    ("in.lj_nve", {"n": 0}, "n must be a whole number from 1"),
    ("in.lj_nve", {"velocity_seed": 2**31}, "seeds must be 1 to 2147483647, not 1, 2147483648"),
    ("in.lj_nve", {"every": 251}, "every must be at most steps, 250, not 251"),
    ("in.lj_nve", {"start": "anew"}, "start must be random or read, not anew"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variables", "message"), REFUSALS)
def test_what_an_input_cannot_do_is_one_line(
    potential: Path, tmp_path: Path, name: str, variables: dict[str, object], message: str
) -> None:
    told = refused(name, tmp_path, potential=potential, **variables)
    assert len(told) == 1 and re.search(message, told[0]), told
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_types_of_a_data_file_are_those_of_the_input(potential: Path, tmp_path: Path) -> None:
    atoms = Atoms("NbMo", [[0, 0, 0], [1.6, 1.6, 1.6]], cell=[3.24] * 3, pbc=True)
    write_data(tmp_path / "two.data", atoms * (4, 4, 4), ("Nb", "Mo"))
    given = {"crystal": "read", "data": tmp_path / "two.data", "potential": potential}
    told = refused("in.relax", tmp_path, **given)
    assert len(told) == 1 and "two.data has 2 types, the variable ntypes is 3" in told[0]


def refused(name: str, tmp_path: Path, **variables: object) -> list[str]:
    """The lines of an error that LAMMPS ends with."""
    variables |= {"out": tmp_path / "out"}
    words = [
        word for key, value in variables.items() for word in ("-var", key, *str(value).split())
    ]
    command = [*executable(), "-in", name, "-log", "none", "-nocite", *words]
    folder = input_path(name).parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0
    return re.findall(r"^ERROR.*", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_a_patch_keeps_its_energy_and_its_surroundings(potential: Path, tmp_path: Path) -> None:
    quick = {"steps": 200, "timestep": 0.001, **PATCH}
    found = run_input("in.patch_md", tmp_path, potential=potential, **quick)
    assert abs(found["drift_eV"]) < 2e-3 * found["active"]
    first, last = read_dump(tmp_path / "out", SPECIES, slice(None))
    moved = np.any(first.positions != last.positions, axis=1)
    np.testing.assert_array_equal(moved, inside(first, 5.5))
    assert moved.sum() == found["active"] and len(first) == found["atoms"] < 2000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "quick"),
    [
        ("in.patch_swap_mc", {"steps": 10, "attempts": 4}),
        ("in.hybrid_mc_md", {"steps": 100, "every": 20, "attempts": 4}),
    ],
)
def test_swaps_conserve_the_composition(potential: Path, tmp_path: Path, name, quick) -> None:
    found = run_input(name, tmp_path, potential=potential, temperature=600, **quick, **PATCH)
    first, last = read_dump(tmp_path / "out", SPECIES, slice(None))
    changed, active = first.numbers != last.numbers, inside(first, 5.5)
    assert first.symbols.formula == last.symbols.formula and found["accepted"] > 0
    assert changed.any() and not np.any(changed & ~active)
    np.testing.assert_array_equal(first.positions[~active], last.positions[~active])
    if name == "in.patch_swap_mc":
        np.testing.assert_array_equal(first.positions, last.positions)
        assert found["tried"] == 10 * 4 * 3 and found["after_eV"] < found["before_eV"]


@pytest.mark.slow
def test_a_vacancy_hops_over_the_barrier_that_ase_finds(potential: Path, tmp_path: Path) -> None:
    found = run_input("in.neb_vacancy", tmp_path, potential=potential, size=4)
    forward, backward = found["barrier_forward_eV"], found["barrier_backward_eV"]
    assert 0.3 < forward < 3 and forward - backward == pytest.approx(found["change_eV"], abs=1e-5)
    commands = ["pair_style eam/alloy", f"pair_coeff * * {potential} Nb Mo Ta"]
    barrier, change = barrier_by_ase(start_of_the_hop(potential, tmp_path), commands)
    assert change == pytest.approx(found["change_eV"], abs=2e-3)
    assert barrier == pytest.approx(forward, abs=0.03)


@pytest.mark.skipif((os.cpu_count() or 1) < 5, reason="five processes wait for one another")
def test_a_band_over_partitions_finds_the_same_barrier(potential: Path, tmp_path: Path) -> None:
    lmp = executable()[0]
    mpiexec = shutil.which("mpiexec", path=str(Path(lmp).parent)) or shutil.which("mpiexec")
    if mpiexec is None:
        pytest.skip("no mpiexec")
    dragged = run_input("in.neb_vacancy", tmp_path, potential=potential)["barrier_forward_eV"]
    log, out = tmp_path / "log.band", tmp_path / "band"
    words = f"-n 5 {lmp} -partition 5x1 -in in.neb_vacancy -var neb yes -var potential {potential}"
    output = f"-var out {out} -log {log} -screen none -plog none -pscreen none"
    folder = input_path("in.neb_vacancy").parent
    subprocess.run([mpiexec, *words.split(), *output.split()], cwd=folder, check=True)
    last = log.read_text().splitlines()[-1].split()
    assert float(last[6]) == pytest.approx(dragged, abs=0.02)


@pytest.mark.slow
def test_a_fluid_keeps_its_energy_and_its_minimised_atoms(tmp_path: Path) -> None:
    kept = {"n": 200, "T0": 0.8, "restart": tmp_path / "atoms.restart"}
    found = run_input("in.lj_nve", tmp_path, save="yes", **kept)
    assert found["atoms"] == 200 and abs(found["drift"]) < 2e-4 and 0.3 < found["T"] < 0.6
    frames = read_dump(tmp_path / "out", ["Ar"], slice(None))
    assert len(frames) == 26 and frames[-1].info["timestep"] == 250
    again = run_input("in.lj_nve", tmp_path, start="read", dump="no", **kept)
    assert again == pytest.approx(found, abs=1e-9)


def start_of_the_hop(potential: Path, tmp_path: Path) -> Atoms:
    """The crystal of `system.include`, unrelaxed."""
    run_input("in.relax", tmp_path, potential=potential, size=4, ftol=100.0)
    return read_data(tmp_path / "out", SPECIES)


def barrier_by_ase(atoms: Atoms, commands: list[str]) -> tuple[float, float]:
    """Barrier and change of energy of the hop in the middle, eV."""
    middle = atoms.cell.sum(axis=0) / 2
    order = np.argsort(np.linalg.norm(atoms.positions - middle, axis=1))
    vacancy = order[0]
    hop = np.argmin(np.linalg.norm(atoms.positions - middle - 0.5 * 3.24, axis=1))
    last = atoms.copy()
    last.positions[hop] = atoms.positions[vacancy]
    first, last = (a[np.arange(len(a)) != vacancy] for a in (atoms, last))
    images = [first, *(first.copy() for _ in range(5)), last]
    calculator = LammpsCalculator(commands)
    for image in images:
        image.calc = calculator
    for end in (first, last):
        BFGS(end, logfile=None).run(fmax=0.005)
    band = NEB(images, method="string", allow_shared_calculator=True)
    band.interpolate(mic=True)
    assert NEBOptimizer(band, method="ODE", logfile=None).run(fmax=0.05, steps=100)
    return NEBTools(images).get_barrier(fit=True)
