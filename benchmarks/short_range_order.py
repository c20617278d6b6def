"""Short-range order against ten lines with matscipy that are told the shells' radii.

    python benchmarks/short_range_order.py [--quick]

CPU time, least of some calls by turns, and the memory that a measurement adds at its peak. Limits
compare with the lines in the same run; results are compared too.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from matscipy.neighbours import neighbour_list
from table import Row, main

from macro_ase import short_range_order, short_range_order_trajectory

SPECIES = ("Nb", "Mo", "Ta")
CUTOFFS_A = (3.02, 3.91)
EDGES = (8, 22, 37, 80)
FRAMES, FRAME_EDGE = 100, 10
LIMIT, FREE_MB = 1.5, 10.0


def lines(atoms: Atoms) -> Any:
    """Warren-Cowley alpha of two shells: what one would write without this package."""
    names, codes = np.unique(atoms.numbers, return_inverse=True)
    share = np.bincount(codes) / len(codes)
    i, j, distance = neighbour_list("ijd", atoms, CUTOFFS_A[-1])
    shell, alpha = np.searchsorted(CUTOFFS_A, distance), []
    for k in range(len(CUTOFFS_A)):
        pairs = len(names) * codes[i[shell == k]] + codes[j[shell == k]]
        bonds = np.bincount(pairs, minlength=len(names) ** 2).reshape(len(names), -1)
        alpha.append(1 - bonds / bonds.sum(axis=1, keepdims=True) / share)
    return np.array(alpha)


def ours(atoms: Atoms) -> Any:
    """The same by `short_range_order`, which is told nothing."""
    return short_range_order(atoms, species=SPECIES).alpha[:, :-1, :-1]


def by_distance(atoms: Atoms) -> Any:
    """The same with given radii."""
    return short_range_order(atoms, cutoffs_A=CUTOFFS_A, species=SPECIES).alpha[:, :-1, :-1]


def alloy(edge: int, primitive: bool = False, rms_A: float = 0.0, seed: int = 0) -> Atoms:
    """A random bcc alloy of three elements."""
    cells = round(edge * 2 ** (1 / 3)) if primitive else edge
    atoms = bulk("Mo", "bcc", a=3.24, cubic=not primitive) * (cells, cells, cells)
    rng = np.random.default_rng(seed)
    atoms.symbols = rng.choice(SPECIES, len(atoms))
    atoms.positions += rng.normal(0, rms_A / 3**0.5, atoms.positions.shape)
    return atoms


def cpu_times(runs: list[Callable[[], Any]], repeats: int) -> list[float]:
    """Least CPU time of each in ms, by turns, after one that warms up."""
    best = [np.inf] * len(runs)
    for repeat in range(repeats + 1):
        for n, run in enumerate(runs):
            start = time.process_time()
            run()
            if repeat:
                best[n] = min(best[n], 1e3 * (time.process_time() - start))
    return best


def added_MB(measure: Callable[[Atoms], Any], edge: int) -> float:
    """What a measurement adds to the memory of this process (Linux), whose code is loaded."""
    measure(alloy(3))
    atoms = alloy(edge)
    before = _status_MB("VmRSS:")
    measure(atoms)
    return max(0.0, _status_MB("VmHWM:") - before)


def _status_MB(key: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return float(status.partition(key)[2].split()[0]) / 1024


def memory(measure: Callable[[Atoms], Any], edge: int) -> float:
    """The same in a process of its own, in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(added_MB, (measure, edge))


def measure(quick: bool) -> list[Row]:
    """All rows; the quick form leaves out the largest crystals."""
    rows = []
    for edge in EDGES[: 2 if quick else None]:
        repeats = max(3, round(20_000 / edge**3))
        for what, atoms in (("block", alloy(edge)), ("primitive cell", alloy(edge, True))):
            assert np.allclose(ours(atoms), lines(atoms))
            runs = [lambda a=atoms, f=f: f(a) for f in (lines, ours, by_distance)]
            reference, sites, distance = cpu_times(runs, repeats)
            n = len(atoms)
            rows += [
                Row(f"{what}, lines with matscipy", n, reference, "ms"),
                Row(f"{what}, lattice found", n, sites, "ms", round(LIMIT * reference, 2)),
                Row(f"{what}, radii given", n, distance, "ms", round(LIMIT * reference, 2)),
            ]
        needed = [memory(f, edge) for f in (lines, ours, by_distance)]
        rows += [
            Row("memory, lines with matscipy", 2 * edge**3, needed[0], "MB"),
            Row(
                "memory, lattice found",
                2 * edge**3,
                needed[1],
                "MB",
                round(max(needed[0], FREE_MB)),
            ),
            Row(
                "memory, radii given", 2 * edge**3, needed[2], "MB", round(max(needed[0], FREE_MB))
            ),
        ]
    return rows + trajectory()


def trajectory() -> list[Row]:
    """A frame of a trajectory of a hot crystal."""
    frames = [alloy(FRAME_EDGE, rms_A=0.3, seed=seed) for seed in range(FRAMES)]
    runs = [lambda: [lines(f) for f in frames], lambda: short_range_order_trajectory(frames)]
    reference, sites = np.array(cpu_times(runs, 3)) / FRAMES
    n = len(frames[0])
    return [
        Row("a frame of 100, lines with matscipy", n, reference, "ms"),
        Row("a frame of 100, lattice found once", n, sites, "ms", round(LIMIT * reference, 2)),
    ]


if __name__ == "__main__":
    main(measure, __doc__ or "", "crystals of up to 21,296 atoms")
