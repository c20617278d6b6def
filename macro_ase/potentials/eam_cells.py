"""Alloy frames as an embedded-atom potential of given elements is to reproduce them.

The potential's elements have lattice constants and energies of their own. So a frame is scaled
by the ratio of the mean lattice constants of its atoms, potential over frames, and its energy
is compared as formation energy against the elements at rest:

    E / n = [E_frame - sum_atoms (e_frames - e_potential)] / n

Forces are divided by the ratio, as lengths were multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import bulk
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ..arrays import Array
from ..neighbour_pairs import neighbour_pairs
from .dft_frames import Frame
from .eam_calculator import TableEAM, energies_and_pulls, species_codes, sums
from .eam_table import EAMTable

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reference:
    """Elements at rest: energies per atom (eV) and lattice constants (A) by symbol."""

    energy_eV: dict[str, float]
    lattice_constant_A: dict[str, float]


@dataclass(frozen=True, eq=False)
class AlloyCells:
    """Alloy frames, scaled to the potential's lattice constants, end to end.

    Attributes
    ----------
    codes : int array, shape (n_atoms,)
    frame : int array, shape (n_atoms,)
        Frame of each atom.
    n : array, shape (n_frames,)
        Atoms of each frame.
    i, j, distance_A, vector_A : arrays, shapes (n_pairs,), ..., (n_pairs, 3)
        Pairs within the cutoff, from both sides.
    energy_eV : array, shape (n_frames,)
        Formation energy per atom, plus the potential's energy of the elements.
    forces_eV_A : array, shape (n_atoms, 3)
        In the scaled cell.
    """

    codes: Ints
    frame: Ints
    n: Array
    i: Ints
    j: Ints
    distance_A: Array
    vector_A: Array
    energy_eV: Array
    forces_eV_A: Array


def rest_of_frames(frames: Sequence[Frame]) -> Reference:
    """The lowest pure frame of each element; its lattice constant is that of its volume in bcc."""
    energy: dict[str, float] = {}
    constant: dict[str, float] = {}
    for frame in frames:
        symbols, n = set(frame.atoms.get_chemical_symbols()), len(frame.atoms)
        if len(symbols) == 1 and frame.energy_eV / n < energy.get(min(symbols), np.inf):
            energy[min(symbols)] = frame.energy_eV / n
            constant[min(symbols)] = (2 * frame.atoms.get_volume() / n) ** (1 / 3)
    return Reference(energy, constant)


def rest_of_table(table: EAMTable) -> Reference:
    """Lattice constants and energies of the bcc elements, by minimisation."""
    calculator = TableEAM(table)

    def energy(constant: float, name: str) -> float:
        return float(calculator.get_potential_energy(bulk(name, "bcc", a=constant)))

    best = {
        name: minimize_scalar(
            energy, bounds=(0.95 * a, 1.05 * a), args=(name,), options={"xatol": 1e-8}
        )
        for name, a in zip(table.species, table.lattice_constants_A)
    }
    return Reference(
        {name: float(found.fun) for name, found in best.items()},
        {name: float(found.x) for name, found in best.items()},
    )


def gather(frames: Sequence[Frame], table: EAMTable, dft: Reference, own: Reference) -> AlloyCells:
    """Frames as the potential is to reproduce them.

    Parameters
    ----------
    frames : sequence of Frame
    table : EAMTable
        Gives the order of the species and the cutoff.
    dft, own : Reference
        Of the frames and of the potential.

    Raises
    ------
    ValueError
        If an element has no pure frame, or is unknown to the potential.
    """
    parts = []
    start = 0
    for number, frame in enumerate(frames):
        symbols = frame.atoms.get_chemical_symbols()
        _refuse_unknown(symbols, dft, own)
        ratio = scale_of(frame.atoms, dft, own)
        atoms = scaled(frame.atoms, ratio)
        i, j, distance, vector = neighbour_pairs(atoms, table.cutoff_A)
        codes = species_codes(table, atoms)
        forces = frame.forces_eV_A / ratio
        of_frame = np.full(len(atoms), number)
        parts.append((codes, of_frame, i + start, j + start, distance, vector, forces))
        start += len(atoms)
    codes, of_frame, i, j, distance, vector, forces = map(np.concatenate, zip(*parts))
    n = np.array([len(frame.atoms) for frame in frames], dtype=float)
    energy = [
        frame.energy_eV - sum(dft.energy_eV[s] - own.energy_eV[s] for s in frame.atoms.symbols)
        for frame in frames
    ]
    return AlloyCells(codes, of_frame, n, i, j, distance, vector, np.array(energy) / n, forces)


def _refuse_unknown(symbols: Sequence[str], dft: Reference, own: Reference) -> None:
    for names, what in ((own.energy_eV, "potential"), (dft.energy_eV, "pure frame")):
        missing = sorted(set(symbols) - set(names))
        if missing:
            raise ValueError(f"there is no {what} of {', '.join(missing)}")


def scale_of(atoms: Atoms, dft: Reference, own: Reference) -> float:
    """Mean lattice constant of the atoms' elements in the potential, over that in the frames."""
    symbols = atoms.get_chemical_symbols()
    return sum(own.lattice_constant_A[s] for s in symbols) / sum(
        dft.lattice_constant_A[s] for s in symbols
    )


def scaled(atoms: Atoms, ratio: float) -> Atoms:
    """A copy with all lengths multiplied."""
    copy: Atoms = atoms.copy()
    copy.set_cell(ratio * copy.cell, scale_atoms=True)
    return copy


def totals(
    cells: AlloyCells, energies: Array, pairs: Ints | slice, pulls: Array
) -> tuple[Array, Array]:
    """Energy per atom of every frame, and forces, from energies of atoms and pulls of pairs."""
    direction = cells.vector_A[pairs] / cells.distance_A[pairs, None]
    forces = [sums(cells.i[pairs], pulls * direction[:, k], len(energies)) for k in range(3)]
    per_frame = sums(cells.frame, energies, len(cells.n)) / cells.n
    return per_frame, np.stack(forces, axis=-1)


def evaluate(table: EAMTable, cells: AlloyCells) -> tuple[Array, Array]:
    """Energies per atom, shape (n_frames,), and forces, shape (n_atoms, 3), of a table."""
    energies, pulls = energies_and_pulls(
        table.splines(), cells.codes, cells.i, cells.j, cells.distance_A
    )
    return totals(cells, energies, slice(None), pulls)
