"""Short-range order of files: one frame, many, LAMMPS dumps, what cannot be read."""

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

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
    assert text.endswith(long_range_order(frames[-1]).table())
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
