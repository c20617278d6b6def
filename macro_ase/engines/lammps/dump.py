"""LAMMPS's text dumps in and out: ids, types, elements, velocities, images and skewed boxes.

Positions are unwrapped where the dump tells images; columns with no meaning here stay arrays of
their names. ASE's reader drops images.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ...reasons import reason
from .atom_types import given_species
from .box import PER_PS, Box, element_order, types_of
from .files import ARRAY_NAMES, ids_of, number_texts, require_finite
from .frames import PLACES, Columns, atoms_of, split_frames
from .text_files import read_text, write_text

LAMMPS_NAMES = {name: column for column, name in ARRAY_NAMES.items()}


def read_dump(
    file: str | Path,
    species: Sequence[str] | str | None = None,
    index: int | slice = -1,
    units: str | None = None,
) -> Any:
    """Read frames of a text dump, atoms in the order of their ids.

    Masses, charges and molecules become ASE's masses, initial charges and ``arrays["mol-id"]``;
    other columns, such as ``c_pe`` or ``c_stress[1]`` to ``c_stress[6]``, arrays of their names.

    Parameters
    ----------
    file : str or Path
        Packed (gzip, bzip2, xz) or not. Of one that ends within a frame the whole frames are
        read, with a warning.
    species : sequence of str, optional
        Elements of the types, if the dump has neither a column ``element`` nor telling masses.
    index : int or slice
        Which frames; default: the last.
    units : str, optional
        Default: as the dump says, else metal; ``"lj"`` as in `read_data`.

    Returns
    -------
    ase.Atoms or list of Atoms
        Unwrapped where the dump tells images; forces if it has them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no dump, has no whole frame, or does not tell elements or positions.
    IndexError
        If it has no frame of that number.
    """
    text = read_text(file)
    try:
        frames, rest = split_frames(text.splitlines())
        if rest and not frames:
            raise ValueError(rest)
        names = given_species(species)
        chosen = frames[index]
        units = units or "".join(frames[0].items.get("UNITS", ([], ["metal"]))[1]) or "metal"
        many = isinstance(chosen, list)
        read = [
            atoms_of(f, names, units) for f in (chosen if isinstance(chosen, list) else [chosen])
        ]
    except ValueError as error:
        raise ValueError(f"{file} cannot be read as a dump: {reason(error)}") from None
    except IndexError:
        if text.strip():
            raise IndexError(
                f"{file} has {len(frames)} frames, not one of number {index}"
            ) from None
        raise ValueError(f"{file} is no LAMMPS dump") from None
    if rest:
        warnings.warn(f"{file}: {rest}; {len(frames)} whole frames are there", stacklevel=2)
    return read if many else read[0]


def write_dump(
    file: str | Path, atoms: Atoms | Sequence[Atoms], species: Sequence[str] | None = None
) -> None:
    """Write frames as a text dump in metal units, which LAMMPS, OVITO and `read_dump` read.

    Columns are id, type, element, unwrapped positions, velocities if there are momenta, masses
    and charges if they are set, forces if the calculator has them, and every other array of the
    atoms, one column for each number of an atom: ``name`` or ``name[1]``, ``name[2]``, ...

    Parameters
    ----------
    file : str or Path
        Packed if it ends in .gz, .bz2 or .xz.
    atoms : ase.Atoms or sequence of Atoms
        Ids are ``arrays["id"]``, or 1, 2, ...; the time step ``info["timestep"]``, or the number
        of the frame. Vacancies ``X`` are left out with a warning.
    species : sequence of str, optional
        Elements of the types; default ``info["species"]``, else alphabetical.

    Raises
    ------
    ValueError
        If an element is not in the order, ids repeat, a number is not finite, or an array has
        the name of one of LAMMPS's columns or none that a dump can hold.
    """
    frames = [atoms] if isinstance(atoms, Atoms) else list(atoms)
    vacant = sum(int(np.sum(frame.numbers == 0)) for frame in frames)
    if vacant:
        warnings.warn(f"{vacant} vacancies are left out of {file}", stacklevel=2)
    lines = [line for n, frame in enumerate(frames) for line in _dumped(frame, n, species)]
    write_text(file, "\n".join(lines) + "\n")


def _dumped(atoms: Atoms, number: int, species: Sequence[str] | None) -> list[str]:
    given = species if species is not None else atoms.info.get("species")
    forces = atoms.calc.results.get("forces") if atoms.calc is not None else None
    real = atoms.numbers != 0
    atoms = atoms[real]
    require_finite(atoms)
    order, box = element_order([], atoms, given), Box.around(atoms)
    columns: Columns = {"id": ids_of(atoms), "type": types_of(atoms, order)}
    columns["element"] = np.array(atoms.get_chemical_symbols())
    columns |= _three("xu", box.to_lammps(atoms.positions))
    if atoms.has("momenta"):
        columns |= _three("vx", box.to_lammps(atoms.get_velocities()) * PER_PS)
    if atoms.has("masses"):
        columns["mass"] = atoms.get_masses()
    if forces is not None and len(forces) == len(real):
        columns |= _three("fx", box.to_lammps(forces[real]))
    columns |= _other_arrays(atoms, columns)
    return [
        "ITEM: TIMESTEP",
        str(atoms.info.get("timestep", number)),
        "ITEM: NUMBER OF ATOMS",
        str(len(atoms)),
        *_bounds(box),
        f"ITEM: ATOMS {' '.join(columns)}",
        *(" ".join(row) for row in zip(*map(number_texts, columns.values()))),
    ]


def _three(first: str, vectors: NDArray[np.float64]) -> Columns:
    return {first.replace("x", axis): values for axis, values in zip("xyz", vectors.T)}


def _other_arrays(atoms: Atoms, columns: Columns) -> Columns:
    """Columns of the arrays that have no column of their own yet."""
    others: Columns = {}
    told = {"numbers", "positions", "momenta", "masses", "id", "type"}
    for name, values in atoms.arrays.items():
        if name in told:
            continue
        column = LAMMPS_NAMES.get(name, name)
        reserved = {*columns, "ix", "iy", "iz", "fx", "fy", "fz", "vx", "vy", "vz", "mass"}
        reserved |= {x.replace("x", axis) for x, _ in PLACES for axis in "xyz"}
        if column in reserved or len(column.split()) != 1 or "[" in column:
            raise ValueError(f"an array {name!r} cannot be a column of a dump: rename it")
        table = values.astype(np.int64) if values.dtype == bool else values
        table = table.reshape(len(atoms), -1)
        if table.dtype.kind not in "iuf" and any(len(str(v).split()) != 1 for v in table.flat):
            raise ValueError(f"the array {name!r} has texts of no or several words")
        many = values.ndim > 1
        others |= {f"{column}[{k}]" if many else column: v for k, v in enumerate(table.T, 1)}
    return others


def _bounds(box: Box) -> list[str]:
    """The box's lines; bounds of a skewed box enclose it."""
    low, (xy, (xz, yz)) = box.origin, (box.edges[1, 0], box.edges[2, :2])
    high = low + np.diag(box.edges)
    low = low + (min(0, xy, xz, xy + xz), min(0, yz), 0)
    high = high + (max(0, xy, xz, xy + xz), max(0, yz), 0)
    tilts = [f" {tilt:.17g}" if box.skewed else "" for tilt in (xy, xz, yz)]
    flags = " ".join("pp" if periodic else "mm" for periodic in box.periodic)
    head = f"ITEM: BOX BOUNDS {'xy xz yz ' if box.skewed else ''}{flags}"
    return [head, *(f"{a:.17g} {b:.17g}{tilt}" for a, b, tilt in zip(low, high, tilts))]
