"""The frames of a LAMMPS text dump: from lines to atoms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers
from numpy.typing import NDArray

from .atom_types import element_of_mass
from .files import ARRAY_NAMES, converted, require_finite

Columns = dict[str, NDArray[Any]]
PLACES = (("xu", False), ("x", False), ("xsu", True), ("xs", True))
"""Columns of positions, by preference, and whether they are in units of the box."""

DEFAULT_ELEMENT = "C"
"""What LAMMPS writes as the element of all types before ``dump_modify element``."""


@dataclass(frozen=True)
class DumpFrame:
    """Items of a frame by their first word: words of the head, and lines."""

    items: dict[str, tuple[list[str], list[str]]]


def split_frames(lines: list[str]) -> tuple[list[DumpFrame], str]:
    """All whole frames, and what is wrong with the rest, if there is one."""
    frames: list[DumpFrame] = []
    at = 0
    while at < len(lines):
        items: dict[str, tuple[list[str], list[str]]] = dict(_kept(frames))
        while "ATOMS" not in items:
            incomplete = f"a frame is not complete at line {at + 1}"
            head = lines[at].split() if at < len(lines) else []
            if len(head) < 2 or head[0] != "ITEM:":
                return frames, incomplete
            number = items["NUMBER"][1][0] if "NUMBER" in items else "0"
            if head[1] == "ATOMS" and not number.strip().isdecimal():
                return frames, incomplete
            count = {"BOX": 3, "ATOMS": int(number)}.get(head[1], 1)
            body = lines[at + 1 : at + 1 + count]
            if len(body) < count or (head[1] == "ATOMS" and body and not _whole(head, body[-1])):
                return frames, incomplete
            items[head[1]] = head[2:], body
            at += 1 + count
        if not {"NUMBER", "BOX", "TIMESTEP"} <= items.keys():
            return frames, f"the frame that ends at line {at} has no box or no number of atoms"
        frames.append(DumpFrame(items))
    return frames, ""


def _kept(frames: list[DumpFrame]) -> dict[str, tuple[list[str], list[str]]]:
    """What LAMMPS writes in the first frame alone."""
    return {k: v for k, v in frames[0].items.items() if k == "UNITS"} if frames else {}


def _whole(head: list[str], row: str) -> bool:
    return len(row.split()) == len(head) - 2


def atoms_of(frame: DumpFrame, species: tuple[str, ...] | None, units: str) -> Atoms:
    names, rows = frame.items["ATOMS"]
    cells = [row.split() for row in rows]
    if any(len(row) != len(names) for row in cells):
        raise ValueError(f"rows do not have the {len(names)} columns that their head names")
    table = np.array(cells, dtype=str).reshape(len(rows), len(names))
    column = {name: table[:, n] for n, name in enumerate(names)}
    order = np.argsort(column["id"].astype(np.int64)) if "id" in column else np.arange(len(rows))
    column = {name: values[order] for name, values in column.items()}
    origin, edges, pbc = _dumped_box(*frame.items["BOX"])
    length = converted(1.0, "distance", units)
    symbols = _elements(column, species, units)
    place = _dumped_positions(column, origin, edges) * length
    atoms = Atoms(symbols, place, cell=edges * length, pbc=pbc, celldisp=origin * length)
    _set_known(atoms, column, units)
    for name, values in _gathered(column).items():
        atoms.set_array(ARRAY_NAMES.get(name, name), values)
    atoms.info["timestep"] = int(frame.items["TIMESTEP"][1][0])
    if order_of_types := species or _order_of_types(atoms):
        atoms.info["species"] = order_of_types
    require_finite(atoms)
    return atoms


def _order_of_types(atoms: Atoms) -> tuple[str, ...]:
    """Elements of the types, where atoms of all types are there and agree."""
    types = atoms.arrays.get("type")
    if types is None or types.dtype.kind != "i":
        return ()
    pairs = dict(sorted(set(zip(types.tolist(), atoms.get_chemical_symbols()))))
    agree = all(pairs[t] == s for t, s in zip(types.tolist(), atoms.get_chemical_symbols()))
    return tuple(pairs.values()) if agree and [*pairs] == [*range(1, len(pairs) + 1)] else ()


def _set_known(atoms: Atoms, column: Columns, units: str) -> None:
    """Take the columns that ASE has a meaning for out of the rest."""
    for name in ("id", "type"):
        if name in column:
            values = column.pop(name)
            atoms.set_array(name, _number(values) if name == "type" else values.astype(np.int64))
    if "mass" in column:
        atoms.set_masses(converted(column.pop("mass").astype(float), "mass", units))
    if "vx" in column:
        atoms.set_velocities(converted(_taken(column, "vx"), "velocity", units))
    if "fx" in column:
        forces = converted(_taken(column, "fx"), "force", units)
        atoms.calc = SinglePointCalculator(atoms, forces=forces)
    column.pop("element", None)


def _taken(column: Columns, first: str) -> NDArray[np.float64]:
    """Three columns, shape (n_atoms, 3), taken out."""
    missing = [name for name in (first.replace("x", a) for a in "xyz") if name not in column]
    if missing:
        raise ValueError(f"it has a column {first} and none {missing[0]}")
    return np.stack([column.pop(first.replace("x", a)).astype(float) for a in "xyz"], axis=1)


def _gathered(column: Columns) -> Columns:
    """Columns as arrays; ``name[1]``, ``name[2]``, ... are those of one."""
    lists: dict[str, list[NDArray[Any]]] = {}
    for name, values in column.items():
        base, bracket, _ = name.partition("[")
        lists.setdefault(base if bracket else name, []).append(_number(values))
    many = {name.partition("[")[0] for name in column if "[" in name}
    return {n: np.stack(v, axis=1) if n in many else v[0] for n, v in lists.items()}


def _number(values: NDArray[Any]) -> NDArray[Any]:
    """Texts as whole numbers, else as numbers, else as they are."""
    for kind in (np.int64, np.float64):
        try:
            return values.astype(kind)
        except ValueError:
            continue
    return values


def _elements(column: Columns, species: tuple[str, ...] | None, units: str) -> list[str]:
    named = [str(name) for name in column["element"]] if "element" in column else None
    types = column["type"] if "type" in column else None
    several = types is not None and len(set(types.tolist())) > 1
    if named is not None and several and set(named) == {DEFAULT_ELEMENT}:
        named = None
    if species is not None:
        return _given(species, types, named)
    if named is not None:
        unknown = sorted({name for name in named if name not in atomic_numbers})
        if unknown:
            raise ValueError(f"it names elements {', '.join(unknown)}: give species")
        return named
    if types is not None and all(name in atomic_numbers for name in set(types.tolist())):
        return [str(name) for name in types]
    if "mass" in column and units != "lj":
        masses = converted(column["mass"].astype(float), "mass", units)
        by_mass = {float(mass): element_of_mass(float(mass)) for mass in set(masses.tolist())}
        if None not in by_mass.values():
            return [str(by_mass[float(mass)]) for mass in masses]
    raise ValueError(
        "it has atom types and no elements: give species, the element of each type in order, or "
        "write an element column (dump_modify ID element ...)"
    )


def _given(
    species: tuple[str, ...], types: NDArray[Any] | None, named: list[str] | None
) -> list[str]:
    """Elements by species, which an element column may not contradict."""
    if types is None:
        raise ValueError("it has no column type, which species is for")
    number = types.astype(np.int64)
    if number.max(initial=0) > len(species) or number.min(initial=1) < 1:
        wrong = number[(number > len(species)) | (number < 1)][0]
        raise ValueError(f"it has a type {wrong}, species names {len(species)}")
    symbols = [species[n - 1] for n in number]
    unknown = sorted({name for name in symbols if name not in atomic_numbers})
    if unknown:
        raise ValueError(f"species must be symbols of elements, not {', '.join(unknown)}")
    for n, mine, its in zip(number, symbols, named or symbols):
        if mine != its and its in atomic_numbers:
            raise ValueError(f"it names its elements: type {n} is {its}, species names it {mine}")
    return symbols


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
    column: Columns, origin: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    found = [first for first, _ in PLACES if first in column]
    if not found:
        raise ValueError("it has no positions")
    scaled = dict(PLACES)
    places = {first: _taken(column, first) for first in found}
    images = _taken(column, "ix") if "ix" in column else None
    place = places[found[0]]
    place = origin + place @ edges if scaled[found[0]] else place
    if found[0] in ("x", "xs") and images is not None:
        place = place + images @ edges
    return place
