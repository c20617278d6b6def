"""LAMMPS's data files in and out, and the LAMMPS inputs that ship.

Ids (``atoms.arrays["id"]``), types, the order of elements with those that no atom has
(``atoms.info["species"]``), masses, velocities, images and skewed cells are kept. Units are metal.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from ase.io.lammpsdata import read_lammps_data

from ..files import write_atomically
from .lammps_box import PER_PS, Box, element_order, masses_by_type, types_of

MASS_TOLERANCE = 0.05
SECTIONS = ("Masses", "Atom Type Labels", "Atoms", "Velocities")
_INSTALLED = Path(__file__).parent.parent / "_lammps_inputs"
_CLONE = Path(__file__).parent.parent.parent / "lammps_inputs"


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
) -> None:
    """Write a data file (atom style atomic).

    Parameters
    ----------
    file : str or Path
    atoms : ase.Atoms
        Ids are ``atoms.arrays["id"]``, or 1, 2, ... Vacancies ``X`` are left out with a warning.
    species : sequence of str, optional
        Elements of the types; default ``atoms.info["species"]``, else alphabetical.
    box : Box, optional
        Default: that of the cell.

    Raises
    ------
    ValueError
        If an element is not in the order, ids repeat, or atoms of an element differ in mass.
    """
    real = np.asarray(atoms.numbers != 0)
    if not real.all():
        warnings.warn(f"{np.sum(~real)} vacancies are left out of {file}", stacklevel=2)
    given = species if species is not None else atoms.info.get("species")
    atoms = atoms[real]
    order, box = element_order([], atoms, given), box or Box.around(atoms)
    ids = atoms.arrays.get("id", np.arange(1, len(atoms) + 1))
    if len(np.unique(ids)) < len(ids):
        raise ValueError("ids of atoms repeat")
    place, images = box.wrap(box.to_lammps(atoms.positions))
    lines = ["written by macro_ase", "", f"{len(atoms)} atoms", f"{len(order)} atom types", ""]
    lines += [*box.header(), "", "Masses", ""]
    masses = masses_by_type(atoms, order)
    lines += [f"{n} {m:.17g} # {s}" for n, (m, s) in enumerate(zip(masses, order), 1)]
    lines += ["", "Atoms # atomic", ""]
    lines += [
        f"{i} {t} {x:.17g} {y:.17g} {z:.17g} {nx} {ny} {nz}"
        for i, t, (x, y, z), (nx, ny, nz) in zip(ids, types_of(atoms, order), place, images)
    ]
    if atoms.has("momenta"):
        speed = box.to_lammps(atoms.get_velocities()) * PER_PS
        lines += ["", "Velocities", ""]
        lines += [f"{i} {x:.17g} {y:.17g} {z:.17g}" for i, (x, y, z) in zip(ids, speed)]
    write_atomically(file, "\n".join(lines) + "\n")


def read_data(
    file: str | Path, species: Sequence[str] | None = None, pbc: Any = True, **kwargs: Any
) -> Atoms:
    """Read a data file, atoms in the order of their ids.

    Parameters
    ----------
    file : str or Path
    species : sequence of str, optional
        Elements of the types. Default: the type labels, the comments of ``Masses``, else the
        elements of these masses.
    pbc : bool or sequence of bool
        Data files do not tell.
    kwargs
        To `ase.io.lammpsdata.read_lammps_data`, such as ``atom_style``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the elements are not known.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"no such file: {file}")
    text = Path(file).read_text()
    names, masses = _declared_types(text)
    order = tuple(species) if species is not None else names
    unknown = [str(n) for n, name in enumerate(order, 1) if name not in atomic_numbers]
    if unknown or len(order) < len(names):
        wanted = f"type {', '.join(unknown)}" if unknown else f"all {len(names)} types"
        raise ValueError(f"{file} does not name the element of {wanted}: give species")
    numbers = {n: atomic_numbers[name] for n, name in enumerate(order, 1)}
    atoms = read_lammps_data(io.StringIO(_without_labels(text, names)), numbers, **kwargs)
    own = np.array([masses.get(t, np.nan) for t in atoms.arrays["type"]])
    if np.nanmax(np.abs(own - atomic_masses[atoms.numbers]), initial=0) < 1e-3:
        atoms.arrays.pop("masses", None)
    atoms.pbc = pbc
    atoms.info["species"] = order
    return atoms


def _declared_types(text: str) -> tuple[tuple[str, ...], dict[int, float]]:
    """Names and masses of the types that a data file declares; a name may be ``?``."""
    section, n_types = "", 0
    names: dict[int, str] = {}
    masses: dict[int, float] = {}
    for line in text.splitlines():
        words, _, comment = line.partition("#")
        fields = words.split()
        if words.strip() in SECTIONS:
            section = words.strip()
        elif fields[1:3] == ["atom", "types"]:
            n_types = int(fields[0])
        elif section == "Masses" and len(fields) == 2:
            n, mass = _type_number(fields[0], names), float(fields[1])
            masses[n] = mass
            names.setdefault(n, _element(comment.strip(), mass))
        elif section == "Atom Type Labels" and len(fields) == 2:
            names[int(fields[0])] = fields[1]
    return tuple(names.get(n, "?") for n in range(1, n_types + 1)), masses


def _without_labels(text: str, names: Sequence[str]) -> str:
    """The text with numbers for type labels, which ASE does not sort with the atoms."""
    if re.search(r"^Atom Type Labels", text, re.MULTILINE) is None:
        return text
    number = {name: str(n) for n, name in enumerate(names, 1)}
    lines = []
    for line in text.splitlines():
        words, mark, comment = line.partition("#")
        if words.strip() not in SECTIONS:
            words = " ".join(number.get(word, word) for word in words.split())
        lines.append(f"{words} {mark}{comment}" if mark else words)
    return "\n".join(lines) + "\n"


def _type_number(word: str, names: dict[int, str]) -> int:
    return next((n for n, name in names.items() if name == word), 0) or int(word)


def _element(comment: str, mass: float) -> str:
    if comment in atomic_numbers:
        return comment
    nearest = int(np.argmin(np.abs(atomic_masses - mass)))
    close = abs(atomic_masses[nearest] - mass) < MASS_TOLERANCE
    return next(name for name, n in atomic_numbers.items() if n == nearest) if close else "?"
