"""Cost of the force on 50 atoms against the size of the system, beside the forces on all by LAMMPS.

    python benchmarks/partial_forces.py [--quick] [--csv OUT]

The Lennard-Jones fluid of in.lj_nve at step 50. A partial evaluation draws a compact cluster of 50
atoms around a uniform centre and computes the forces on it, from atoms sorted into cells; sorting
them, once a configuration and in time O(n), stands in a row of its own. One core; compile time is
excluded. Times are the best of several stretches, which the sizes take in turn, so that what else
the machine does hits all alike.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.calculators.lj import LennardJones as LennardJonesCalculator

from macro_ase.engines.lammps_library import open_lammps, run_lines
from macro_ase.engines.partial_forces import (
    Bins,
    CalculatorForce,
    LennardJonesForce,
    choose_cluster,
)
from macro_ase.systems.lennard_jones import LennardJones, Start

SIZES = (800, 2700, 6400, 21600, 51200)
QUICK_SIZES = (800, 2700)
CLUSTER, CUTOFF = 50, 2.5
REPEATS = 15
SMALL, LARGE, TARGET = 2700, 51200, 1.3


class Row(NamedTuple):
    """One line of the table; the target is an upper limit, 0 where there is none."""

    what: str
    atoms: int
    value: float
    unit: str
    target: float = 0.0


def by_turns(runs: Sequence[Callable[[int], object]], calls: int) -> list[float]:
    """Least time of a call of each in us, stretch by stretch in turn, after one that warms up."""
    best = [np.inf] * len(runs)
    for run in runs:
        run(calls)
    for _ in range(REPEATS):
        for n, run in enumerate(runs):
            start = time.perf_counter()
            run(calls)
            best[n] = min(best[n], 1e6 * (time.perf_counter() - start) / calls)
    return best


def fluid_atoms(n: int) -> Atoms:
    """A configuration of the fluid at step 50."""
    fluid = LennardJones(n)
    return fluid.to_atoms(fluid.run(Start(1.0), [50]).positions[0])


def partial(atoms: Atoms, force: LennardJonesForce | CalculatorForce) -> Callable[[int], None]:
    """Draw a cluster and compute its forces, again and again, somewhere else each time."""
    bins, rng = Bins(atoms, CUTOFF), np.random.default_rng(0)

    def run(calls: int) -> None:
        for _ in range(calls):
            force(bins, choose_cluster(bins, CLUSTER, rng))

    return run


def binning(atoms: Atoms) -> Callable[[int], object]:
    """Sort the atoms into cells."""
    return lambda calls: [Bins(atoms, CUTOFF) for _ in range(calls)]


def whole(atoms: Atoms) -> Callable[[int], None]:
    """Forces on all atoms by LAMMPS, on a neighbour list that is made once, outside the time."""
    lmp = open_lammps()
    edge, n = atoms.cell[0, 0], len(atoms)
    lines = ["units lj", "atom_modify map array", f"region cell block 0 {edge} 0 {edge} 0 {edge}"]
    lines += [
        "create_box 1 cell",
        "mass 1 1.0",
        f"pair_style lj/cut {CUTOFF}",
        "pair_coeff 1 1 1 1",
    ]
    run_lines(lmp, lines)
    lmp.create_atoms(n, None, np.ones(n, dtype=int), atoms.positions.ravel())
    run_lines(lmp, ["neighbor 0.3 bin", "thermo 1000000", "fix hold all setforce 0 0 0", "run 0"])
    return lambda calls: run_lines(lmp, [f"run {calls} pre no post no"])


def measure(quick: bool) -> list[Row]:
    """All rows of the table."""
    sizes, calls = (QUICK_SIZES, 20) if quick else (SIZES, 100)
    atoms = [fluid_atoms(n) for n in sizes]
    slow = CalculatorForce(LennardJonesCalculator(rc=CUTOFF))
    kinds: dict[str, tuple[Callable[[Atoms], Callable[[int], object]], int]] = {
        "50 atoms, compiled kernel": (lambda a: partial(a, LennardJonesForce()), calls),
        "50 atoms, ASE calculator": (lambda a: partial(a, slow), max(calls // 20, 2)),
        "sorting into cells": (binning, max(calls // 20, 2)),
        "all atoms, LAMMPS": (whole, max(calls // 20, 2)),
    }
    rows = []
    for what, (make, stretch) in kinds.items():
        best = dict(zip(sizes, by_turns([make(a) for a in atoms], stretch)))
        rows += [Row(what, n, us, "us") for n, us in best.items()]
        if what.startswith("50") and LARGE in best:
            target = TARGET if "kernel" in what else 0.0
            rows.append(
                Row(f"{what}: over {SMALL}", LARGE, best[LARGE] / best[SMALL], "times", target)
            )
    return rows


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two sizes and a fifth of the calls")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="also write the table")
    args = parser.parse_args()
    rows = measure(args.quick)
    for row in rows:
        target = f"<= {row.target:g}" if row.target else ""
        met = ("  met" if row.value <= row.target else "  MISSED") if row.target else ""
        print(f"{row.what:40}{row.atoms:9d}{row.value:12.2f} {row.unit:6}{target}{met}")
    if args.csv is not None:
        with args.csv.open("w", newline="") as file:
            csv.writer(file).writerows([Row._fields, *rows])


if __name__ == "__main__":
    main()
