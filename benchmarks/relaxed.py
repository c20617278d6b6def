"""Swaps among atoms that move: the kernel of tables beside calls of calculators.

    python benchmarks/relaxed.py [--quick] [--csv OUT]

Random equimolar NbMoTa by the embedded-atom potential that ships. First `PatchMC` of a sphere of
5 A in 2,000 atoms at 1500 K, a swap for every displacement; then swaps of neighbours after each
of which 250 sites of 1,024 relax, those of the study `swap` with `sites = "relaxed"`. The same
attempts by the compiled kernel, by calls of the same table as an ASE calculator, and by calls of
LAMMPS: that species end alike and energies agree to 1e-6 eV is checked. Then the kernel makes
more. Processor time of one core, least of several stretches; set-up and compile time are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from patch import BUFFER_A, CENTRE, COMMANDS, CORE_A, POTENTIAL, TEMPERATURE_K, alloy
from table import Row, by_turns, main

from macro_ase.build import build_crystal
from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.swaps.moves import Displacement, Swap
from macro_ase.engines.swaps.neighbours import nearest_pairs, neighbourhood
from macro_ase.engines.swaps.relaxed import RelaxedEnergy
from macro_ase.engines.swaps.walks import Neighbours, Walk, go_together
from macro_ase.patches import Patch
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.rng import kernel_state
from macro_ase.site_cells import SiteCells

TABLE = EAMTable.read(POTENTIAL)
HALO_A = 2 * TABLE.cutoff_A
CELLS, MOVING_CELLS = 8, 5
TOLERANCE_EV, MORE = 1e-6, {"us": 200, "ms": 5}


class ByCalls(Calculator):
    """The table as any calculator is taken: by calls with all atoms that are shown."""

    implemented_properties = ("energy", "forces")

    def __init__(self) -> None:
        super().__init__()
        self.table = TableEAM(TABLE)

    def calculate(
        self, atoms: Atoms | None = None, properties: Any = (), system_changes: Any = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results = {
            "energy": self.table.get_potential_energy(self.atoms),
            "forces": self.table.get_forces(self.atoms),
        }


def routes() -> dict[str, Calculator]:
    """Calculators by what their rows are called."""
    return {
        "kernel": TableEAM(TABLE),
        "calls, ASE": ByCalls(),
        "calls, LAMMPS": LammpsCalculator(COMMANDS),
    }


def displaced(calculator: Calculator) -> tuple[Callable[[int], Any], Callable[[], Any]]:
    """A run of `PatchMC`, and its species and energy."""
    atoms = alloy(10)
    mc = PatchMC(
        atoms,
        Patch.sphere(CENTRE, CORE_A, BUFFER_A),
        calculator,
        moves=[Swap(), Displacement(width_A=0.15)],
        temperature_K=TEMPERATURE_K,
        rng=0,
        halo_A=HALO_A,
    )
    return mc.run, lambda: (atoms.numbers.copy(), mc.energy_change_eV)


def relaxed(calculator: Calculator) -> tuple[Callable[[int], Any], Callable[[], Any]]:
    """Swaps of neighbours that relax, and their species and energy."""
    crystal = build_crystal("bcc", "NbMoTa", (CELLS,) * 3, lattice_constant_A=3.26, rng=0)
    cells, numbers = SiteCells.of(crystal)
    kinds = np.unique(numbers)
    cell = np.array(np.unravel_index(np.arange(cells.n_sites) // 2, cells.size)).T
    active = np.flatnonzero((cell < MOVING_CELLS).all(axis=1))
    energy = RelaxedEnergy(cells, calculator, kinds, HALO_A)
    held = energy.begin(np.searchsorted(kinds, numbers).astype(np.int8), active)
    near = neighbourhood(nearest_pairs(crystal), cells.n_sites)[0]
    rng, start = kernel_state(0), energy.energy(held)

    def run(attempts: int) -> None:
        own = len(kinds) + 1, len(active), attempts, TEMPERATURE_K, rng
        go_together([Walk(held, Neighbours(near, []), *own)], energy)

    return run, lambda: (held.occupation.copy(), energy.energy(held) - start)


def rows(what: str, make: Callable[[Calculator], Any], attempts: int, unit: str) -> list[Row]:
    """Time of an attempt by each route, after a look that they did the same."""
    names, made = zip(*[(name, make(calculator)) for name, calculator in routes().items()])
    times = by_turns([run for run, _ in made], attempts, 3, time.process_time)
    ends = [end() for _, end in made]
    for numbers, energy in ends[1:]:
        if (numbers != ends[0][0]).any() or abs(energy - ends[0][1]) > TOLERANCE_EV:
            raise RuntimeError(f"{what}: the routes went different ways")
    times[0] = by_turns([made[0][0]], MORE[unit] * attempts, 3, time.process_time)[0]
    per = 1000.0 if unit == "ms" else 1.0
    return [Row(f"{what}, {n}", len(ends[0][0]), t / per, unit) for n, t in zip(names, times)]


def measure(quick: bool) -> list[Row]:
    """All rows of the table."""
    return [
        *rows("swap or displacement", displaced, 20 if quick else 100, "us"),
        *rows("relaxed swap", relaxed, 4 if quick else 20, "ms"),
    ]


if __name__ == "__main__":
    main(measure, __doc__, "fewer attempts")
