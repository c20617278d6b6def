"""Effective medium theory as a table gives the energies and forces of ASE's."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from macro_ase.engines.calculators import EMT_METALS
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.emt_table import emt_table


def test_energies_and_forces_are_those_of_ase() -> None:
    atoms = bulk("Cu", cubic=True, a=4.0) * 2
    atoms.symbols = [*EMT_METALS, *EMT_METALS][: len(atoms)] + ["Cu"] * 18
    atoms.rattle(0.1, seed=0)
    table, own = TableEAM(emt_table(EMT_METALS)), EMT()
    assert table.get_potential_energies(atoms) == pytest.approx(
        own.get_potential_energies(atoms), abs=1e-9
    )
    np.testing.assert_allclose(table.get_forces(atoms), own.get_forces(atoms), atol=1e-6)
