"""LAMMPS's boxes and atom types, and how ASE's cells and elements map to them.

LAMMPS wants a along x and b in the xy plane: with rows of vectors v, v_LAMMPS = v Q, Q
orthogonal, from the QR decomposition of the cell. An axis that is not periodic gets an edge
perpendicular to the others that spans the atoms and a margin; its walls move with the atoms
(boundary m), so that none is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.data import atomic_masses, atomic_numbers
from ase.geometry.cell import complete_cell
from numpy.typing import ArrayLike, NDArray

from ...patches import Vectors
from .commands import ASK, highest_type, line_of_types, named_elements, require_agreement

MARGIN_A = 10.0
PER_PS = 1000 * units.fs
"""ASE's unit of time in a picosecond: a velocity in A/ps is that in ASE's units times this."""


@dataclass(frozen=True)
class Box:
    """A box of LAMMPS.

    Attributes
    ----------
    turn : array, shape (3, 3)
        Q of this module's formula.
    edges : array, shape (3, 3)
        Rows a, b, c in LAMMPS's axes: lower triangular, diagonal positive.
    origin : array, shape (3,)
        Lower corner in LAMMPS's axes.
    periodic : bool array, shape (3,)
    """

    turn: Vectors
    edges: Vectors
    origin: Vectors
    periodic: NDArray[np.bool_]

    @classmethod
    def around(cls, atoms: Atoms) -> Box:
        """The box of an ASE cell.

        Raises
        ------
        ValueError
            If there is no atom, or a periodic axis has no lattice vector.
        """
        if not len(atoms):
            raise ValueError("LAMMPS needs one atom or more")
        periodic = np.asarray(atoms.pbc, dtype=bool)
        cell = np.where(periodic[:, None], atoms.cell.array, 0.0)
        if np.any(periodic & ~cell.any(axis=1)) or np.linalg.matrix_rank(cell) < periodic.sum():
            raise ValueError("the cell is not periodic in three independent vectors where pbc is")
        edges = complete_cell(cell)
        turn, triangle = np.linalg.qr(edges.T)
        sign = np.sign(np.diag(triangle))
        turn, edges = turn * sign, np.tril((triangle * sign[:, None]).T)
        fractional = atoms.positions @ turn @ np.linalg.inv(edges)
        low, high = fractional.min(axis=0), fractional.max(axis=0)
        low = np.where(periodic, 0.0, low - MARGIN_A)
        length = np.where(periodic, 1.0, high - low + MARGIN_A)
        return cls(turn, edges * length[:, None], low @ edges, periodic)

    def to_lammps(self, vectors: ArrayLike) -> Vectors:
        """Rows in LAMMPS's axes."""
        return np.asarray(np.asarray(vectors) @ self.turn)

    def to_ase(self, vectors: ArrayLike) -> Vectors:
        """Rows in the axes of the ASE cell."""
        return np.asarray(np.asarray(vectors) @ self.turn.T)

    def wrap(self, positions: Vectors) -> tuple[Vectors, NDArray[np.int64]]:
        """Positions in LAMMPS's axes moved into the box along periodic axes, and their images."""
        fractional = (positions - self.origin) @ np.linalg.inv(self.edges)
        images = np.where(self.periodic, np.floor(fractional), 0)
        return positions - images @ self.edges, images.astype(np.int64)

    @property
    def skewed(self) -> bool:
        return bool(np.abs(self.edges - np.diag(np.diag(self.edges))).max() > 1e-10)

    def header(self) -> list[str]:
        """Lines of a data file."""
        high = self.origin + np.diag(self.edges)
        lines = [
            f"{low:.17g} {top:.17g} {axis}lo {axis}hi"
            for low, top, axis in zip(self.origin, high, "xyz")
        ]
        if self.skewed:
            (_, _, _), (xy, _, _), (xz, yz, _) = self.edges
            lines.append(f"{xy:.17g} {xz:.17g} {yz:.17g} xy xz yz")
        return lines

    def commands(self) -> list[str]:
        """What must stand before ``read_data``."""
        return [
            "boundary " + " ".join("p" if periodic else "m" for periodic in self.periodic),
            "box tilt large",
        ]


def element_order(
    commands: Sequence[str], atoms: Atoms, species: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Elements of the atom types 1, 2, ...

    Parameters
    ----------
    commands : sequence of str
        ``pair_style`` and ``pair_coeff`` lines; elements that end ``pair_coeff * *`` lines are
        the order. Where no line treats types differently, it is alphabetical.
    atoms : ase.Atoms
    species : sequence of str, optional
        The order (``specorder``).

    Raises
    ------
    ValueError
        If neither tells the order, or both do and differ, or atoms are of an element that is not
        in it.
    """
    present = sorted(set(atoms.get_chemical_symbols()) - {"X"})
    if species is None:
        order = named_elements(commands) or _alphabetical(commands, present)
    else:
        order = given_order(species)
    missing = [name for name in present if name not in order]
    if missing:
        raise ValueError(
            f"the potential is used for {', '.join(order)}, not for {', '.join(missing)}: "
            "name all elements in pair_coeff or specorder"
        )
    require_agreement(commands, order)
    return order


def given_order(species: Sequence[str]) -> tuple[str, ...]:
    """An order that a user gave.

    Raises
    ------
    ValueError
        If it is not a sequence of chemical symbols.
    """
    names = () if isinstance(species, str) else tuple(map(str, species))
    if not names or any(name not in atomic_numbers for name in names):
        raise ValueError(f"specorder is a list of symbols such as ['Nb', 'Mo'], not {species!r}")
    return names


def _alphabetical(commands: Sequence[str], present: Sequence[str]) -> tuple[str, ...]:
    """The elements that are there, if their order does not matter."""
    line = line_of_types(commands)
    if line is not None and (len(present) > 1 or highest_type(commands) > 1):
        raise ValueError(f"which element has which type does not follow from {line!r}: {ASK}")
    return tuple(present)


def masses_by_type(atoms: Atoms, species: Sequence[str]) -> Vectors:
    """Masses of the types, amu, shape (n_types,): those of the atoms, else ASE's.

    Raises
    ------
    ValueError
        If atoms of a type differ in mass.
    """
    masses = np.array([atomic_masses[atomic_numbers[name]] for name in species])
    types, given = types_of(atoms, species), atoms.get_masses()
    for n, name in enumerate(species):
        own = given[types == n + 1]
        if len(own) and np.ptp(own) > 1e-9:
            raise ValueError(f"atoms of {name} differ in mass, which LAMMPS keeps by type")
        masses[n] = own[0] if len(own) else masses[n]
    return masses


def types_of(atoms: Atoms, species: Sequence[str]) -> NDArray[np.int64]:
    """Atom types from 1, shape (n_atoms,).

    Where several types are of one element, ``atoms.arrays["type"]`` tells which, as far as it
    agrees with the element; else the last of them.
    """
    number = {name: n for n, name in enumerate(species, 1)}
    symbols = atoms.get_chemical_symbols()
    types = np.array([number[name] for name in symbols], dtype=np.int64)
    if len(number) == len(species) or "type" not in atoms.arrays:
        return types
    own = np.asarray(atoms.arrays["type"]).astype(np.int64)
    names = np.array(["", *species])[np.where((own > 0) & (own <= len(species)), own, 0)]
    return np.where(names == np.array(symbols), own, types)
