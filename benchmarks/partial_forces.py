"""Cost of the force on 50 atoms against the size of the system, beside the forces on all by LAMMPS.

    python benchmarks/partial_forces.py [--quick] [--csv OUT]

The Lennard-Jones fluid of in.lj_nve at step 50. A partial evaluation draws a compact cluster of 50
atoms around a uniform centre and computes the forces on it, from atoms sorted into cells; sorting
them, once a configuration and in time O(n), stands in a row of its own, as does the choice of a
block of a partition, which is a fair sample. One core; compile time is excluded. Times are the best
of several stretches, which the sizes take in turn, so that what else the machine does hits all
alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.calculators.lj import LennardJones as LennardJonesCalculator
from table import Row, by_turns, main

from macro_ase.engines.lammps.library import open_lammps, run_lines
from macro_ase.engines.patches.partial_forces import (
    Bins,
    CalculatorForce,
    LennardJonesForce,
    choose_block,
    choose_cluster,
)
from macro_ase.systems.lennard_jones import LennardJones, Start

SIZES = (800, 2700, 6400, 21600, 51200)
QUICK_SIZES = (800, 2700)
CLUSTER, CUTOFF = 50, 2.5
REPEATS = 15
SMALL, LARGE, TARGET = 2700, 51200, 1.3


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


def fair_block(atoms: Atoms) -> Callable[[int], object]:
    """Choose one of the blocks of a partition, again and again."""
    rng = np.random.default_rng(0)
    return lambda calls: [choose_block(atoms, CLUSTER, rng) for _ in range(calls)]


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
        "a fair block of 50": (fair_block, max(calls // 20, 2)),
        "sorting into cells": (binning, max(calls // 20, 2)),
        "all atoms, LAMMPS": (whole, max(calls // 20, 2)),
    }
    rows = []
    for what, (make, stretch) in kinds.items():
        best = dict(zip(sizes, by_turns([make(a) for a in atoms], stretch, REPEATS)))
        rows += [Row(what, n, us, "us") for n, us in best.items()]
        if what.startswith("50") and LARGE in best:
            target = TARGET if "kernel" in what else 0.0
            rows.append(
                Row(f"{what}: over {SMALL}", LARGE, best[LARGE] / best[SMALL], "times", target)
            )
    return rows


if __name__ == "__main__":
    main(measure, __doc__, "two sizes and a fifth of the calls")
