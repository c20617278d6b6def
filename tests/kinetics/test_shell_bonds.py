"""Bond counts on the padded grid, against those from tables of neighbours."""

import numpy as np
import pytest

from macro_ase.kinetics.padding import pad
from macro_ase.kinetics.shell_bonds import count_bonds
from macro_ase.lattice import BCC, FCC, SiteGrid, shell_neighbors
from macro_ase.observables.bonds import grouped_bond_counts


@pytest.mark.parametrize("grid", [SiteGrid(BCC, (3, 4, 6)), SiteGrid(FCC, (4, 3, 3))])
def test_counts_are_those_of_neighbour_tables(grid: SiteGrid) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, grid.n_sites).astype(np.int8)
    group = rng.random(grid.n_sites) < 0.3
    found = count_bonds(grid, pad(grid, codes), 3, 4, pad(grid, group))
    for k in range(3):
        table = shell_neighbors(grid, k + 1)
        exact = grouped_bond_counts(codes, table, 4, group.astype(int))
        np.testing.assert_array_equal(found[:, k], exact)
    whole = count_bonds(grid, pad(grid, codes), 3, 4)
    np.testing.assert_array_equal(whole[0], found.sum(axis=0))


@pytest.mark.parametrize("code", [-1, 3])
def test_a_code_that_is_no_species_is_refused(code: int) -> None:
    grid = SiteGrid(BCC, (3, 3, 3))
    codes = np.zeros(grid.n_sites, dtype=np.int8)
    codes[7] = code
    with pytest.raises(ValueError, match="each code must be a whole number from 0 to 2"):
        count_bonds(grid, pad(grid, codes), 1, 3)
