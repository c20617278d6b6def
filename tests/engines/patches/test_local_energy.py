"""How far energies reach, and what a shorter halo costs."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential

from macro_ase.engines.patches.local_energy import (
    cut_out_all,
    energy_without_vacancies,
    halo_error,
    required_halo,
)
from macro_ase.engines.patches.receptive_field import reach, receptive_field
from macro_ase.patches import Patch
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.zhou import CUTOFF_A, zhou_table


def alloy(symbols: tuple[str, ...], structure: str, a: float, size: int):
    atoms = bulk(symbols[0], structure, a, cubic=True) * (size, size, size)
    atoms.symbols[:] = np.random.default_rng(0).choice(symbols, len(atoms))
    return atoms


SYSTEMS = {
    "table": (TableEAM(zhou_table()), alloy(("Nb", "Mo", "Ta"), "bcc", 3.24, 8), 2 * CUTOFF_A),
    "Lennard-Jones": (LennardJones(sigma=3.4), alloy(("Ar",), "fcc", 5.3, 6), 3 * 3.4),
    "Morse": (MorsePotential(r0=3.0), alloy(("Ar",), "bcc", 3.4, 7), 2.7 * 3.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_halo_as_long_as_energies_reach_makes_no_error(name: str) -> None:
    calculator, atoms, length_A = SYSTEMS[name]
    region = Patch.sphere(3, 3.5).select(atoms)
    assert reach(calculator) == pytest.approx(length_A)
    assert halo_error(atoms, region, calculator, length_A, n_moves=2, rng=0) == 0
    short = halo_error(atoms, region, calculator, length_A / 2, n_moves=3, rng=0)
    assert short > 1e-6
    with pytest.warns(UserWarning, match="shorter than the .* off by up to"):
        assert required_halo(atoms, region, calculator, length_A / 2) == length_A / 2


def test_reach_of_other_calculators() -> None:
    assert receptive_field(EMT()) > 5.0 and reach(EMT()) == 2 * receptive_field(EMT())
    assert receptive_field(LennardJones(rc=7.0)) == reach(LennardJones(rc=7.0)) == 7.0
    unknown = Calculator()
    with pytest.raises(ValueError, match="of Calculator reach is not known: give halo_A"):
        receptive_field(unknown)
    assert required_halo(cut_out_all(bulk("Cu")).atoms, None, unknown, 6.0) == 6.0
    unknown.receptive_field_A = 3.0
    assert reach(unknown) == 6.0
    unknown.reach_A = 4.0
    assert reach(unknown) == 4.0


def test_vacancies_are_not_shown() -> None:
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    bare = atoms.copy()
    del bare[5]
    atoms.symbols[5] = "X"
    before = atoms.copy()
    assert energy_without_vacancies(atoms, EMT()) == EMT().get_potential_energy(bare)
    assert atoms == before
