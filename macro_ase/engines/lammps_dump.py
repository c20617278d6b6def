"""LAMMPS's text dumps in and out: ids, types, elements, velocities, images and skewed boxes.

Units are metal; positions are unwrapped where the dump tells images. ASE's reader drops images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

from ..files import write_atomically
from .lammps_box import PER_PS, Box, element_order, types_of


def read_dump(
    file: str | Path, species: Sequence[str] | None = None, index: int | slice = -1
) -> Any:
    """Read frames of a text dump, atoms in the order of their ids.

    Parameters
    ----------
    file : str or Path
    species : sequence of str, optional
        Elements of the types, if the dump has no column ``element``.
    index : int or slice
        Which frames; default: the last.

    Returns
    -------
    ase.Atoms or list of Atoms
        Unwrapped where the dump tells images; forces if it has them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no dump, ends early, or does not tell elements or positions.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"no such file: {file}")
    frames = list(_frames(Path(file).read_text().splitlines(), str(file), species))
    if not frames:
        raise ValueError(f"{file} is no LAMMPS dump")
    return frames[index]


def write_dump(
    file: str | Path, atoms: Atoms | Sequence[Atoms], species: Sequence[str] | None = None
) -> None:
    """Write frames as a text dump, which LAMMPS, OVITO and `read_dump` read.

    Columns are id, type, element, unwrapped positions, and velocities if there are momenta.

    Parameters
    ----------
    file : str or Path
    atoms : ase.Atoms or sequence of Atoms
        Ids are ``arrays["id"]``, or 1, 2, ...; the time step ``info["timestep"]``, or the number
        of the frame. Vacancies ``X`` are left out.
    species : sequence of str, optional
        Elements of the types; default ``info["species"]``, else alphabetical.

    Raises
    ------
    ValueError
        If an element is not in the order.
    """
    frames = [atoms] if isinstance(atoms, Atoms) else list(atoms)
    lines = [line for n, frame in enumerate(frames) for line in _dumped(frame, n, species)]
    write_atomically(file, "\n".join(lines) + "\n")


def _dumped(atoms: Atoms, number: int, species: Sequence[str] | None) -> list[str]:
    given = species if species is not None else atoms.info.get("species")
    atoms = atoms[atoms.numbers != 0]
    order, box = element_order([], atoms, given), Box.around(atoms)
    ids = atoms.arrays.get("id", np.arange(1, len(atoms) + 1))
    columns = [ids.astype(str), types_of(atoms, order).astype(str), np.array(atoms.symbols)]
    names, vectors = "id type element xu yu zu", [box.to_lammps(atoms.positions)]
    if atoms.has("momenta"):
        names += " vx vy vz"
        vectors += [box.to_lammps(atoms.get_velocities()) * PER_PS]
    columns += [np.array([f"{x:.17g}" for x in axis]) for v in vectors for axis in v.T]
    return [
        "ITEM: TIMESTEP",
        str(atoms.info.get("timestep", number)),
        "ITEM: NUMBER OF ATOMS",
        str(len(atoms)),
        *_bounds(box),
        f"ITEM: ATOMS {names}",
        *(" ".join(row) for row in zip(*columns)),
    ]


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


def _frames(lines: list[str], file: str, species: Sequence[str] | None) -> Iterator[Atoms]:
    at = 0
    try:
        while at < len(lines):
            items: dict[str, tuple[list[str], list[str]]] = {}
            while "ATOMS" not in items:
                head = lines[at].split()
                count = {"BOX": 3, "ATOMS": _count(items)}.get(head[1], 1)
                body = lines[at + 1 : at + 1 + count]
                if head[0] != "ITEM:" or len(body) < count:
                    raise ValueError
                items[head[1]] = head[2:], body
                at += 1 + count
            yield _frame(items, file, species)
    except (IndexError, ValueError) as error:
        told = isinstance(error, ValueError) and str(error)
        reason = told or f"a frame is not complete at line {at + 1}"
        raise ValueError(f"{file} cannot be read as a dump: {reason}") from None


def _count(items: dict[str, tuple[list[str], list[str]]]) -> int:
    return int(items["NUMBER"][1][0]) if "NUMBER" in items else 0


def _frame(
    items: dict[str, tuple[list[str], list[str]]], file: str, species: Sequence[str] | None
) -> Atoms:
    names, rows = items["ATOMS"]
    table = np.array([row.split() for row in rows], dtype=str).reshape(len(rows), len(names))
    column = {name: table[:, n] for n, name in enumerate(names)}
    order = np.argsort(column["id"].astype(int)) if "id" in column else np.arange(len(rows))
    column = {name: values[order] for name, values in column.items()}
    origin, edges, pbc = _dumped_box(*items["BOX"])
    atoms = Atoms(_elements(column, species), cell=edges, pbc=pbc, celldisp=origin)
    atoms.positions = _dumped_positions(column, origin, edges)
    for name in ("id", "type"):
        if name in column:
            atoms.set_array(name, column[name].astype(int))
    if "vx" in column:
        atoms.set_velocities(_triple(column, "vx", "vy", "vz") / PER_PS)
    if "fx" in column:
        forces = _triple(column, "fx", "fy", "fz")
        atoms.calc = SinglePointCalculator(atoms, forces=forces)
    atoms.info["timestep"] = int(items["TIMESTEP"][1][0])
    if species is not None:
        atoms.info["species"] = tuple(species)
    return atoms


def _triple(column: dict[str, NDArray[Any]], *names: str) -> NDArray[np.float64]:
    return np.stack([column[name].astype(float) for name in names], axis=1)


def _elements(column: dict[str, NDArray[Any]], species: Sequence[str] | None) -> list[str]:
    if species is not None and "type" in column:
        highest = column["type"].astype(int).max(initial=0)
        if highest > len(species):
            raise ValueError(f"it has a type {highest}, species names {len(species)}")
        return [species[n - 1] for n in column["type"].astype(int)]
    if "element" in column:
        return list(column["element"])
    raise ValueError("it does not name elements: give species")


def _dumped_box(
    head: list[str], rows: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[bool]]:
    """Origin, edges and periodicity; bounds of a skewed box enclose it."""
    head = head[1:]
    pbc = [word == "pp" for word in head[-3:]]
    if head[:1] == ["abc"]:
        table = np.array([row.split() for row in rows], dtype=float)
        return table[:, 3], table[:, :3], pbc
    table = np.array([row.split() for row in rows], dtype=float)
    xy, xz, yz = table[:, 2] if head[:1] == ["xy"] else (0.0, 0.0, 0.0)
    low = table[:, 0] - (min(0, xy, xz, xy + xz), min(0, yz), 0)
    high = table[:, 1] - (max(0, xy, xz, xy + xz), max(0, yz), 0)
    edges = np.diag(high - low)
    edges[1, 0], edges[2, 0], edges[2, 1] = xy, xz, yz
    return low, edges, pbc


def _dumped_positions(
    column: dict[str, NDArray[Any]], origin: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    for names, scaled in (("xu", False), ("x", False), ("xsu", True), ("xs", True)):
        if names in column:
            place = _triple(column, *(names.replace("x", axis) for axis in "xyz"))
            place = origin + place @ edges if scaled else place
            if names in ("x", "xs") and "ix" in column:
                place = place + _triple(column, "ix", "iy", "iz") @ edges
            return place
    raise ValueError("it has no positions")
