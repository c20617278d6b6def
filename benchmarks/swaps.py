"""Swap attempts by the compiled kernel, LAMMPS, mchammer of icet, and a plain ASE loop.

    python benchmarks/swaps.py [--quick] [--csv OUT]

Random equimolar NbMoTa on perfect sites, canonical swaps at 1500 K. All but icet take the
embedded-atom potential that ships; icet takes a cluster expansion of the pairs within the same
cutoff, whose coefficients do not matter here. An attempt is a pair of sites, or of atoms of two
species in LAMMPS and icet, which propose no swaps of like atoms. The kernel's time is also given by
crystal: fcc and hcp have more neighbours. Processor time of one core, least of several stretches;
set-up and compile time are left out. Without icet (`pip install icet`, which builds it from source
with a C++ compiler) its rows are left out too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from ase import Atoms
from ase.build import bulk
from patch import COMMANDS, POTENTIAL, TEMPERATURE_K, alloy, ase_swaps
from table import Row, by_turns, main

from macro_ase.engines.lammps.patch import LammpsPatch
from macro_ase.engines.swaps.eam_lattice import EAMLattice
from macro_ase.engines.swaps.moves import NeighbourSwap, SiteMove, Swap
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.rng import kernel_state

A_BCC, A_FCC, A_HCP = 3.26, 4.10, 2.90
CELLS, QUICK_CELLS = (10, 20), (10,)
TARGET_US = 0.7
TABLE = EAMTable.read(POTENTIAL)
SWAPS_A_STEP = 30
ENGINES = ("fix atom/swap", "ASE loop, EAM calculator", "icet, mchammer")
"""Of the whole cell, beside the kernel."""

Run = Callable[[int], object]


def best_us(run: Run, attempts: int, repeats: int) -> float:
    """Least processor time of an attempt, us."""
    return by_turns([run], attempts, repeats, time.process_time)[0]


def kernel(cell: Atoms, cells: tuple[int, int, int], move: SiteMove) -> tuple[Run, int]:
    """The compiled kernel on a random crystal of some cells, and how many sites that has."""
    lattice, rng = EAMLattice.from_cell(cell, cells, TABLE), np.random.default_rng(0)
    codes = rng.permutation(np.arange(lattice.n_sites) % len(TABLE.species))
    state, stream = lattice.state(codes), kernel_state(0)
    return lambda n: lattice.run(state, n, TEMPERATURE_K, stream, move), lattice.n_sites


def kernel_rows(cells: int, attempts: int) -> list[Row]:
    """The kernel at one size of crystal, by structure and move."""
    bcc = bulk("Nb", a=A_BCC, cubic=True)
    cases = {
        "kernel, bcc": (bcc, (cells,) * 3, Swap()),
        "kernel, bcc, neighbours swap": (bcc, (cells,) * 3, NeighbourSwap()),
        "kernel, fcc": (bulk("Nb", "fcc", a=A_FCC, cubic=True), (cells, cells, cells // 2), Swap()),
        "kernel, hcp": (bulk("Nb", "hcp", a=A_HCP), (cells,) * 3, Swap()),
    }
    runs = {what: kernel(*case) for what, case in cases.items()}
    times = by_turns([run for run, _ in runs.values()], attempts, 7, time.process_time)
    targets = [TARGET_US if "bcc" in what else 0.0 for what in runs]
    return [
        Row(what, n, us, "us", target)
        for (what, (_, n)), us, target in zip(runs.items(), times, targets)
    ]


def lammps_row(atoms: Atoms) -> Row:
    """LAMMPS: ten attempts of each pair of species a step, on atoms that rest."""
    swaps = LammpsPatch(
        atoms.copy(), None, COMMANDS, TEMPERATURE_K, None, swaps=10, swap_interval=1, rng=0
    )
    us = best_us(lambda n: swaps.run(max(n // SWAPS_A_STEP, 1)), SWAPS_A_STEP, 2)
    return Row(ENGINES[0], len(atoms), us, "us")


def icet_row(atoms: Atoms, attempts: int) -> Row:
    """Canonical swaps on a cluster expansion of pairs."""
    from icet import ClusterExpansion, ClusterSpace
    from mchammer.calculators import ClusterExpansionCalculator
    from mchammer.ensembles import CanonicalEnsemble

    space = ClusterSpace(bulk("Nb", a=A_BCC), [TABLE.cutoff_A], list(TABLE.species))
    coefficients = np.random.default_rng(0).normal(scale=0.01, size=len(space))
    expansion = ClusterExpansion(space, coefficients)
    calculator = ClusterExpansionCalculator(atoms, expansion)
    ensemble = CanonicalEnsemble(
        atoms, calculator, TEMPERATURE_K, random_seed=0, ensemble_data_write_interval=10**9
    )
    return Row(ENGINES[2], len(atoms), best_us(ensemble.run, attempts, 3), "us")


def measure(quick: bool) -> list[Row]:
    """All rows of the table."""
    rows = []
    for cells in QUICK_CELLS if quick else CELLS:
        atoms = alloy(cells)
        rows += kernel_rows(cells, 20_000 if quick else 100_000)
        rows.append(lammps_row(atoms))
        loop = ase_swaps(atoms, TableEAM(TABLE))
        rows.append(Row(ENGINES[1], len(atoms), best_us(loop, 3, 2), "us"))
        if find_spec("icet") is not None:
            rows.append(icet_row(atoms, 300 if quick else 2000))
    if find_spec("icet") is None:
        print("icet is not installed: its rows are left out")
    return rows


if __name__ == "__main__":
    main(measure, __doc__, "one size, fewer attempts")
