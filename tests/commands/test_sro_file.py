"""Short-range order of files: one frame, many, LAMMPS dumps, what cannot be read."""

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write

from macro_ase.cli import main
from macro_ase.commands.sro_file import sro_file
from macro_ase.observables import (
    long_range_order,
    short_range_order,
    short_range_order_trajectory,
)

TYPES = ("Mo", "Nb", "Ta")


def alloy(seed=0):
    atoms = bulk("Mo", "bcc", a=3.24, cubic=True) * 4
    atoms.symbols = np.random.default_rng(seed).choice(TYPES, len(atoms))
    return atoms


def write_dump(path, frames, elements):
    """A LAMMPS text dump, atoms out of order as LAMMPS leaves them."""
    lines = []
    for step, atoms in enumerate(frames):
        lines += ["ITEM: TIMESTEP", str(step), "ITEM: NUMBER OF ATOMS", str(len(atoms))]
        lines += ["ITEM: BOX BOUNDS pp pp pp"]
        lines += [f"0.0 {length}" for length in atoms.cell.lengths()]
        lines += [f"ITEM: ATOMS id type {'element ' if elements else ''}x y z"]
        for i in reversed(range(len(atoms))):
            symbol = atoms.symbols[i]
            name = f" {symbol}" if elements else ""
            x, y, z = atoms.positions[i]
            lines.append(f"{i + 1} {TYPES.index(symbol) + 1}{name} {x} {y} {z}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_one_frame_gives_its_table_and_csv(tmp_path):
    write(tmp_path / "a.xyz", alloy())
    text = sro_file(tmp_path / "a.xyz", 3, tmp_path / "a.csv")
    tables = short_range_order(alloy(), 3).table(), "", long_range_order(alloy()).table()
    assert text == "\n".join([str(tmp_path / "a.xyz"), *tables])
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1 + 3 * 4 * 4


def test_many_frames_give_means_with_errors(tmp_path):
    frames = [alloy(seed) for seed in range(5)]
    write(tmp_path / "a.traj", frames)
    text = sro_file(str(tmp_path / "a.traj"), 1, tmp_path / "a.csv")
    assert short_range_order_trajectory(frames, 1).table() in text
    assert text.endswith("last frame: " + long_range_order(frames[-1]).table())
    assert "alpha_error" in (tmp_path / "a.csv").read_text()


def test_dumps_with_elements_are_read(tmp_path):
    path = write_dump(tmp_path / "run.lammpstrj", [alloy()], elements=True)
    assert short_range_order(alloy()).table() in sro_file(path)
    with pytest.raises(ValueError, match=r"it names its elements: type . is .*, species names it"):
        sro_file(path, species=TYPES[::-1])


@pytest.mark.parametrize("name", ["run.lammpstrj", "dump.alloy"])
def test_dumps_without_elements_need_species(tmp_path, name):
    frames = [alloy(seed) for seed in range(3)]
    path = write_dump(tmp_path / name, frames, elements=False)
    with pytest.raises(ValueError, match="atom types and no elements"):
        sro_file(path)
    expected = short_range_order_trajectory(frames).table()
    assert expected in sro_file(path, species=TYPES)
    with pytest.raises(ValueError, match="it has a type 3, species names 2"):
        sro_file(path, species=TYPES[:2])


def test_what_cannot_be_read_is_one_clear_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.xyz"):
        sro_file(tmp_path / "nowhere.xyz")
    (tmp_path / "empty.xyz").write_text("")
    (tmp_path / "notes.dat").write_text("no structure here\n")
    (tmp_path / "broken.xyz").write_text("3\nthree atoms\nH 0 0 0\n")
    for name in ("empty.xyz", "notes.dat", "broken.xyz"):
        with pytest.raises(ValueError, match=name):
            sro_file(tmp_path / name)


def test_frames_are_chosen_as_in_ase(tmp_path):
    frames = [alloy(seed) for seed in range(6)]
    write(tmp_path / "a.traj", frames)
    last = short_range_order(frames[-1]).table()
    assert last in sro_file(tmp_path / "a.traj", index=-1)
    assert last in sro_file(f"{tmp_path}/a.traj@-1")
    some = short_range_order_trajectory(frames[::2]).table()
    assert some in sro_file(tmp_path / "a.traj", index="::2")
    with pytest.raises(ValueError, match="no frame 6"):
        sro_file(tmp_path / "a.traj", index=6)


def test_values_by_atom_are_of_one_chosen_frame(tmp_path):
    frames = [alloy(seed) for seed in range(3)]
    del frames[1][7]
    write(tmp_path / "a.traj", frames)
    with pytest.raises(ValueError, match=r"has 3 frames, .*choose it by index, such as -1"):
        sro_file(tmp_path / "a.traj", per_atom=tmp_path / "o.xyz")
    assert not (tmp_path / "o.xyz").exists()
    sro_file(tmp_path / "a.traj", per_atom=tmp_path / "o.xyz", index=1)
    atoms = read(tmp_path / "o.xyz")
    expected = short_range_order(frames[1], per_atom=True)
    assert atoms.info["species"] == "Mo Nb Ta X"
    for shell in (1, 2):
        assert np.array_equal(atoms.arrays[f"neighbors_{shell}"], expected.per_atom[:, shell - 1])


def test_cutoffs_are_given_in_a(tmp_path, capsys):
    write(tmp_path / "a.xyz", alloy())
    order = short_range_order(alloy(), cutoffs_A=[3.0, 3.9])
    assert order.table() in sro_file(tmp_path / "a.xyz", cutoffs_A=[3.0, 3.9])
    assert "radii given" in order.table()
    with pytest.raises(ValueError, match="leave the number out"):
        sro_file(tmp_path / "a.xyz", 2, cutoffs_A=[3.0])
    assert main(["sro", str(tmp_path / "a.xyz"), "--cutoffs", "3.9", "3.0"]) == 2
    assert "--cutoffs must be positive and ascending" in capsys.readouterr().err


def test_errors_name_options_and_not_python(tmp_path, capsys):
    gas = alloy()
    gas.positions = np.random.default_rng(0).uniform(0, gas.cell[0, 0], gas.positions.shape)
    write(tmp_path / "gas.xyz", gas)
    assert main(["sro", str(tmp_path / "gas.xyz")]) == 2
    error = capsys.readouterr().err
    assert "give their outer radii as --cutoffs" in error and "cutoffs_A" not in error


def test_files_without_a_cell_are_said_to_be_clusters(tmp_path):
    atoms = alloy()
    atoms.cell, atoms.pbc = None, False
    write(tmp_path / "a.xyz", atoms)
    assert "no cell: a cluster" in sro_file(tmp_path / "a.xyz")


def test_hops_are_weighted_by_time_and_that_is_said(tmp_path):
    frames = [alloy(seed) for seed in range(5)]
    for number, frame in enumerate(frames):
        frame.info |= {"time_s": 1e-9 * number**3, "residence_s": 1e-12 * (1 + number)}
    write(tmp_path / "hops.traj", frames)
    assert "weighted by residence time (residence_s)" in sro_file(tmp_path / "hops.traj")
    text = sro_file(tmp_path / "hops.traj", weights="frames")
    assert short_range_order_trajectory(frames, weights="frames").table() in text
    assert "all frames alike" in text


def test_why_there_is_no_long_range_order_is_said(tmp_path):
    atoms = bulk("Mo", "bcc", a=3.24) * 4
    atoms.symbols = np.random.default_rng(0).choice(TYPES, len(atoms))
    write(tmp_path / "a.xyz", atoms)
    assert "no long-range order: not a block of conventional bcc" in sro_file(tmp_path / "a.xyz")
    write(tmp_path / "w.xyz", bulk("W", "bcc", cubic=True))
    assert "long-range" not in sro_file(tmp_path / "w.xyz")
