"""Energies a second by batch size, and a swap of a patch against the size of its crystal, by MACE.

    python benchmarks/batched_patches.py [--device cuda] [--precision float32] [--quick] [--csv OUT]

On a GPU batches are larger, and beside batches whose kernels are launched one by one stand those
that are recorded and replayed. The model that ships, NbMoTa-mace; a patch is a sphere of 5 A in a
crystal of 2,000 atoms that is repeated, so its surroundings are the same in every size. All batch
sizes compute the same clusters, of swaps of neighbours in the patch. Beside them: energies by the
ASE calculator of what a user would show it, which computes forces too. Patches of a study are the
eight of a crystal of 432 sites, which make the same moves one after another and together. Times
are the least of several stretches, taken in turn; on a CPU processor time of one core, elsewhere
time by the clock. Set-up is left out, but not that of a study's patches; memory is what an attempt
asks of the system anew.
"""

from __future__ import annotations

import argparse
import logging
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from mace.calculators import MACECalculator
from table import Row, by_turns, show

from macro_ase.build import build_crystal
from macro_ase.config import load_config
from macro_ase.engines.patches import replayed
from macro_ase.engines.patches.cluster_sites import ClusterSites
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.receptive_field import reach
from macro_ase.engines.swaps.neighbours import nearest_pairs
from macro_ase.patches import Patch, cut_out
from macro_ase.potentials import path
from macro_ase.rng import kernel_state
from macro_ase.studies.alloys.design import Design

BATCHES, GPU_BATCHES = (1, 2, 4, 8, 16), (1, 2, 4, 8, 16, 64, 256)
CELLS, QUICK_CELLS = (10, 20, 40), (10, 20)
WHOLE_CELLS, QUICK_WHOLE_CELLS, GPU_WHOLE_CELLS = (10, 20), (10,), (10, 20, 40)
CENTRE, RADIUS_A, TEMPERATURE_K = 1110, 5.0, 1500.0
ATTEMPTS, REPEATS, WHOLE_REPEATS = 30, 5, 2
SIZE_TARGET, BATCH_TARGET = 1.2, 1.0
FEW = 10
"""Attempts of a patch of the study."""
STUDY = (
    "system.lattice=bcc",
    "system.composition=NbMoTa",
    "conditions.temperatures_K=[1500]",
    "system.small_size=[6, 6, 6]",
    "system.patch_size=[3, 3, 3]",
    "system.large_size=[6, 6, 6]",
)


def alloy(cells: int) -> Atoms:
    """Random equimolar crystals of 10^3 conventional cells, side by side."""
    size, times = (CELLS[0],) * 3, (cells // CELLS[0],) * 3
    return build_crystal("bcc", "NbMoTa", size, lattice_constant_A=3.26, rng=0) * times


def patch(cells: int, calculator: Any) -> PatchMC:
    """The patch in a crystal of some size."""
    sphere = Patch.sphere(CENTRE, RADIUS_A)
    return PatchMC(alloy(cells), sphere, calculator, temperature_K=TEMPERATURE_K, rng=0)


def batch_rows(
    calculator: Any, clock: Callable[[], float], batches: tuple[int, ...], recorded: bool
) -> list[Row]:
    """Energies a second, the same clusters in batches of several sizes."""
    engine, rng = patch(CELLS[0], calculator), np.random.default_rng(0)
    sites, n = engine._sites, len(engine.region.active)
    assert isinstance(sites, ClusterSites)
    replayed.FIRST = 1 if recorded else 10**9
    pairs = rng.permutation([p for p in zip(*nearest_pairs(sites.cut.atoms)[:2]) if max(p) < n])
    shown = np.resize(pairs, (max(batches), 2)).tolist()
    numbers, memory = sites.cut.atoms.numbers, sites._memory
    clusters = [sites.graph.around(pair, numbers, memory)[1] for pair in shown]

    def all_in_batches(size: int, calls: int) -> None:
        for _ in range(calls):
            for k in range(0, len(clusters), size):
                sites.energies(clusters[k : k + size])

    ways = [partial(all_in_batches, size) for size in batches]
    for way in ways:
        way(2)
    best = by_turns(ways, 1, REPEATS, clock)
    atoms = round(np.mean([len(cluster.numbers) for cluster in clusters]))
    rates = [1e6 * len(clusters) / us for us in best]
    what = "recorded" if recorded else "energies"
    rows = [Row(f"{what}, batches of {k}", atoms, r, "1/s") for k, r in zip(batches, rates)]
    worst = max(best[1:]) / best[0]
    return [*rows, Row(f"{what}: slowest batch over singly", atoms, worst, "times", BATCH_TARGET)]


def study_rows(precision: str, clock: Callable[[], float]) -> list[Row]:
    """An attempt of a patch of the study ``swap``, alone and with the others of its state."""
    model = f"system.calculator=mace:NbMoTa-mace.model@{precision}"
    study = load_config("swap", False, (model, *STUDY), workers=1)
    alloy = Design.of(study).sampled
    k = alloy.n_patches(alloy.large_state)
    patches = [alloy.patch(number) for number in range(k)]

    def in_batches(size: int, calls: int) -> None:
        for _ in range(calls):
            streams = [kernel_state(seed) for seed in np.random.SeedSequence(0).spawn(k)]
            for first in range(0, k, size):
                some = slice(first, first + size)
                own = ([FEW] * len(patches[some]), TEMPERATURE_K, streams[some], patches[some])
                alloy.swaps.try_patches(alloy.large, alloy.large_state, *own)

    ways = {"one by one": partial(in_batches, 1), "together": partial(in_batches, k)}
    best = by_turns(list(ways.values()), 1, 2 * REPEATS, clock)
    n, rows = alloy.large.n_sites, []
    for (name, way), us in zip(ways.items(), best):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        way(1)
        pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        rows.append(Row(f"patches of a study, {name}", n, us / 1e3 / FEW / k, "ms"))
        rows.append(Row(f"patches of a study, {name}: memory", n, pages / FEW / k, "pages"))
    return [
        *rows,
        Row("patches of a study: together over singly", n, best[1] / best[0], "times", 1),
    ]


def size_rows(calculator: Any, clock: Callable[[], float], cells: tuple[int, ...]) -> list[Row]:
    """Seconds an attempt of one patch alone, in crystals of several sizes."""
    engines = [patch(c, calculator) for c in cells]
    best = by_turns([engine.run for engine in engines], ATTEMPTS, REPEATS, clock)
    sizes = [len(engine.atoms) for engine in engines]
    rows = [Row("patch, swap", n, us / 1e3, "ms") for n, us in zip(sizes, best)]
    ratio = max(best) / min(best)
    return [*rows, Row("patch, swap: over sizes", sizes[-1], ratio, "times", SIZE_TARGET)]


def call_rows(calculator: Any, clock: Callable[[], float], cells: tuple[int, ...]) -> list[Row]:
    """Calls of the ASE calculator with cut-outs and whole cells, a species changed each time."""
    small, halo_A = alloy(CELLS[0]), reach(calculator)
    shown = {
        "cut-out of one atom, by ASE": Patch.sphere(CENTRE, 0.1),
        "cut-out of the patch, by ASE": Patch.sphere(CENTRE, RADIUS_A),
    }
    kinds = [(what, cut_out(small, p.select(small), halo_A).atoms) for what, p in shown.items()]
    kinds += [("whole cell, by ASE", alloy(c)) for c in cells]

    def call(atoms: Atoms, calls: int) -> None:
        for _ in range(calls):
            atoms.numbers[0] = 83 - atoms.numbers[0] if atoms.numbers[0] != 73 else 41
            calculator.get_potential_energy(atoms)

    rows = []
    for what, atoms in kinds:
        us = by_turns([partial(call, atoms)], 1, WHOLE_REPEATS, clock)[0]
        rows.append(Row(what, len(atoms), us / 1e3, "ms"))
    return rows


def main() -> None:
    """Read the command line, measure and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu (one core) or cuda")
    parser.add_argument("--precision", default="float64", choices=("float64", "float32"))
    parser.add_argument("--quick", action="store_true", help="two sizes, one whole cell")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="also write the table")
    args = parser.parse_args()
    logging.disable()
    torch.set_num_threads(1)
    model = str(path("NbMoTa-mace.model"))
    calculator = MACECalculator(model, device=args.device, default_dtype=args.precision)
    clock = time.process_time if args.device == "cpu" else time.perf_counter
    on_gpu = args.device != "cpu"
    rows = []
    if not on_gpu:
        rows += study_rows(args.precision, clock)
        show(rows, args.csv)
    for recorded in (False, True) if on_gpu else (False,):
        rows += batch_rows(calculator, clock, GPU_BATCHES if on_gpu else BATCHES, recorded)
        show(rows, args.csv)
    whole = QUICK_WHOLE_CELLS if args.quick else GPU_WHOLE_CELLS if on_gpu else WHOLE_CELLS
    rows += size_rows(calculator, clock, QUICK_CELLS if args.quick else CELLS)
    show(rows, args.csv)
    show([*rows, *call_rows(calculator, clock, whole)], args.csv)


if __name__ == "__main__":
    main()
