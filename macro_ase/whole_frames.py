"""Trajectories that end within a frame, after a kill or a full disk: the frames that are whole."""

from __future__ import annotations

import io
import re
from pathlib import Path

from ase import Atoms
from ase.io import read
from ase.io.trajectory import TrajectoryReader

from .engines.lammps.text_files import read_text

TAIL = 4096
SQLITE = b"SQLite format 3\0"
WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)


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


def require_sound(file: Path, kind: str) -> None:
    """Refuse what ASE would count for ever, or write into.

    XYZ and POSCAR files may not say that they have more atoms than lines; a data base must be one.

    Parameters
    ----------
    file : Path
        Packed or not.
    kind : str
        Name of ASE's format; others are passed over.

    Raises
    ------
    ValueError
        Naming what is wrong.
    """
    if kind == "db" and not file.read_bytes().startswith(SQLITE):
        raise ValueError("it is no SQLite data base")
    if kind not in ("xyz", "extxyz", "vasp"):
        return
    lines = read_text(file).splitlines()
    at = 0 if kind != "vasp" else next((n for n in (5, 6) if _all_whole(lines[n : n + 1])), 0)
    while at < len(lines) and _all_whole(lines[at : at + 1]):
        count = sum(int(word) for word in lines[at].split())
        if not 0 <= count <= len(lines):
            raise ValueError(f"line {at + 1} says {count} atoms, and it has {len(lines)} lines")
        at += count + 2
        if kind == "vasp":
            return


def _all_whole(lines: list[str]) -> bool:
    """Whether there is a line, of whole numbers alone."""
    words = lines[0].split() if lines else []
    return bool(words) and all(WHOLE.fullmatch(word) for word in words)


def _of_xyz(file: Path) -> list[Atoms]:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    end = 0
    while end < len(lines):
        after = end + int(lines[end]) + 2
        if not end < after <= len(lines) or not lines[after - 1].endswith("\n"):
            break
        end = after
    if end in (0, len(lines)):
        return []
    found = read(io.StringIO("".join(lines[:end])), index=":", format="extxyz")
    return found if isinstance(found, list) else [found]


def _of_trajectory(file: Path) -> list[Atoms]:
    frames: list[Atoms] = []
    with TrajectoryReader(file) as trajectory:
        for number in range(len(trajectory)):
            try:
                frames.append(trajectory[number])
            except Exception:  # the bytes of this frame are not all there
                return frames
    return []
