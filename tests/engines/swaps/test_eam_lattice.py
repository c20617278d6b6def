"""Fixed-point densities of embedded atoms on sites."""

from dataclasses import replace

import pytest

from macro_ase.engines.swaps.eam_lattice import EAMLattice
from macro_ase.lattice import BCC, SiteGrid
from macro_ase.potentials import path
from macro_ase.potentials.eam_table import EAMTable

TABLE = EAMTable.read(path("NbMoTa.eam.alloy"))
GRID = SiteGrid(BCC, (4, 4, 4))


@pytest.mark.parametrize("factor", [1e5, 1e12])
def test_densities_that_would_overflow_are_refused(factor: float) -> None:
    with pytest.raises(ValueError, match=r"the density of Nb, up to .*, is too far beyond"):
        EAMLattice.from_grid(GRID, replace(TABLE, drho=TABLE.drho / factor), 3.24)


def test_densities_beyond_the_table_add_up() -> None:
    lattice = EAMLattice.from_grid(GRID, replace(TABLE, drho=TABLE.drho / 10), 3.24)
    state = lattice.state([0] * GRID.n_sites)
    assert state.density.min() > 0
