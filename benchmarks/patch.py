"""Cost of a patch against the size of its system, beside what a user would run without patches.

    python benchmarks/patch.py [--quick] [--csv OUT]

Embedded-atom NbMoTa; the patch is a sphere of 5 A, core and buffer together. One core, set-up and
compile time excluded (set-up stands in its own rows), best of three stretches.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator

from macro_ase.build import build_crystal
from macro_ase.engines.eam_lattice import EAMLattice
from macro_ase.engines.lammps_calculator import LammpsCalculator
from macro_ase.engines.lammps_patch import LammpsPatch
from macro_ase.engines.moves import Swap
from macro_ase.engines.patch_mc import PatchMC
from macro_ase.engines.patch_md import PatchMD
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.rng import kernel_state

CELLS = (10, 20, 40, 80)
QUICK_CELLS = (10, 20)
CORE_A, BUFFER_A = 3.0, 2.0
TEMPERATURE_K = 1500.0
TIMESTEP = 2 * units.fs
REPEATS = 3
SIZE_TARGET, KERNEL_TARGET_US = 1.2, 2.0
POTENTIAL = path("NbMoTa.eam.alloy")
COMMANDS = ("pair_style eam/alloy", f"pair_coeff * * {POTENTIAL} Nb Mo Ta")


class Row(NamedTuple):
    """One line of the table; the target is an upper limit, 0 where there is none."""

    what: str
    atoms: int
    value: float
    unit: str
    target: float = 0.0


def best_us(run: Callable[[int], object], steps: int) -> float:
    """Least time of a step in us, after a stretch that compiles and warms up."""
    run(steps)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run(steps)
        times.append(time.perf_counter() - start)
    return 1e6 * min(times) / steps


def alloy(cells: int) -> Atoms:
    """A random equimolar crystal of cells^3 conventional cells."""
    return build_crystal("bcc", "NbMoTa", (cells,) * 3, lattice_constant_A=3.26, rng=0)


def patch_rows(cells: int, scale: int) -> list[Row]:
    """Set-up and step of every engine on one patch of a system."""
    atoms = alloy(cells)
    patch = Patch.sphere(len(atoms) // 2, CORE_A, BUFFER_A)
    table = TableEAM(EAMTable.read(POTENTIAL))
    engines: dict[str, tuple[Callable[[], PatchMC | PatchMD | LammpsPatch], int]] = {
        "patch, swap MC": (
            lambda: PatchMC(atoms, patch, table, temperature_K=TEMPERATURE_K, rng=0),
            200_000,
        ),
        "patch, MD": (
            lambda: PatchMD(atoms, patch, table, timestep=TIMESTEP, temperature_K=300, rng=0),
            300,
        ),
        "patch, MD by LAMMPS": (
            lambda: LammpsPatch(atoms, patch, COMMANDS, 300.0, "langevin", TIMESTEP, rng=0),
            3000,
        ),
    }
    rows = []
    for what, (make, steps) in engines.items():
        start = time.perf_counter()
        engine = make()
        rows.append(Row(f"{what}: set-up", len(atoms), 1e3 * (time.perf_counter() - start), "ms"))
        rows.append(Row(what, len(atoms), best_us(engine.run, max(steps // scale, 100)), "us"))
    return rows


def kernel_row(scale: int) -> Row:
    """The compiled swap kernel on all sites of a crystal that outgrows the fastest cache."""
    atoms = alloy(10)
    lattice = EAMLattice.from_atoms(atoms, EAMTable.read(POTENTIAL))
    state, rng = lattice.state(lattice.codes(atoms)), kernel_state(0)
    us = best_us(lambda n: lattice.run(state, n, TEMPERATURE_K, rng, Swap()), 200_000 // scale)
    return Row("whole cell, swap kernel", len(atoms), us, "us", KERNEL_TARGET_US)


def ase_swaps(atoms: Atoms, calculator: Calculator) -> Callable[[int], None]:
    """The swap loop one would write with ASE: change symbols, ask for the energy, accept or not."""
    atoms, rng = atoms.copy(), np.random.default_rng(0)
    atoms.calc = calculator
    energy = atoms.get_potential_energy()

    def run(attempts: int) -> None:
        nonlocal energy
        for _ in range(attempts):
            pair = rng.integers(len(atoms), size=2)
            atoms.numbers[pair] = atoms.numbers[pair[::-1]]
            new = atoms.get_potential_energy()
            if rng.random() < np.exp(min(0.0, (energy - new) / (units.kB * TEMPERATURE_K))):
                energy = new
            else:
                atoms.numbers[pair] = atoms.numbers[pair[::-1]]

    return run


def whole_rows(cells: int, scale: int) -> list[Row]:
    """What a user would run without patches, on the whole cell."""
    atoms, rows = alloy(cells), []
    swaps = LammpsPatch(
        atoms.copy(), None, COMMANDS, TEMPERATURE_K, None, swaps=10, swap_interval=1, rng=0
    )

    def attempts(n: int) -> None:
        swaps.run(max(n // 30, 1))

    rows.append(Row("whole cell, fix atom/swap", len(atoms), best_us(attempts, 300 // scale), "us"))
    loop = ase_swaps(atoms, LammpsCalculator(COMMANDS))
    rows.append(Row("whole cell, ASE + LAMMPS", len(atoms), best_us(loop, 60 // scale), "us"))
    dynamics = LammpsPatch(atoms.copy(), None, COMMANDS, 300.0, "langevin", TIMESTEP, rng=0)
    rows.append(
        Row("whole cell, MD by LAMMPS", len(atoms), best_us(dynamics.run, 100 // scale), "us")
    )
    return rows


def size_ratios(rows: list[Row]) -> list[Row]:
    """Slowest over fastest size of each engine."""
    ratios = []
    for what in ("patch, swap MC", "patch, MD", "patch, MD by LAMMPS"):
        values = [row.value for row in rows if row.what == what]
        atoms = max(row.atoms for row in rows)
        ratios.append(
            Row(f"{what}: over sizes", atoms, max(values) / min(values), "times", SIZE_TARGET)
        )
    return ratios


def measure(quick: bool) -> list[Row]:
    """All rows of the table."""
    scale = 10 if quick else 1
    rows = [kernel_row(scale)]
    for cells in QUICK_CELLS if quick else CELLS:
        rows += patch_rows(cells, scale)
    rows += size_ratios(rows)
    for cells in QUICK_CELLS[:1] if quick else QUICK_CELLS:
        rows += whole_rows(cells, scale)
    return rows


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two sizes and a tenth of the steps")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="also write the table")
    args = parser.parse_args()
    rows = measure(args.quick)
    for row in rows:
        target = f"<= {row.target:g}" if row.target else ""
        met = ("  met" if row.value <= row.target else "  MISSED") if row.target else ""
        print(f"{row.what:32}{row.atoms:9d}{row.value:12.2f} {row.unit:6}{target}{met}")
    if args.csv is not None:
        with args.csv.open("w", newline="") as file:
            csv.writer(file).writerows([Row._fields, *rows])


if __name__ == "__main__":
    main()
