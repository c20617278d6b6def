"""What barrier fits read of energies: formation energies of relaxed frames."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from numpy.typing import NDArray

from ..crystal import Crystal
from ..potentials.frame_labels import ENERGY_KEYS, FORCES_KEYS, label, label_key
from ..reasons import reason

RELAXED_TOLERANCE_A = 0.9
RELAXED_FORCE_EV_A = 0.15
HIGHEST_FORMATION_EV = 2.0


@dataclass(frozen=True)
class FormationFrames:
    """Relaxed frames on their ideal sites, with formation energies against the elements.

    Attributes
    ----------
    crystals : list of Crystal
    energy_eV : array, shape (n_frames,)
        Formation energy per atom.
    skipped : int
        Frames of alloys left out: of other species, not relaxed, or relaxed away from bcc.
    names : tuple of str
        Where each stands, for messages; empty if nobody asks.
    """

    crystals: list[Crystal]
    energy_eV: NDArray[np.float64]
    skipped: int
    names: tuple[str, ...] = ()


def labelled_frames(files: Sequence[Path]) -> dict[str, Atoms]:
    """Frames of extxyz files, plain or gzipped, by name, each with a finite energy attached.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file that is not there or cannot be read, or the frame without an energy.
    """
    frames: dict[str, Atoms] = {}
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"no such file: {file}")
        opener = gzip.open if file.suffix == ".gz" else open
        try:
            with opener(file, "rt") as stream:
                text = io.StringIO(stream.read())
            read_here = list(read(text, index=":", format="extxyz"))
        except Exception as error:  # the readers raise many kinds
            raise ValueError(f"{file} cannot be read as extxyz: {reason(error)}") from error
        key = label_key(read_here, None, ENERGY_KEYS, "energies under one of these", str(file))
        for number, atoms in enumerate(read_here):
            energy = label(atoms, key)
            if energy.shape != () or energy.dtype.kind not in "if" or not np.isfinite(energy):
                raise ValueError(f"{file}: frame {number} has no energy ({energy})")
            results = {"energy": float(energy), "forces": _forces(atoms)}
            atoms.calc = SinglePointCalculator(atoms, **results)
            frames[f"{file.name}, frame {number}"] = atoms
    return frames


def _forces(atoms: Atoms) -> NDArray[np.float64] | None:
    """Forces under any of their usual names, shape (n, 3), eV/A; None if there are none."""
    found = (label(atoms, key) for key in FORCES_KEYS)
    return next((forces for forces in found if forces is not None), None)


def read_formation_frames(files: Sequence[Path], species: tuple[str, ...]) -> FormationFrames:
    """Formation energies of relaxed alloy frames (extxyz, plain or gzipped).

    Energies are ``energy`` or MACE's ``REF_energy``, forces ``forces`` or ``REF_forces``.

    The reference of an element is its lowest energy per atom among the pure frames given.
    A frame counts as relaxed when no force exceeds 0.15 eV/A (or it has none) and its ``tag``,
    if any, does not say ``unrelax``: forces can vanish by symmetry at a wrong volume. It is
    used when every atom lies within 0.9 A of a bcc site.

    Raises
    ------
    ValueError
        If a reference is missing, energies cannot be right, or fewer than 2 frames can be used.
    """
    frames = labelled_frames(files)
    reference: dict[str, float] = {}
    for atoms in frames.values():
        elements = set(atoms.get_chemical_symbols())
        if len(elements) == 1:
            (name,) = elements
            energy = atoms.get_potential_energy() / len(atoms)
            reference[name] = min(energy, reference.get(name, np.inf))
    alloys = {n: a for n, a in frames.items() if len(set(a.get_chemical_symbols())) > 1}
    crystals: list[Crystal] = []
    energies: dict[str, float] = {}
    for name, atoms in alloys.items():
        symbols = atoms.get_chemical_symbols()
        if not set(symbols) <= set(species):
            continue
        missing = sorted(set(symbols) - reference.keys())
        if missing:
            raise ValueError(f"formation energies need a pure frame of {', '.join(missing)}")
        crystal = _relaxed_crystal(atoms, species)
        if crystal is not None:
            crystals.append(crystal)
            mixed = sum(reference[s] for s in symbols)
            energies[name] = (atoms.get_potential_energy() - mixed) / len(atoms)
    _require_formation_energies(energies, files)
    values = np.array(list(energies.values()))
    return FormationFrames(crystals, values, len(alloys) - len(crystals), tuple(energies))


def _require_formation_energies(energies: dict[str, float], files: Sequence[Path]) -> None:
    if len(energies) < 2:
        raise ValueError(
            f"{len(energies)} relaxed bcc alloy frames in {', '.join(map(str, files))}; "
            "formation energies need 2 or more"
        )
    name = max(energies, key=lambda n: abs(energies[n]))
    if abs(energies[name]) > HIGHEST_FORMATION_EV:
        raise ValueError(
            f"{name}: a formation energy of {energies[name]:.3g} eV/atom cannot be: frames and "
            "pure references must be computed alike, with energies in eV for all atoms of the frame"
        )


def _relaxed_crystal(atoms: Atoms, species: tuple[str, ...]) -> Crystal | None:
    forces = atoms.calc.results.get("forces") if atoms.calc is not None else None
    if "unrelax" in str(atoms.info.get("tag", "")):
        return None
    if forces is not None and not np.abs(forces).max() <= RELAXED_FORCE_EV_A:
        return None
    try:
        return Crystal.from_atoms(atoms, species=species, tolerance_A=RELAXED_TOLERANCE_A)
    except ValueError:
        return None
