"""What barrier fits read: tables of hop barriers, and formation energies of relaxed frames."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read
from numpy.typing import NDArray

from ..lattice import Crystal
from .orbits import HOP_DIRECTIONS

RELAXED_TOLERANCE_A = 0.9
RELAXED_FORCE_EV_A = 0.15


@dataclass(frozen=True)
class BarrierTable:
    """Barriers of all first-neighbour hops in one crystal without a vacancy.

    Attributes
    ----------
    crystal : Crystal
    vacancy, target : int arrays, shape (n_hops,)
        Site that is vacant, and site whose atom hops in.
    barrier_eV : array, shape (n_hops,)
    collapsed : tuple of str
        Where the hops stand that were dropped because their barrier was not positive: the end
        state had relaxed back.
    """

    crystal: Crystal
    vacancy: NDArray[np.int64]
    target: NDArray[np.int64]
    barrier_eV: NDArray[np.float64]
    collapsed: tuple[str, ...]


@dataclass(frozen=True)
class FormationFrames:
    """Relaxed frames on their ideal sites, with formation energies against the elements.

    Attributes
    ----------
    crystals : list of Crystal
    energy_eV : array, shape (n_frames,)
        Formation energy per atom.
    skipped : int
        Frames left out: not relaxed, or relaxed away from bcc.
    """

    crystals: list[Crystal]
    energy_eV: NDArray[np.float64]
    skipped: int


def find_tables(directory: Path) -> list[Path]:
    """Folders that hold barrier tables: the directory itself, else its subfolders.

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
    """All species of the crystals, in order of first appearance."""
    symbols = [s for folder in folders for s in _poscar(folder).get_chemical_symbols()]
    return tuple(dict.fromkeys(symbols))


def _poscar(folder: Path) -> Atoms:
    try:
        return Atoms(read(folder / "POSCAR", format="vasp"))
    except Exception as error:  # the reader raises many kinds
        raise ValueError(f"{folder / 'POSCAR'} cannot be read: {error!r}") from error


def _numbers(folder: Path, pattern: str) -> NDArray[np.float64]:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise FileNotFoundError(f"expected one {pattern} in {folder}, found {len(files)}")
    try:
        return np.loadtxt(files[0], ndmin=2)
    except ValueError as error:
        raise ValueError(f"{files[0]}: {error}") from error


def read_table(folder: Path, species: tuple[str, ...]) -> BarrierTable:
    """Read ``POSCAR``, ``atomid*.txt`` and ``barrier*.txt`` of one crystal.

    Line v of ``atomid`` lists the first neighbours of atom v by number, from 1 in the order
    of the POSCAR; line v of ``barrier`` the barriers, in eV, of their hops into a vacancy at
    atom v. ``nan`` marks a hop that was not computed.

    Raises
    ------
    ValueError
        If the two tables do not match the crystal.
    """
    crystal = Crystal.from_atoms(_poscar(folder), species=species)
    ids, barriers = _numbers(folder, "atomid*.txt"), _numbers(folder, "barrier*.txt")
    n_atoms = len(crystal.template)
    if ids.shape != barriers.shape or ids.shape != (n_atoms, 8):
        raise ValueError(
            f"{folder}: {n_atoms} atoms need tables of {n_atoms} x 8; "
            f"atomid is {ids.shape}, barrier {barriers.shape}"
        )
    if np.any((ids != np.rint(ids)) | (ids < 1) | (ids > n_atoms)):
        raise ValueError(f"{folder}: atom numbers must be whole and lie in 1..{n_atoms}")
    vacancy = np.repeat(crystal.site_of_atom, 8)
    target = crystal.site_of_atom[ids.astype(int).ravel() - 1]
    wrong = ~np.any(crystal.grid.neighbors(HOP_DIRECTIONS)[vacancy] == target[:, None], axis=1)
    if wrong.any():
        line, column = divmod(int(wrong.argmax()), 8)
        raise ValueError(f"{folder}: line {line + 1}, entry {column + 1} is no first neighbour")
    values = barriers.ravel()
    known = np.isfinite(values)
    keep = known & (values > 0)
    if not keep.any():
        raise ValueError(f"{folder}: no barrier is positive")
    collapsed = tuple(
        f"{folder.name}, line {n // 8 + 1}, entry {n % 8 + 1}: {values[n]:g} eV"
        for n in np.flatnonzero(known & ~keep)
    )
    return BarrierTable(crystal, vacancy[keep], target[keep], values[keep], collapsed)


def _read_frames(files: Sequence[Path]) -> list[Atoms]:
    frames: list[Atoms] = []
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"no such file: {file}")
        opener = gzip.open if file.suffix == ".gz" else open
        try:
            with opener(file, "rt") as stream:
                text = io.StringIO(stream.read())
            read_here = list(read(text, index=":", format="extxyz"))
        except Exception as error:  # the readers raise many kinds
            raise ValueError(f"{file} cannot be read as extxyz: {error!r}") from error
        for number, atoms in enumerate(read_here):
            if atoms.calc is None or "energy" not in atoms.calc.results:
                raise ValueError(f"{file}: frame {number} has no energy")
        frames.extend(read_here)
    return frames


def read_formation_frames(files: Sequence[Path], species: tuple[str, ...]) -> FormationFrames:
    """Formation energies of relaxed alloy frames (extxyz, plain or gzipped).

    The reference of an element is its lowest energy per atom among the pure frames given.
    A frame counts as relaxed when no force exceeds 0.15 eV/A (or it has none) and its ``tag``,
    if any, does not say ``unrelax``: forces can vanish by symmetry at a wrong volume. It is
    used when every atom lies within 0.9 A of a bcc site.

    Raises
    ------
    ValueError
        If a reference is missing or no frame can be used.
    """
    frames = _read_frames(files)
    reference: dict[str, float] = {}
    alloys: list[Atoms] = []
    for atoms in frames:
        elements = set(atoms.get_chemical_symbols())
        if len(elements) == 1:
            (name,) = elements
            energy = atoms.get_potential_energy() / len(atoms)
            reference[name] = min(energy, reference.get(name, np.inf))
        elif elements <= set(species):
            alloys.append(atoms)
    crystals: list[Crystal] = []
    energies: list[float] = []
    for atoms in alloys:
        missing = sorted(set(atoms.get_chemical_symbols()) - reference.keys())
        if missing:
            raise ValueError(f"formation energies need a pure frame of {', '.join(missing)}")
        crystal = _relaxed_crystal(atoms, species)
        if crystal is not None:
            crystals.append(crystal)
            mixed = sum(reference[s] for s in atoms.get_chemical_symbols())
            energies.append((atoms.get_potential_energy() - mixed) / len(atoms))
    if not crystals:
        raise ValueError(f"no relaxed bcc alloy frames in {', '.join(map(str, files))}")
    return FormationFrames(crystals, np.array(energies), len(alloys) - len(crystals))


def _relaxed_crystal(atoms: Atoms, species: tuple[str, ...]) -> Crystal | None:
    forces = atoms.calc.results.get("forces") if atoms.calc is not None else None
    if "unrelax" in str(atoms.info.get("tag", "")):
        return None
    if forces is not None and np.abs(forces).max() > RELAXED_FORCE_EV_A:
        return None
    try:
        return Crystal.from_atoms(atoms, species=species, tolerance_A=RELAXED_TOLERANCE_A)
    except ValueError:
        return None
