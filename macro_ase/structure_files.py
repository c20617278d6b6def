"""Structures in and out of files of any kind: the one door of all commands.

LAMMPS's data and dump files are known by what they hold, or by their names, and read and written
by `engines.lammps.files` and `engines.lammps.dump`; all else by ASE.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.io import read, write
from ase.io.formats import UnknownFileTypeError, filetype, ioformats

from .crystal import refuse_mixed_sites
from .engines.lammps.dump import read_dump, write_dump
from .engines.lammps.files import read_data, require_finite, write_data
from .engines.lammps.sections import looks_like_data
from .engines.lammps.text_files import PACKERS, read_text
from .files import replacing
from .reasons import absent, reason
from .whole_frames import ends_within_a_line, require_sound, whole_frames

DATA, DUMP = "LAMMPS data file", "LAMMPS dump"
DATA_ENDINGS = (".data", ".lmp", ".lmpdat", ".lammps", ".lammps-data")
DUMP_ENDINGS = (".dump", ".lammpstrj", ".lammps-dump")
LOOKED_AT = 20_000
INDEX = re.compile(r"[+-]?\d+|[+-]?\d*:[+-]?\d*(:[+-]?\d*)?")

Index = int | slice | str


def absent_structure(file: Path) -> str:
    """One line on a structure that is not there, which says what makes one if none is near it."""
    text = absent(file)
    return text if text.endswith(")") else f"{text}; macro-ase build makes a crystal"


def read_structures(
    path: str | Path, index: Index | None = None, species: Sequence[str] | str | None = None
) -> list[Atoms]:
    """Read frames of a structure file.

    Parameters
    ----------
    path : str or Path
        Any file that ASE reads, a LAMMPS data file or text dump; LAMMPS's may be packed by gzip,
        bzip2 or xz. ``FILE@INDEX`` chooses frames as in ASE.
    index : int, slice or str, optional
        Frames, such as ``-1``, ``"::10"``; default: all.
    species : sequence of str, optional
        Elements of the atom types, in order, of a LAMMPS file that does not name them.

    Returns
    -------
    list of Atoms
        One or more.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        Naming the file: if it cannot be read, has no such frame, does not tell its elements or
        names them beside ``species``, has sites of mixed occupancy, or numbers are not finite.
    """
    file, in_path = split_index(path)
    if not file.is_file():
        raise FileNotFoundError(absent_structure(file))
    if in_path is not None and index is not None:
        raise ValueError(f"{path} chooses frames, and index too: give one")
    chosen = _parsed(in_path if index is None else index, file)
    kind = _kind_of_content(file)
    if kind is None and species is not None:
        raise ValueError(f"{file} names its elements; species is for LAMMPS files that do not")
    try:
        one = slice(chosen, chosen + 1 or None) if isinstance(chosen, int) else chosen
        frames: list[Atoms] = _READERS[kind](file, one, species)
        for frame in frames:
            _check(frame)
    except Exception as error:  # each of ASE's readers raises its own kind
        named = isinstance(error, ValueError) and str(error).startswith(str(file))
        line = str(error) if named else f"{file} cannot be read as a structure: {reason(error)}"
        raise ValueError(line) from error
    if not frames:
        raise ValueError(f"{file} has no {_said(chosen)}")
    return frames


def read_structure(
    path: str | Path, index: Index | None = None, species: Sequence[str] | str | None = None
) -> Atoms:
    """Read one frame of a structure file, the last by default.

    Parameters and errors as of `read_structures`; several frames are an error too.
    """
    if index is None and split_index(path)[1] is None:
        index = -1
    frames = read_structures(path, index, species)
    if len(frames) > 1:
        raise ValueError(f"{path} gives {len(frames)} frames, where one is needed")
    return frames[0]


def write_structure(
    path: str | Path, atoms: Atoms | Sequence[Atoms], species: Sequence[str] | None = None
) -> None:
    """Write frames; the name chooses the format.

    ``.data``, ``.lmp`` and ``data.NAME`` are LAMMPS data files, with charges and molecules where
    the atoms have them; ``.dump``, ``.lammpstrj`` and ``dump.NAME`` text dumps; what follows may
    be ``.gz``, ``.bz2`` or ``.xz``. POSCAR files get one block for each element, in alphabetical
    order. From these vacancies ``X`` are left out with a warning.

    Parameters
    ----------
    path : str or Path
    atoms : ase.Atoms or sequence of Atoms
    species : sequence of str, optional
        Elements of LAMMPS's atom types or of the blocks of a POSCAR, in order.

    Raises
    ------
    ValueError
        Naming the file: if no format has this name, or it cannot hold these frames.
    OSError
        If it cannot be written.
    """
    file, frames = Path(path), [atoms] if isinstance(atoms, Atoms) else list(atoms)
    kind = kind_of_name(file)
    if not frames or (len(frames) > 1 and kind in (DATA, "vasp")):
        raise ValueError(f"{file} holds one structure, not {len(frames)}")
    try:
        if kind == DATA:
            write_data(file, frames[0], species, atom_style=_atom_style(frames[0]))
        elif kind == DUMP:
            write_dump(file, frames, species)
        elif kind == "vasp":
            _write_poscar(file, frames[0], species)
        else:
            with replacing(file) as beside:
                write(beside, frames if len(frames) > 1 else frames[0], format=kind)
    except (ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise ValueError(f"cannot write {file}: {reason(error)}") from error


def split_index(path: str | Path) -> tuple[Path, str | None]:
    """File and index of ``FILE@INDEX``; a file whose own name has an ``@`` is one."""
    name = os.fspath(path)
    head, at, index = name.rpartition("@")
    if not at or os.sep in index or Path(name).is_file():
        return Path(name), None
    return Path(head), index


def kind_of_name(path: str | Path) -> str:
    """`DATA`, `DUMP`, or the name of ASE's format, from the name of a file to write.

    Raises
    ------
    ValueError
        If no format has such names.
    """
    plain = _unpacked_name(path)
    suffix = Path(plain).suffix.lower()
    if suffix in DATA_ENDINGS:
        return DATA
    if suffix in DUMP_ENDINGS:
        return DUMP
    if not _is_ending_of_ase(suffix):
        for start, kind in (("data.", DATA), ("dump.", DUMP)):
            if plain.lower().startswith(start):
                return kind
    kind = _kind_of_ase(plain)
    if kind not in ioformats:
        raise ValueError(f"no file format is known by the name {path}; try .xyz")
    return kind


def _kind_of_ase(plain: str) -> str:
    try:
        return filetype(plain, read=False)
    except UnknownFileTypeError:
        return ""


def _is_ending_of_ase(suffix: str) -> bool:
    return any(suffix[1:] in known.extensions for known in ioformats.values()) and suffix != ""


def _unpacked_name(path: str | Path) -> str:
    name = Path(path).name
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix in PACKERS else name


def _kind_of_content(file: Path) -> str | None:
    """`DATA`, `DUMP`, or None for what ASE shall read.

    Raises
    ------
    ValueError
        If the name is that of a LAMMPS file, and what it holds is not.
    """
    try:
        head, trouble = read_text(file, LOOKED_AT), ""
    except ValueError as error:
        head, trouble = "", str(error)
    if head.lstrip().startswith("ITEM:"):
        return DUMP
    if looks_like_data(head):
        return DATA
    try:
        named = kind_of_name(file)
    except ValueError:
        return None
    if named in (DATA, DUMP):
        raise ValueError(trouble or f"{file} is no {named}, as its name says")
    return None


def _read_data(file: Path, index: slice, species: Any) -> Any:
    return [read_data(file, species)][index]


def _read_dump(file: Path, index: slice, species: Any) -> Any:
    return read_dump(file, species, index)


def _read_by_ase(file: Path, index: slice, _: Any) -> Any:
    try:
        require_sound(file, _kind_of_ase(_unpacked_name(file)))
        if ends_within_a_line(file) and whole_frames(file):
            raise ValueError("its last line is cut")
        return read(file, index=index, do_not_split_by_at_sign=True)
    except Exception:  # each of ASE's readers raises its own kind
        frames = whole_frames(file)
        if not frames:
            raise
        warnings.warn(
            f"{file}: a frame is not complete; {len(frames)} whole frames are there", stacklevel=2
        )
        return frames[index]


_READERS = {DATA: _read_data, DUMP: _read_dump, None: _read_by_ase}


def _check(frame: Any) -> None:
    if not isinstance(frame, Atoms) or not len(frame):
        raise ValueError("it holds no atoms")
    unknown = frame.numbers[(frame.numbers < 0) | (frame.numbers >= len(chemical_symbols))]
    if len(unknown):
        raise ValueError(f"no element has the number {unknown[0]}")
    require_finite(frame)
    refuse_mixed_sites(frame)


def _parsed(index: Index | None, file: Path) -> int | slice:
    if index is None:
        return slice(None)
    if isinstance(index, (int, np.integer)) and not isinstance(index, bool):
        return int(index)
    if isinstance(index, slice):
        return index
    text = str(index).strip()
    if not isinstance(index, str) or INDEX.fullmatch(text) is None:
        raise ValueError(f"{file}: frames are chosen as -1, 5, 10:, ::10 or such, not {index!r}")
    numbers = [int(part) if part else None for part in text.split(":")]
    if len(numbers) == 1:
        return int(text)
    if numbers[2:] == [0]:
        raise ValueError(f"{file}: frames cannot be chosen in steps of 0")
    return slice(*numbers)


def _said(index: int | slice) -> str:
    if isinstance(index, int):
        return f"frame {index}"
    if index == slice(None):
        return "structure"
    parts = (index.start, index.stop, index.step)
    return "frames " + ":".join("" if part is None else str(part) for part in parts)


def _atom_style(atoms: Atoms) -> str:
    charges, molecules = "initial_charges" in atoms.arrays, "mol-id" in atoms.arrays
    if charges:
        return "full" if molecules else "charge"
    return "molecular" if molecules else "atomic"


def _write_poscar(file: Path, atoms: Atoms, species: Sequence[str] | None) -> None:
    vacant = int(np.sum(atoms.numbers == 0))
    if vacant:
        warnings.warn(f"{vacant} vacancies are left out of {file}", stacklevel=3)
    atoms = atoms[atoms.numbers != 0]
    symbols = atoms.get_chemical_symbols()
    order = list(species) if species is not None else sorted(set(symbols))
    missing = sorted(set(symbols) - set(order))
    if missing or not len(atoms):
        raise ValueError(f"species {order} do not name {', '.join(missing) or 'any atom'}")
    if atoms.cell.rank < 3:
        raise ValueError("a POSCAR needs three cell vectors")
    require_finite(atoms)
    rank = np.array([order.index(symbol) for symbol in symbols])
    with replacing(file) as beside:
        write(beside, atoms[np.argsort(rank, kind="stable")], format="vasp")
