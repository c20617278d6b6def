"""Trajectories that end within a frame, after a kill or a full disk: the frames that are whole."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.io import read
from ase.io.trajectory import TrajectoryReader

TAIL = 4096


def whole_frames(file: Path) -> list[Atoms]:
    """The frames before the place where a file was cut off.

    Parameters
    ----------
    file : Path
        Extended XYZ, or an ASE trajectory.

    Returns
    -------
    list of Atoms
        Empty if the file is of another kind, not cut, or cut in its first frame.
    """
    with file.open("rb") as stream:
        start = stream.read(4)
    try:
        return _of_trajectory(file) if start == b"- of" else _of_xyz(file)
    except Exception:  # what ASE cannot read was cut nowhere that is known
        return []


def ends_within_a_line(file: Path) -> bool:
    """Whether the last line of an XYZ file is shorter than those before, and has no end.

    The number at its end may then have lost digits, and still reads as a number.
    """
    if file.suffix not in (".xyz", ".extxyz"):
        return False
    with file.open("rb") as stream:
        stream.seek(-min(TAIL, file.stat().st_size), io.SEEK_END)
        lines = stream.read().split(b"\n")
    return len(lines) > 3 and 0 < len(lines[-1]) < len(lines[-2]) == len(lines[-3])


def _of_xyz(file: Path) -> list[Atoms]:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    end = 0
    while end < len(lines):
        after = end + int(lines[end]) + 2
        if after > len(lines) or not lines[after - 1].endswith("\n"):
            break
        end = after
    if end in (0, len(lines)):
        return []
    found: Any = read(io.StringIO("".join(lines[:end])), index=":", format="extxyz")
    return found


def _of_trajectory(file: Path) -> list[Atoms]:
    frames: list[Atoms] = []
    with TrajectoryReader(file) as trajectory:
        for number in range(len(trajectory)):
            try:
                frames.append(trajectory[number])
            except Exception:  # the bytes of this frame are not all there
                return frames
    return []
