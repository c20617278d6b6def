"""Frames that potentials are compared on: elements, alloys, and the ordered phases among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from ase.formula import Formula

from ..barriers.formation_frames import RELAXED_TOLERANCE_A
from ..crystal import Crystal
from ..observables.ordered_phases import OrderedPhase, ordered_phases
from ..rng import stream
from .potential_tasks import Phase

Pure = Mapping[str, float]
"""Energy per atom by element, eV."""


def pure_frames(frames: Sequence[Atoms], species: Sequence[str]) -> dict[str, int]:
    """The pure frame of lowest energy of each element."""
    best: dict[str, int] = {}
    for number, atoms in enumerate(frames):
        name, *others = set(atoms.get_chemical_symbols())
        if not others and (name not in best or each(atoms) < each(frames[best[name]])):
            best[name] = number
    missing = [s for s in species if frames and s not in best]
    if missing:
        raise ValueError(f"formation energies need a pure frame of {', '.join(missing)}")
    return {s: best[s] for s in species if s in best}


def alloys(
    frames: Sequence[Atoms], species: Sequence[str], most: int | None, seed: int
) -> list[int]:
    """Numbers of alloys of the species in a random order, the first so many."""
    every = [set(atoms.get_chemical_symbols()) for atoms in frames]
    alloys = [n for n, symbols in enumerate(every) if 1 < len(symbols) and symbols <= set(species)]
    if frames and len(alloys) < (most or 1):
        raise ValueError(f"--frames: {len(alloys)} alloys of {', '.join(species)} are among them")
    order = np.random.default_rng(stream(seed, "frames")).permutation(len(alloys))
    return [alloys[k] for k in order[:most]]


def known_phases(frames: Sequence[Atoms], pure: Pure, species: Sequence[str]) -> dict[str, float]:
    """Lowest formation energy among the frames that are an ordered phase, by its key."""
    phases: dict[str, list[OrderedPhase]] = {}
    for phase in ordered_phases(species):
        phases.setdefault(_composition(phase.atoms(1.0)), []).append(phase)
    best: dict[str, float] = {}
    for atoms in frames:
        possible = phases.get(_composition(atoms))
        if possible is None:
            continue
        try:
            crystal = Crystal.from_atoms(atoms, tolerance_A=RELAXED_TOLERANCE_A)
        except ValueError:
            continue
        for key in [Phase(phase).key for phase in possible if phase.is_of(crystal)]:
            best[key] = min(best.get(key, np.inf), formation(atoms, pure))
    return best


def _composition(atoms: Atoms) -> str:
    return str(Formula("".join(sorted(atoms.get_chemical_symbols()))).reduce()[0].format("hill"))


def each(atoms: Atoms) -> float:
    return float(atoms.get_potential_energy()) / len(atoms)


def formation(atoms: Atoms, pure: Pure) -> float:
    return each(atoms) - mean(atoms.get_chemical_symbols(), pure)


def bare(atoms: Atoms) -> Atoms:
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def mean(symbols: Sequence[str], pure: Pure) -> float:
    return float(np.mean([pure[s] for s in symbols]))
