"""What every potential is asked when potentials are compared, and what is known of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from ..barriers.fit_data import BarrierTable, find_tables, read_table, species_of
from ..barriers.formation_frames import labelled_frames
from ..build import build_crystal
from ..crystal import Crystal
from ..observables.ordered_phases import ordered_phases
from ..rng import stream
from .potential_frames import Pure, alloys, bare, each, formation, known_phases, mean, pure_frames
from .potential_tasks import Band, Cost, Element, Frame, HopOf, Order, Phase, Task


@dataclass(frozen=True)
class Questions:
    """What is asked, as a person gives it.

    Attributes
    ----------
    species : sequence of str
        Elements; empty: those of the table, else of the frames.
    table : Path, optional
        Folder with a table of barriers.
    hops : int, optional
        So many of them, at random; default: all. Fewer are the first of more.
    band, fmax : str, float
        ``string`` as in compute-barriers, or ``climb``; largest force in eV/A.
    frames : sequence of Path
        Frames with energies, and pure ones of every element among them.
    n_frames : int, optional
        So many alloys among them, at random; default: all.
    temperatures_K : sequence of float
        Of swap Monte Carlo.
    cells, sweeps : int
        Conventional cells along an axis, and swaps attempted by atom.
    cost_atoms : sequence of int
        Numbers of atoms, nearly: cubes of conventional cells.
    seed : int
    """

    species: Sequence[str] = ()
    table: Path | None = None
    hops: int | None = None
    band: Band = "string"
    fmax: float = 0.02
    frames: Sequence[Path] = ()
    n_frames: int | None = None
    temperatures_K: Sequence[float] = ()
    cells: int = 3
    sweeps: int = 100
    cost_atoms: Sequence[int] = (54, 128)
    seed: int = 0


@dataclass(frozen=True)
class Plan:
    """Tasks, settings on which their results depend, and references by key.

    Attributes
    ----------
    tasks : list
    settings : dict
    reference : dict
        Barriers in eV; formation energies of phases and frames in eV per atom.
    pure : dict
        Number of the frame that is the reference of each element.
    """

    species: tuple[str, ...]
    tasks: list[Task]
    settings: dict[str, Any]
    reference: dict[str, float]
    pure: dict[str, int]

    def values(self, records: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Numbers by key, energies as formation energies, and why what is missing is missing."""
        good = {k: r for k, r in records.items() if "failed" not in r}
        elements = _energies(good, {s: f"element {s}" for s in self.species})
        frames = _energies(good, {s: f"frame {n}" for s, n in self.pure.items()})
        values: dict[str, Any] = {}
        for task in self.tasks:
            if task.key in good:
                values |= _values(task, good[task.key], elements, frames)
        left_out = {t.key: str(records[t.key]["failed"]) for t in self.tasks if t.key not in good}
        return values, left_out


def _energies(records: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, float]:
    return {s: records[key]["energy_eV"] for s, key in keys.items() if key in records}


def _values(task: Task, record: Mapping[str, Any], elements: Pure, frames: Pure) -> dict[str, Any]:
    """What a task's record says, by key."""
    if isinstance(task, Phase | Frame):
        pure = elements if isinstance(task, Phase) else frames
        atoms = task.phase.atoms(1.0) if isinstance(task, Phase) else task.atoms
        symbols = atoms.get_chemical_symbols()
        if len(set(symbols)) == 1 or not set(symbols) <= pure.keys():
            return {}
        return {task.key: record["energy_eV"] - mean(symbols, pure)}
    if isinstance(task, Element):
        names = {"a_A": "a"} | {c: c for c in ("C11", "C12", "C44")}
        return {f"{task.key} {names[k]}": x for k, x in record.items() if k in names}
    if isinstance(task, Order):
        kelvin = f"order {task.temperature_K:g} K"
        return {f"{kelvin} {k}": x for k, x in record.items() if k != "accepted"}
    return {task.key: next(iter(record.values()))}


def plan(questions: Questions) -> Plan:
    """Everything read and checked.

    Raises
    ------
    FileNotFoundError, ValueError
        In one line, naming the input.
    """
    q = questions
    table = None if q.table is None else _table(q.table)
    frames = list(labelled_frames(q.frames).values()) if q.frames else []
    species = _species(q, table, frames)
    pure = pure_frames(frames, species)
    chosen = alloys(frames, species, q.n_frames, q.seed)
    hops, reference = _hops(table, q) if table is not None else ([], {})
    if frames:
        own = {s: each(frames[n]) for s, n in pure.items()}
        reference |= {f"frame {n}": formation(frames[n], own) for n in chosen}
        reference |= known_phases(frames, own, species)
    tasks: list[Task] = [Element(s) for s in species]
    tasks += [Phase(phase) for phase in ordered_phases(species)]
    tasks += [Cost(block) for block in _blocks(species, q)]
    tasks += [Frame(n, bare(frames[n])) for n in (*pure.values(), *chosen)]
    tasks += [*hops, *_orders(q, table, species)]
    return Plan(species, tasks, _settings(q, species), reference, pure)


def _table(folder: Path) -> BarrierTable:
    folders = find_tables(folder)
    if len(folders) > 1:
        raise ValueError(f"{folder} holds {len(folders)} tables of barriers: give one of them")
    return read_table(folders[0], species_of(folders))


def _species(q: Questions, table: BarrierTable | None, frames: Sequence[Atoms]) -> tuple[str, ...]:
    there = set() if table is None else set(table.crystal.species[:-1])
    known = there or {s for atoms in frames for s in atoms.get_chemical_symbols()}
    found = tuple(dict.fromkeys(q.species or sorted(known)))
    if not found:
        raise ValueError("nothing says which elements: give --species, --table or --frames")
    unknown = sorted(set(found) - set(chemical_symbols[1:]))
    if unknown:
        raise ValueError(f"--species: no element is called {', '.join(unknown)}")
    if not there <= set(found):
        raise ValueError(f"the table has {', '.join(sorted(there))}: --species must name them all")
    return found


def _hops(table: BarrierTable, q: Questions) -> tuple[list[HopOf], dict[str, float]]:
    """Hops in a random order, the first so many, and their barriers by key."""
    atoms, atom_at = table.crystal.to_atoms(), np.argsort(table.crystal.site_of_atom)
    most = len(table.barrier_eV)
    n = most if q.hops is None else q.hops
    if n > most:
        raise ValueError(f"{q.table} has {most} hops with a barrier, not {n}")
    hops, known = [], {}
    for k in np.random.default_rng(stream(q.seed, "hops")).permutation(most)[:n]:
        vacancy, target = int(atom_at[table.vacancy[k]]), int(atom_at[table.target[k]])
        hop = HopOf(atoms, vacancy, target, q.band, q.fmax)
        hops.append(hop)
        known[hop.key] = float(table.barrier_eV[k])
    return hops, known


def _orders(q: Questions, table: BarrierTable | None, species: Sequence[str]) -> list[Order]:
    """Of the table's composition, or of equal parts."""
    if not q.temperatures_K:
        return []
    if len(species) < 2:
        raise ValueError("--temperatures: order needs two elements or more")
    parts = dict.fromkeys(species, 1 / len(species))
    if table is not None:
        parts = dict(zip(table.crystal.species, table.composition.tolist()))
    size, seed = (q.cells,) * 3, stream(q.seed, "random-alloy")
    crystal = Crystal.from_atoms(build_crystal("bcc", parts, size, rng=seed))
    return [Order(crystal, t, q.sweeps, q.seed) for t in sorted(set(q.temperatures_K))]


def _blocks(species: Sequence[str], q: Questions) -> list[Atoms]:
    """Random alloys of about so many atoms, each size once."""
    cells = sorted({max(1, round((n / 2) ** (1 / 3))) for n in q.cost_atoms})
    parts = dict.fromkeys(species, 1 / len(species))
    seed = stream(q.seed, "cost")
    return [build_crystal("bcc", parts, (n, n, n), rng=seed) for n in cells]


def _settings(q: Questions, species: Sequence[str]) -> dict[str, Any]:
    """On which results of a key depend; None where nothing was asked."""
    patterns = ("POSCAR", "atomid*.txt", "barrier*.txt")
    folder = None if q.table is None else find_tables(q.table)[0]
    files = [] if folder is None else [next(folder.glob(pattern)) for pattern in patterns]
    return {
        "species": sorted(species),
        "table": _digest(files) if files else None,
        "band": q.band if q.table else None,
        "fmax": q.fmax if q.table else None,
        "frames": _digest(q.frames) if q.frames else None,
        "cells": q.cells if q.temperatures_K else None,
        "seed": q.seed,
    }


def _digest(files: Sequence[Path]) -> str:
    """A short SHA-256 of the contents."""
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
