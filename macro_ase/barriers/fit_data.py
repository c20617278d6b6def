"""What barrier fits read of hops: crystals and tables of their barriers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io import read
from numpy.typing import NDArray

from ..crystal import Crystal
from ..lattice import VACANCY
from ..reasons import reason
from .collapsed import collapsed_hops
from .orbits import HOP_DIRECTIONS

HIGHEST_BARRIER_EV = 10.0


@dataclass(frozen=True)
class BarrierTable:
    """Barriers of first-neighbour hops in one crystal without a vacancy.

    Attributes
    ----------
    crystal : Crystal
    vacancy, target : int arrays, shape (n_hops,)
        Site that is vacant, and site whose atom hops in.
    barrier_eV : array, shape (n_hops,)
    collapsed : tuple of str
        Where the hops stand that were dropped, and why (`barriers.collapsed`).
    names : tuple of str
        Where each hop stands, for messages; empty if nobody asks.
    closure_error_eV : float
        How far energy changes are from 0 around closed loops (`barriers.collapsed`).
    """

    crystal: Crystal
    vacancy: NDArray[np.int64]
    target: NDArray[np.int64]
    barrier_eV: NDArray[np.float64]
    collapsed: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    closure_error_eV: float = 0.0

    @property
    def composition(self) -> NDArray[np.float64]:
        """Atomic fractions, shape (S,)."""
        return self.crystal.counts[:-1] / self.crystal.grid.n_sites


def find_tables(directory: Path) -> list[Path]:
    """Folders that hold barrier tables, among the directory itself and its subfolders.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if not directory.is_dir():
        raise FileNotFoundError(f"no such folder: {directory}")
    folders = [d for d in (directory, *sorted(directory.iterdir())) if (d / "POSCAR").is_file()]
    if not folders:
        raise FileNotFoundError(f"no POSCAR in {directory} or its subfolders")
    return folders


def species_of(folders: Sequence[Path]) -> tuple[str, ...]:
    """All species of the crystals, by atomic number."""
    symbols = {s for folder in folders for s in _poscar(folder).get_chemical_symbols()}
    return tuple(sorted(symbols - {VACANCY}, key=atomic_numbers.__getitem__))


def _poscar(folder: Path) -> Atoms:
    try:
        return Atoms(read(folder / "POSCAR", format="vasp"))
    except Exception as error:  # the reader raises many kinds
        raise ValueError(f"{folder / 'POSCAR'} cannot be read: {reason(error)}") from error


def _numbers(folder: Path, pattern: str) -> NDArray[np.float64]:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise FileNotFoundError(f"expected one {pattern} in {folder}, found {len(files)}")
    try:
        with warnings.catch_warnings(action="error", category=UserWarning):
            return np.loadtxt(files[0], ndmin=2)
    except UserWarning as warning:
        raise ValueError(f"{files[0]} holds no data") from warning
    except ValueError as error:
        raise ValueError(f"{files[0]}: {reason(error)}") from error


def read_table(folder: Path, species: tuple[str, ...]) -> BarrierTable:
    """Read ``POSCAR``, ``atomid*.txt`` and ``barrier*.txt`` of one crystal.

    Line v of ``atomid`` lists the first neighbours of atom v by number, from 1 in the order
    of the POSCAR; line v of ``barrier`` the barriers, in eV, of their hops into a vacancy at
    atom v. ``nan`` marks a hop that was not computed. Collapsed hops are dropped.

    Raises
    ------
    ValueError
        If the two tables do not match the crystal, or hold what is no barrier in eV.
    """
    crystal = _full_crystal(folder, species)
    ids, barriers = _numbers(folder, "atomid*.txt"), _numbers(folder, "barrier*.txt")
    n_atoms = len(crystal.template)
    if ids.shape != barriers.shape or ids.shape != (n_atoms, 8):
        raise ValueError(
            f"{folder}: {n_atoms} atoms need tables of {n_atoms} x 8; "
            f"atomid is {ids.shape}, barrier {barriers.shape}"
        )
    vacancy, target = _hops(folder, crystal, ids)
    values = barriers.ravel()
    known = ~np.isnan(values)
    _require_electronvolts(folder, values, known)
    hops = np.flatnonzero(known)
    names = [f"{folder.name}, line {n // 8 + 1}, entry {n % 8 + 1}: {values[n]:g} eV" for n in hops]
    reasons, closure_eV = collapsed_hops(
        vacancy[hops], target[hops], crystal.occupation, values[hops]
    )
    left = [n for n in range(len(hops)) if n not in reasons]
    if 2 * len(left) < len(hops):
        raise ValueError(
            f"{folder}: {len(reasons)} of {len(hops)} hops have collapsed, such as "
            f"{names[min(reasons)]}, {reasons[min(reasons)]}; barriers are in eV"
        )
    return BarrierTable(
        crystal,
        vacancy[hops[left]],
        target[hops[left]],
        values[hops[left]],
        tuple(f"{names[n]}, {reason}" for n, reason in reasons.items()),
        tuple(names[n] for n in left),
        closure_eV,
    )


def _full_crystal(folder: Path, species: tuple[str, ...]) -> Crystal:
    try:
        crystal = Crystal.from_atoms(_poscar(folder), species=species)
    except ValueError as error:
        raise ValueError(f"{folder / 'POSCAR'}: {error}") from error
    if len(crystal.vacancies):
        raise ValueError(
            f"{folder / 'POSCAR'} must hold the full crystal, not one with "
            f"{len(crystal.vacancies)} vacancies: each hop takes out an atom of it"
        )
    if min(crystal.grid.size) < 2:
        raise ValueError(
            f"{folder / 'POSCAR'} must be 2 cells wide or more, not {crystal.grid.size}"
        )
    return crystal


def _hops(
    folder: Path, crystal: Crystal, ids: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Vacant site and site of the hopping atom of every entry, shape (8 n_atoms,) each."""
    n_atoms = len(ids)
    if np.any((ids != np.rint(ids)) | (ids < 1) | (ids > n_atoms)):
        hint = "; these count from 0" if ids.min() == 0 and ids.max() == n_atoms - 1 else ""
        raise ValueError(f"{folder}: atom numbers must be whole and lie in 1..{n_atoms}{hint}")
    twice = np.any(np.diff(np.sort(ids, axis=1), axis=1) == 0, axis=1)
    if twice.any():
        raise ValueError(f"{folder}: line {int(twice.argmax()) + 1} of atomid names an atom twice")
    vacancy = np.repeat(crystal.site_of_atom, 8)
    target = crystal.site_of_atom[ids.astype(int).ravel() - 1]
    wrong = ~np.any(crystal.grid.neighbors(HOP_DIRECTIONS)[vacancy] == target[:, None], axis=1)
    if wrong.any():
        line, column = divmod(int(wrong.argmax()), 8)
        raise ValueError(
            f"{folder}: line {line + 1}, entry {column + 1}: atom {int(ids[line, column])} is no "
            f"first neighbour of atom {line + 1} of the POSCAR ({int(wrong.sum())} such)"
        )
    return vacancy, target


def _require_electronvolts(
    folder: Path, values: NDArray[np.float64], known: NDArray[np.bool_]
) -> None:
    """Raise ValueError unless there are barriers, of a size that hops of atoms can have."""
    if not known.any():
        raise ValueError(f"{folder}: every barrier is nan")
    wrong = np.flatnonzero(known & ~(np.abs(values) <= HIGHEST_BARRIER_EV))
    if len(wrong):
        line, column = divmod(int(wrong[0]), 8)
        raise ValueError(
            f"{folder}: line {line + 1}, entry {column + 1}: {values[wrong[0]]:g} eV is no barrier "
            f"of a vacancy hop, at most {HIGHEST_BARRIER_EV:g} eV ({len(wrong)} such): barriers "
            "are in eV, and nan leaves a hop out"
        )
