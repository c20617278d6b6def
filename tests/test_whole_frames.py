"""A cut trajectory is read to its last whole frame."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write

from macro_ase.structure_files import read_structure, read_structures
from macro_ase.whole_frames import whole_frames


def frames() -> list[Atoms]:
    found = []
    for seed in range(4):
        atoms = bulk("W", cubic=True) * (2, 2, 2)
        atoms.rattle(0.02, seed=seed)
        found.append(atoms)
    return found


@pytest.mark.parametrize("ending", ["xyz", "traj"])
@pytest.mark.parametrize("lost", [2, 60, 300])
def test_what_comes_before_the_cut(tmp_path: Path, ending: str, lost: int) -> None:
    file = tmp_path / f"a.{ending}"
    write(file, frames())
    file.write_bytes(file.read_bytes()[:-lost])
    with pytest.warns(UserWarning, match="a frame is not complete; 3 whole frames are there"):
        found = read_structures(file, ":")
    assert len(found) == 3
    for atoms, whole in zip(found, frames()):
        np.testing.assert_allclose(atoms.positions, whole.positions, atol=1e-8)
    with pytest.warns(UserWarning, match="not complete"):
        last = read_structure(file)
    np.testing.assert_allclose(last.positions, frames()[2].positions, atol=1e-8)


def test_a_frame_begun_after_whole_ones_in_a_trajectory(tmp_path: Path) -> None:
    """As a killed writer leaves it: the number of frames is written last."""
    file = tmp_path / "a.traj"
    write(file, frames())
    with file.open("ab") as stream:
        stream.write(b"half a frame" * 9)
    assert len(read_structures(file, ":")) == 4


@pytest.mark.parametrize("ending", ["xyz", "traj"])
def test_whole_files_and_others_are_left_to_their_readers(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a.{ending}"
    write(file, frames())
    assert whole_frames(file) == []
    file.write_bytes(file.read_bytes()[:100])
    assert whole_frames(file) == []
    with pytest.raises(ValueError, match=r"a\.\w+ cannot be read as a structure"):
        read_structures(file, ":")
    file.write_text("hello\n")
    assert whole_frames(file) == []


def test_a_fault_in_the_middle_is_no_cut(tmp_path: Path) -> None:
    file = tmp_path / "a.xyz"
    write(file, frames())
    lines = file.read_text().splitlines(keepends=True)
    del lines[5]
    file.write_text("".join(lines))
    with pytest.raises(ValueError, match="cannot be read"):
        read_structures(file, ":")
    assert len(read(file.with_suffix(".xyz"), index="0:0") or []) == 0
