"""Cost of a patch against the size of its system, beside what a user would run without patches.

    python benchmarks/patch.py [--quick] [--csv OUT]

Embedded-atom NbMoTa; the patch is a sphere of 5 A, core and buffer together, in a crystal of 2,000
atoms that is repeated: so its surroundings are the same in every size. One core; set-up, in rows of
its own, and compile time are excluded. Times are the best of several stretches, which the sizes
take in turn, so that what else the machine does hits all alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from table import Row, by_turns, main

from macro_ase.build import build_crystal
from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.lammps.patch import LammpsPatch
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.md import PatchMD
from macro_ase.engines.swaps.eam_lattice import EAMLattice
from macro_ase.engines.swaps.moves import Swap
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.rng import kernel_state

CELLS = (10, 20, 40, 80)
QUICK_CELLS = (10, 20)
CENTRE, CORE_A, BUFFER_A = 1110, 3.0, 2.0
TEMPERATURE_K = 1500.0
TIMESTEP = 2 * units.fs
REPEATS = 7
SIZE_TARGET, KERNEL_TARGET_US = 1.2, 2.0
POTENTIAL = path("NbMoTa.eam.alloy")
COMMANDS = ("pair_style eam/alloy", f"pair_coeff * * {POTENTIAL} Nb Mo Ta")


def best_us(run: Callable[[int], object], steps: int) -> float:
    """Least time of a step in us, after a stretch that compiles and warms up."""
    return by_turns([run], steps, REPEATS)[0]


def alloy(cells: int) -> Atoms:
    """Random equimolar crystals of 10^3 conventional cells, side by side."""
    size, times = (CELLS[0],) * 3, (cells // CELLS[0],) * 3
    return build_crystal("bcc", "NbMoTa", size, lattice_constant_A=3.26, rng=0) * times


def engines() -> dict[str, tuple[Callable[[Atoms], PatchMC | PatchMD | LammpsPatch], int]]:
    """What makes each engine, and the steps of a stretch."""
    patch, table = Patch.sphere(CENTRE, CORE_A, BUFFER_A), TableEAM(EAMTable.read(POTENTIAL))
    return {
        "patch, swap MC": (
            lambda atoms: PatchMC(atoms, patch, table, temperature_K=TEMPERATURE_K, rng=0),
            200_000,
        ),
        "patch, MD": (
            lambda atoms: PatchMD(atoms, patch, table, timestep=TIMESTEP, temperature_K=300, rng=0),
            300,
        ),
        "patch, MD by LAMMPS": (
            lambda atoms: LammpsPatch(atoms, patch, COMMANDS, 300.0, "langevin", TIMESTEP, rng=0),
            300,
        ),
    }


def patch_rows(sizes: Sequence[int], scale: int) -> list[Row]:
    """Set-up and step of every engine on one patch of systems of several sizes."""
    rows = []
    for what, (make, steps) in engines().items():
        made, n = [], []
        for cells in sizes:
            atoms = alloy(cells)
            n.append(len(atoms))
            start = time.perf_counter()
            made.append(make(atoms))
            ms = 1e3 * (time.perf_counter() - start)
            rows.append(Row(f"{what}: set-up", n[-1], ms, "ms"))
        best = by_turns([engine.run for engine in made], max(steps // scale, 100), REPEATS)
        rows += [Row(what, size, us, "us") for size, us in zip(n, best)]
        rows.append(Row(f"{what}: over sizes", max(n), max(best) / min(best), "times", SIZE_TARGET))
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


def measure(quick: bool) -> list[Row]:
    """All rows of the table."""
    scale, sizes = (3, QUICK_CELLS) if quick else (1, CELLS)
    rows = [kernel_row(scale), *patch_rows(sizes, scale)]
    for cells in sizes[:1] if quick else sizes[:2]:
        rows += whole_rows(cells, scale)
    return rows


if __name__ == "__main__":
    main(measure, __doc__, "two sizes and a tenth of the steps")
