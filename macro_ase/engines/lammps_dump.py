"""LAMMPS's text dumps: ids, types, elements, velocities, forces, images and skewed boxes.

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

from .lammps_box import PER_PS


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
