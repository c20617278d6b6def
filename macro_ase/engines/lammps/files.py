"""LAMMPS's data files in and out, and the LAMMPS inputs that ship.

Ids (``atoms.arrays["id"]``), types, the order of elements with those that no atom has
(``atoms.info["species"]``), masses, charges, velocities, images and skewed cells are kept.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.lammps import convert
from ase.data import atomic_masses
from numpy.typing import NDArray

from ...reasons import reason
from .atom_types import elements_of_types
from .box import PER_PS, Box, element_order, masses_by_type, types_of
from .sections import DataText, split_sections
from .styles import IMAGES, PLACE, STYLES, columns_of, fitting_style
from .text_files import read_text, write_text

WRITTEN_STYLES = ("atomic", "charge", "molecular", "full")
ARRAY_NAMES = {"q": "initial_charges", "mol": "mol-id"}
"""Names that ASE has for LAMMPS's columns."""

MOST_TYPES = 10_000
BOUNDS = ("xlo xhi", "ylo yhi", "zlo zhi")
VECTORS = ("avec", "bvec", "cvec", "abc origin")
_PACKAGE = Path(__file__).parents[2]
_INSTALLED = _PACKAGE / "_lammps_inputs"
_CLONE = _PACKAGE.parent / "lammps_inputs"


def input_path(name: str) -> Path:
    """Path of a LAMMPS input that ships, in an installed package or in a clone.

    Raises
    ------
    FileNotFoundError
        If nothing of that name ships; the message names what does.
    """
    folder = _INSTALLED if _INSTALLED.is_dir() else _CLONE
    if not (folder / name).is_file():
        known = ", ".join(sorted(file.name for file in folder.glob("in.*")))
        raise FileNotFoundError(f"no LAMMPS input {name!r} ships; there are {known}")
    return folder / name


def write_data(
    file: str | Path,
    atoms: Atoms,
    species: Sequence[str] | None = None,
    box: Box | None = None,
    atom_style: str = "atomic",
) -> None:
    """Write a data file in metal units.

    Parameters
    ----------
    file : str or Path
        Packed if it ends in .gz, .bz2 or .xz.
    atoms : ase.Atoms
        Ids are ``atoms.arrays["id"]``, or 1, 2, ... Vacancies ``X`` are left out with a warning.
    species : sequence of str, optional
        Elements of the types; default ``atoms.info["species"]``, else alphabetical. Where an
        element has several types, ``atoms.arrays["type"]`` tells them apart.
    box : Box, optional
        Default: that of the cell.
    atom_style : str
        ``"atomic"``, ``"charge"``, ``"molecular"`` or ``"full"``: charges are ASE's initial ones,
        molecules ``atoms.arrays["mol-id"]`` or 0.

    Raises
    ------
    ValueError
        If an element is not in the order, ids repeat, atoms of a type differ in mass, or a
        number is not finite.
    """
    if atom_style not in WRITTEN_STYLES:
        raise ValueError(f"atom_style must be one of {WRITTEN_STYLES}, not {atom_style!r}")
    real = np.asarray(atoms.numbers != 0)
    if not real.all():
        warnings.warn(f"{np.sum(~real)} vacancies are left out of {file}", stacklevel=2)
    given = species if species is not None else atoms.info.get("species")
    atoms = atoms[real]
    require_finite(atoms)
    order, box = element_order([], atoms, given), box or Box.around(atoms)
    types, ids = types_of(atoms, order), ids_of(atoms)
    place, images = box.wrap(box.to_lammps(atoms.positions))
    lines = ["written by macro_ase, units = metal", "", f"{len(atoms)} atoms"]
    lines += [f"{len(order)} atom types", "", *box.header(), "", "Masses", ""]
    masses = masses_by_type(atoms, order)
    lines += [f"{n} {m:.17g} # {s}" for n, (m, s) in enumerate(zip(masses, order), 1)]
    lines += ["", f"Atoms # {atom_style}", ""]
    columns = {"id": ids, "type": types, "q": atoms.get_initial_charges()}
    columns["mol"] = atoms.arrays.get(ARRAY_NAMES["mol"], np.zeros(len(atoms), dtype=np.int64))
    columns |= dict(zip((*PLACE, *IMAGES), (*place.T, *images.T)))
    names = (*STYLES[atom_style], *IMAGES)
    lines += [" ".join(row) for row in zip(*(number_texts(columns[name]) for name in names))]
    if atoms.has("momenta"):
        speed = box.to_lammps(atoms.get_velocities()) * PER_PS
        lines += ["", "Velocities", ""]
        lines += [f"{i} {x:.17g} {y:.17g} {z:.17g}" for i, (x, y, z) in zip(ids, speed)]
    write_text(file, "\n".join(lines) + "\n")


def require_finite(atoms: Atoms) -> None:
    """Raise ValueError if a position, a momentum or the cell is not finite."""
    for name, values in (("positions", atoms.positions), ("cell", atoms.cell.array)):
        if not np.isfinite(values).all():
            raise ValueError(f"the {name} of the atoms are not finite")
    if not np.isfinite(atoms.get_momenta()).all():
        raise ValueError("the momenta of the atoms are not finite")


def ids_of(atoms: Atoms) -> NDArray[np.int64]:
    """Ids of atoms, shape (n_atoms,); 1, 2, ... where they have none.

    Raises
    ------
    ValueError
        If ids repeat.
    """
    ids = np.asarray(atoms.arrays.get("id", np.arange(1, len(atoms) + 1)))
    if len(np.unique(ids)) < len(ids):
        raise ValueError("ids of atoms repeat")
    return ids


def number_texts(values: NDArray[Any]) -> list[str]:
    """Numbers as text that gives them back."""
    return [
        f"{value:.17g}" if isinstance(value, float) else str(value) for value in values.tolist()
    ]


def read_data(
    file: str | Path,
    species: Sequence[str] | str | None = None,
    pbc: Any = True,
    atom_style: str | None = None,
    units: str | None = None,
) -> Atoms:
    """Read a data file, atoms in the order of their ids.

    Bonds, angles and coefficients of potentials are passed over. Charges become ASE's initial
    charges, molecules ``arrays["mol-id"]``; other columns keep LAMMPS's names.

    Parameters
    ----------
    file : str or Path
        Packed (gzip, bzip2, xz) or not.
    species : sequence of str, optional
        Elements of the types. Default: the type labels, the comments of ``Masses``, else the
        one element of each mass.
    pbc : bool or sequence of bool
        Data files do not tell.
    atom_style : str, optional
        Default: as said behind ``Atoms``, else the one that the columns can be.
    units : str, optional
        Default: as the first line says, else metal. Of ``"lj"`` numbers are taken as they are:
        sigma is 1 A, epsilon 1 eV, masses are in amu.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the elements or the atom style are not known, or it is not a whole data file.
    """
    text = split_sections(read_text(file))
    try:
        return _assembled(text, species, pbc, atom_style, units)
    except (ValueError, KeyError, IndexError) as error:
        line = f"{file} cannot be read as a LAMMPS data file: {reason(error)}"
        raise ValueError(line) from error


def _assembled(
    text: DataText,
    species: Sequence[str] | str | None,
    pbc: Any,
    atom_style: str | None,
    units: str | None,
) -> Atoms:
    units = units or _units_of(text.title)
    column = _columns(text, atom_style)
    number = {str(n): n for n in range(1, _count(text, "atom types") + 1)}
    labels = {int(n): name for n, name in text.table("Atom Type Labels").tolist()}
    number |= {name: n for n, name in labels.items()}
    masses = _masses(text, number, units)
    notes = text.rows.get("Masses", [])
    comments = {_typed(number, row.split()[0]): note for row, note in notes}
    known = masses if units != "lj" else {}
    order = elements_of_types(_count(text, "atom types"), comments | labels, known, species)
    types = np.array([_typed(number, name) for name in column.pop("type").tolist()])
    edges, origin = _box(text)
    place = np.stack([column.pop(axis).astype(float) for axis in PLACE], axis=1)
    if "ix" in column:
        place += np.stack([column.pop(axis).astype(float) for axis in IMAGES], axis=1) @ edges
    length = converted(1.0, "distance", units)
    atoms = Atoms([order[t - 1] for t in types], place * length, cell=edges * length, pbc=pbc)
    atoms.set_celldisp(origin * length)
    atoms.arrays |= {"id": column.pop("id").astype(np.int64), "type": types}
    for name, values in column.items():
        whole = name == "mol" or name.endswith("flag")
        atoms.set_array(ARRAY_NAMES.get(name, name), values.astype(np.int64 if whole else float))
    own = np.array([masses.get(t, atomic_masses[n]) for t, n in zip(types, atoms.numbers)])
    if np.abs(own - atomic_masses[atoms.numbers]).max(initial=0) > 1e-3:
        atoms.set_masses(own)
    _set_velocities(atoms, text.table("Velocities"), units)
    atoms.info["species"] = order
    require_finite(atoms)
    return atoms[np.argsort(atoms.arrays["id"], kind="stable")]


def _typed(number: dict[str, int], name: str) -> int:
    if name not in number:
        raise ValueError(f"its header and labels have no type {name}")
    return number[name]


def _units_of(title: str) -> str:
    match = re.search(r"\bunits = (\w+)", title)
    return match[1] if match else "metal"


def converted(value: Any, kind: str, units: str) -> Any:
    """A quantity in ASE's units: ``kind`` as in `ase.calculators.lammps.convert`."""
    if units == "metal":
        return value / PER_PS if kind == "velocity" else value
    return value if units == "lj" else convert(value, kind, units, "ASE")


def _count(text: DataText, name: str) -> int:
    if name not in text.header:
        raise ValueError(f"its header does not tell the number of {name}")
    count = int(text.header[name][-1])
    if count < 0 or (name == "atom types" and count > MOST_TYPES):
        raise ValueError(f"its header says {count} {name}")
    return count


def _columns(text: DataText, atom_style: str | None) -> dict[str, NDArray[np.str_]]:
    """Columns of the atoms by name."""
    table, n_atoms = text.table("Atoms"), _count(text, "atoms")
    if len(table) != n_atoms or not n_atoms:
        raise ValueError(f"its header says {n_atoms} atoms, the section Atoms has {len(table)}")
    style = atom_style or text.hints["Atoms"]
    if not style:
        types = [str(n) for n in range(1, _count(text, "atom types") + 1)]
        types += [name for _, name in text.table("Atom Type Labels").tolist()]
        style = fitting_style(table.tolist(), types)
    column = dict(zip(columns_of(style, table.shape[1]), table.T))
    if len(set(column["id"].astype(np.int64))) < n_atoms:
        raise ValueError("ids of atoms repeat")
    return column


def _masses(text: DataText, number: dict[str, int], units: str) -> dict[int, float]:
    """Masses of the types in amu; LAMMPS writes 0 where each atom has its own."""
    given = {_typed(number, name): float(mass) for name, mass in text.table("Masses").tolist()}
    if not all(0 <= mass < np.inf for mass in given.values()):
        raise ValueError(f"masses must be above 0, not {list(given.values())}")
    return {n: float(converted(mass, "mass", units)) for n, mass in given.items() if mass > 0}


def _box(text: DataText) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges, shape (3, 3), and origin, shape (3,), in the file's units."""
    header = {name: np.array(words, dtype=object) for name, words in text.header.items()}
    if "avec" in header:
        rows = np.array([header[name].astype(float) for name in VECTORS])
        return rows[:3], rows[3]
    missing = [name for name in BOUNDS if name not in header]
    if missing:
        raise ValueError(f"its header has no line {missing[0]}")
    low, high = np.array([header[name].astype(float) for name in BOUNDS]).T
    edges = np.diag(high - low)
    if "xy xz yz" in header:
        edges[1, 0], edges[2, 0], edges[2, 1] = header["xy xz yz"].astype(float)
    if np.any(high <= low):
        raise ValueError("its box has no volume")
    return edges, low


def _set_velocities(atoms: Atoms, table: NDArray[np.str_], units: str) -> None:
    if not len(table):
        return
    speed = dict(zip(table[:, 0].astype(np.int64).tolist(), table[:, 1:4].astype(float)))
    ids = atoms.arrays["id"].tolist()
    if set(speed) != set(ids) or len(table) != len(ids):
        raise ValueError("the section Velocities is not of the same atoms")
    atoms.set_velocities(converted(np.array([speed[i] for i in ids]), "velocity", units))
