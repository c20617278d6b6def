"""The door of all structure files: what is read, what is written, what is refused."""

import bz2
import gzip
import lzma
import warnings
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.io import read, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from macro_ase.build import build_crystal
from macro_ase.cli import main
from macro_ase.crystal import as_atoms
from macro_ase.observables import short_range_order
from macro_ase.structure_files import (
    kind_of_name,
    read_structure,
    read_structures,
    split_index,
    write_structure,
)

DATA_NAMES = ("a.data", "a.LMP", "data.alloy", "data.alloy.gz", "a.lammps-data", "a.data.xz")
DUMP_NAMES = ("a.dump", "dump.0", "a.lammpstrj", "dump.alloy.gz", "a.dump.bz2")

CIF = """data_alloy
_cell_length_a 3.25
_cell_length_b 3.25
_cell_length_c 3.25
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P m -3 m'
_symmetry_Int_Tables_number 221
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Mo1 Mo 0 0 0 0.55
Nb1 Nb 0 0 0 0.45
Ta1 Ta 0.5 0.5 0.5 {second}
{third}
"""


def alloy(vacancies: int = 0, seed: int = 1) -> Atoms:
    atoms = build_crystal("bcc", "NbMoTa", (3, 3, 3), vacancies, rng=seed)
    atoms.set_momenta(np.random.default_rng(seed).normal(size=(len(atoms), 3)))
    return atoms


@pytest.mark.parametrize("name", DATA_NAMES + DUMP_NAMES)
def test_the_name_chooses_lammps_and_the_content_tells_it(tmp_path: Path, name: str) -> None:
    atoms, file = alloy(), tmp_path / name
    write_structure(file, atoms, ["Nb", "Mo", "Ta"])
    found = read_structure(file)
    assert found.get_chemical_symbols() == atoms.get_chemical_symbols()
    assert set(found.arrays["type"][found.symbols == "Ta"]) == {3}
    np.testing.assert_allclose(found.positions, atoms.positions, atol=1e-10)
    np.testing.assert_allclose(found.get_velocities(), atoms.get_velocities(), rtol=1e-6)
    other = tmp_path / "no.hint"
    other.write_bytes(file.read_bytes())
    assert read_structure(other) == found


def test_names_that_ase_would_guess_otherwise() -> None:
    assert kind_of_name("alloy.data") == "LAMMPS data file"
    assert kind_of_name("data.xyz") == kind_of_name("dump.xyz") == "extxyz"
    assert kind_of_name("data.cif") == "cif" and kind_of_name("POSCAR_2") == "vasp"
    for name in ("notes", "a.foo", "a.data.zst", ".gz"):
        with pytest.raises(ValueError, match="no file format is known by the name"):
            kind_of_name(name)


@pytest.mark.parametrize("name", ["a.data", "dump.7", "data.alloy", "a.lammpstrj"])
@pytest.mark.parametrize("text", ["", "words\nand no atoms\n", "2\n\nNb 0 0 0\nMo 1 1 1\n", "\0\1"])
def test_what_is_no_lammps_file_is_not_guessed_at(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(ValueError, match=rf"{name} is (no LAMMPS|binary)"):
        read_structures(file)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_known_by_their_bytes(tmp_path: Path, pack) -> None:
    write_structure(tmp_path / "a.dump", alloy())
    packed = pack((tmp_path / "a.dump").read_bytes())
    (tmp_path / "packed.dump").write_bytes(packed)
    assert read_structure(tmp_path / "packed.dump") == read_structure(tmp_path / "a.dump")
    (tmp_path / "cut.dump").write_bytes(packed[:-20])
    with pytest.raises(ValueError, match=r"cut\.dump"):
        read_structure(tmp_path / "cut.dump")
    (tmp_path / "z.dump").write_bytes(b"\x28\xb5\x2f\xfd" + packed)
    with pytest.raises(ValueError, match=r"z\.dump is packed by zstd: unpack it first"):
        read_structure(tmp_path / "z.dump")


@pytest.mark.parametrize("name", ["run.lammpstrj", "run.traj", "run.xyz"])
def test_frames_are_chosen_as_in_ase(tmp_path: Path, name: str) -> None:
    file, frames = tmp_path / name, [alloy(seed=n) for n in range(5)]
    write_structure(file, frames)
    formulas = [str(frame.symbols) for frame in frames]

    def chosen(path, index=None):
        return [str(frame.symbols) for frame in read_structures(path, index)]

    assert chosen(file) == chosen(f"{file}@:") == formulas
    assert chosen(file, -2) == chosen(f"{file}@-2") == chosen(file, np.int64(3)) == [formulas[3]]
    assert chosen(f"{file}@1::2") == chosen(file, slice(1, None, 2)) == formulas[1::2]
    assert chosen(file, "::-1") == formulas[::-1]
    assert str(read_structure(file).symbols) == formulas[-1]
    assert str(read_structure(f"{file}@0").symbols) == formulas[0]
    for path, index, words in (
        (f"{file}@7", None, "has no frame 7"),
        (file, -6, "has no frame -6"),
        (f"{file}@5:5", None, "has no frames 5:5:"),
        (f"{file}@last", None, "frames are chosen as"),
        (file, True, "frames are chosen as"),
        (file, 1.0, "frames are chosen as"),
        (f"{file}@::0", None, "steps of 0"),
        (f"{file}@0", 1, "give one"),
    ):
        with pytest.raises(ValueError, match=words):
            read_structures(path, index)
    with pytest.raises(ValueError, match="gives 5 frames, where one is needed"):
        read_structure(f"{file}@:")


def test_a_file_may_have_an_at_sign_in_its_name(tmp_path: Path) -> None:
    for name in ("me@home.xyz", "me@1.data"):
        file = tmp_path / name
        write_structure(file, alloy())
        assert len(read_structures(file)) == len(read_structures(f"{file}@0")) == 1
        assert split_index(file) == (file, None)
    assert split_index("a@b/c.xyz") == (Path("a@b/c.xyz"), None)
    with pytest.raises(FileNotFoundError, match=r"nothing\.xyz; macro-ase build makes a crystal$"):
        read_structures(tmp_path / "nothing.xyz@1")


def test_species_are_for_files_that_need_them(tmp_path: Path) -> None:
    write_structure(tmp_path / "a.xyz", alloy())
    with pytest.raises(ValueError, match=r"a\.xyz names its elements"):
        read_structure(tmp_path / "a.xyz", species=["Nb", "Mo", "Ta"])
    write_structure(tmp_path / "a.data", alloy())
    text = (tmp_path / "a.data").read_text()
    for masses in (("1.0", "1.0", "1.0"), ("12.5", "13", "15"), ("208.98", "95.95", "180.95")):
        lines = [f"{n} {mass}" for n, mass in enumerate(masses, 1)]
        head, rest = text.partition("Masses")[0], text[text.index("Atoms #") :]
        (tmp_path / "b.data").write_text("\n".join([head + "Masses", "", *lines, "", rest]))
        with pytest.raises(ValueError, match=r"b\.data .* type 1.*give species"):
            read_structure(tmp_path / "b.data")
        found = read_structure(tmp_path / "b.data", species="Mo Nb Ta")
        assert found.get_chemical_symbols() == alloy().get_chemical_symbols()
        np.testing.assert_allclose(np.unique(found.get_masses()), np.unique(np.float64(masses)))


def test_poscars_have_one_block_for_each_element(tmp_path: Path) -> None:
    atoms = alloy(vacancies=2)
    atoms.positions += np.random.default_rng(0).normal(scale=0.1, size=(len(atoms), 3))
    atoms.set_constraint(FixAtoms([0, 5]))
    for name, species in (("POSCAR", None), ("a.vasp", ["Nb", "Mo", "Ta"])):
        with pytest.warns(UserWarning, match="2 vacancies are left out of"):
            write_structure(tmp_path / name, atoms, species)
        lines = (tmp_path / name).read_text().splitlines()
        assert lines[5].split() == (species or ["Mo", "Nb", "Ta"]) and len(lines[6].split()) == 3
        found = read_structure(tmp_path / name)
        near = np.linalg.norm(found.positions[:, None] - atoms.positions, axis=2).argmin(axis=1)
        assert found.get_chemical_symbols() == atoms[near].get_chemical_symbols()
        free = np.setdiff1d(np.arange(len(found)), found.constraints[0].index)
        speed = atoms[near].get_velocities()
        np.testing.assert_allclose(found.get_velocities()[free], speed[free], atol=1e-12)
        fixed = {int(near[n]) for n in found.constraints[0].index}
        assert fixed == {0, 5} - set(np.flatnonzero(atoms.numbers == 0))
    with pytest.raises(ValueError, match="holds one structure, not 2"):
        write_structure(tmp_path / "POSCAR", [atoms, atoms])
    with pytest.raises(ValueError, match="three cell vectors"):
        write_structure(tmp_path / "POSCAR", Atoms("Nb"))


@pytest.mark.parametrize("suffix", ["cif", "xyz", "traj"])
def test_sites_of_mixed_occupancy_are_refused_everywhere(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CIF.format(second="0.55", third="Nb2 Nb 0.5 0.5 0.5 0.45")
    (tmp_path / "a.cif").write_text(text)
    file = tmp_path / f"a.{suffix}"
    if suffix != "cif":
        write(file, read(tmp_path / "a.cif") * (2, 2, 2))
    with pytest.raises(ValueError, match=r"mixed site \(.* 0.55 .* 0.45\)"):
        read_structures(file)
    with pytest.raises(ValueError, match="mixed site"):
        short_range_order(read(file))
    for command in (
        f"sro {file}",
        f"kmc {file} --temperature 900 --steps 1",
        f"compute-barriers {file} --calculator eam:none --out {tmp_path}/out",
    ):
        assert main(command.split()) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and "mixed site" in err
    assert not (tmp_path / "out").exists()


def test_sites_that_were_given_one_species_are_taken(tmp_path: Path) -> None:
    (tmp_path / "a.cif").write_text(CIF.format(second="1.0", third=""))
    atoms = read(tmp_path / "a.cif") * (2, 2, 2)
    with pytest.raises(ValueError, match=r"mixed site \(Mo 0.55 Nb 0.45\)"):
        as_atoms(atoms)
    atoms.symbols[np.flatnonzero(atoms.symbols == "Mo")[:4]] = "Nb"
    assert as_atoms(atoms) is atoms
    (tmp_path / "b.cif").write_text(CIF.format(second="0.9", third=""))
    del atoms.info["occupancy"]
    assert as_atoms(atoms) is atoms
    partly = read(tmp_path / "b.cif")
    partly.symbols[0] = "Nb"
    with pytest.raises(ValueError, match="mixed site"):
        as_atoms(partly)


def test_what_cannot_be_a_structure_is_refused(tmp_path: Path) -> None:
    atoms = bulk("Nb", cubic=True)
    atoms.positions[0, 0] = np.nan
    for name in ("a.data", "a.dump", "POSCAR"):
        with pytest.raises(ValueError, match="not finite"):
            write_structure(tmp_path / name, atoms)
        assert not (tmp_path / name).exists()
    write(tmp_path / "nan.xyz", atoms)
    with pytest.raises(ValueError, match=r"nan\.xyz.* not finite"):
        read_structures(tmp_path / "nan.xyz")
    with pytest.raises(ValueError, match="holds one structure, not 0"):
        write_structure(tmp_path / "a.data", [])


@pytest.mark.parametrize("name", ["a.data", "data.a.gz", "a.dump", "a.xyz"])
def test_commands_read_and_write_them(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    build = f"build bcc NbMoTa --size 4 4 4 --seed 3 --out {file}"
    assert main(build.split()) == 0
    expected = build_crystal("bcc", "NbMoTa", (4, 4, 4), rng=3)
    found = read_structure(file)
    assert found.get_chemical_symbols() == expected.get_chemical_symbols()
    if name != "a.xyz":
        assert found.info["species"] == ("Nb", "Mo", "Ta")
        assert [set(found.arrays["type"][found.symbols == s]) for s in ("Nb", "Mo")] == [{1}, {2}]
    capsys.readouterr()
    assert main(["sro", str(file)]) == 0
    assert short_range_order(expected).table() in capsys.readouterr().out
    assert main(f"kmc {file}@0 --temperature 2000 --steps 5 --vacancies 1".split()) == 0
    assert "hops                             5" in capsys.readouterr().out


def test_commands_take_species_and_refuse_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "dump.0"
    write_structure(file, build_crystal("bcc", "NbMoTa", (3, 3, 3), rng=0), ["Nb", "Mo", "Ta"])
    names = ("Nb", "Mo", "Ta", "element")
    rows = [[word for word in line.split() if word not in names] for line in file.open()]
    file.write_text("\n".join(map(" ".join, rows)) + "\n")
    kmc = f"kmc {file} --temperature 2000 --steps 3 --vacancies 1"
    for command in (f"sro {file}", kmc):
        assert main(command.split()) == 2
        assert "give species" in capsys.readouterr().err
        assert main([*command.split(), "--species", "Nb", "Mo", "Ta"]) == 0
        assert "Nb" in capsys.readouterr().out


WORDS = (
    "",
    "nan",
    "inf",
    "-1",
    "0",
    "1e400",
    "9" * 20,
    "abc",
    "#",
    "Atoms",
    "ITEM:",
    "Masses",
    "\0",
)


@pytest.mark.slow
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), suffix=st.sampled_from(["data", "dump"]))
def test_damaged_lammps_files_are_read_or_refused(
    tmp_path: Path, data: st.DataObject, suffix: str
) -> None:
    file = tmp_path / f"a.{suffix}"
    write_structure(file, alloy()[:6])
    lines = file.read_text().split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        words = lines[at].split(" ")
        words[data.draw(st.integers(0, len(words) - 1))] = data.draw(st.sampled_from(WORDS))
        new = data.draw(st.sampled_from([[" ".join(words)], [], [lines[at], lines[at]]]))
        lines = [*lines[:at], *new, *lines[at + 1 :]] or [""]
    file.write_text("\n".join(lines))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frames = read_structures(file)
    except ValueError as error:
        assert str(file) in str(error) and "\n" not in str(error)
    else:
        assert all(np.isfinite(frame.positions).all() and len(frame) for frame in frames)


def test_the_pbc_of_pymatgen_lattices_is_kept() -> None:
    core = pytest.importorskip("pymatgen.core")
    lattice = core.Lattice.cubic(3.2, pbc=(True, False, True))
    structure = core.Structure(lattice, ["Nb", "Mo"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert as_atoms(structure).pbc.tolist() == [True, False, True]
    mixed = core.Structure(lattice, [{"Nb": 0.4, "Mo": 0.6}, "Ta"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(ValueError, match=r"mixed site \(Nb 0.4 Mo 0.6\)"):
        as_atoms(mixed)


def test_hot_crystals_are_put_on_sites_by_sro_and_kmc_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    atoms = build_crystal("bcc", "NbMoTa", (6, 6, 6), rng=0)
    atoms.positions += np.random.default_rng(1).normal(scale=0.2, size=(len(atoms), 3))
    sites = build_crystal("bcc", "NbMoTa", (6, 6, 6), rng=0).positions
    assert np.linalg.norm(atoms.positions - sites, axis=1).max() > 0.6
    write_structure(tmp_path / "hot.dump", atoms)
    assert main(["sro", str(tmp_path / "hot.dump")]) == 0
    assert "bcc, atoms assigned to lattice sites" in capsys.readouterr().out
    kmc = f"kmc {tmp_path}/hot.dump --temperature 2000 --steps 3 --vacancies 1"
    assert main(kmc.split()) == 0
    assert "432 bcc sites" in capsys.readouterr().out
