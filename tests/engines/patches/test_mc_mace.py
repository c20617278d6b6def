"""Monte Carlo of patches by a network of two layers is exact too."""

from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from engines.patches.atoms_and_laws import Remembered, energy_of, follow_boltzmann

from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.receptive_field import reach, receptive_field
from macro_ase.engines.swaps.moves import Displacement, Swap
from macro_ase.patches import Patch
from macro_ase.testing import arrangements


def niobium_molybdenum(size: int) -> Atoms:
    atoms = bulk("Nb", "bcc", 3.24, cubic=True) * (size, size, size)
    atoms.symbols[:] = np.random.default_rng(1).choice(["Nb", "Mo"], len(atoms))
    return atoms


@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")
def test_energy_changes_with_mace_are_those_of_the_whole(mace: Any) -> None:
    assert receptive_field(mace) == 6.0 and reach(mace) == 12.0
    atoms = niobium_molybdenum(10)
    atoms.symbols[0] = "X"
    start = atoms.copy()
    mc = PatchMC(
        atoms,
        Patch.sphere(0, 2.9),
        mace,
        moves=[Swap(), Displacement(width_A=0.05)],
        temperature_K=5000.0,
        rng=0,
    )
    mc.run(8)
    assert mc.tally[:, 1].sum() > 1 and len(mc._sites.cut.atoms) < len(atoms)
    after, before = (mace.get_potential_energy(a[a.numbers != 0]) for a in (atoms, start))
    assert mc.energy_change_eV == pytest.approx(after - before, abs=1e-9)


@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.filterwarnings("ignore")
def test_swaps_with_mace_sample_the_exact_distribution(mace: Any) -> None:
    atoms, active = niobium_molybdenum(2), np.array([0, 1, 2, 6, 9])
    atoms.numbers[active] = [41, 41, 42, 42, 42]
    energy_eV = energy_of(atoms, active, mace)
    spread = np.std([energy_eV(numbers) for numbers in arrangements(atoms.numbers[active])])
    mask = np.isin(np.arange(len(atoms)), active)
    mc = PatchMC(
        atoms,
        Patch.mask(mask),
        Remembered(mace),
        temperature_K=spread / units.kB,
        rng=2,
        halo_A=30.0,
    )
    follow_boltzmann(mc, active, mace, 1920, wrong=1.5)
