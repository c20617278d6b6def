"""The padded grid: every neighbour at a fixed offset, every image up to date."""

import numpy as np
import pytest

from macro_ase.kinetics.padding import (
    fold,
    geometry_of,
    linear_offsets,
    pad,
    padded_sites,
    put,
    unpad,
)
from macro_ase.kinetics.tracers import site_number
from macro_ase.lattice import BCC, CUBIC, FCC, Lattice, SiteGrid

GRIDS = [
    SiteGrid(BCC, (3, 3, 3)),
    SiteGrid(BCC, (4, 3, 7)),
    SiteGrid(FCC, (3, 5, 4)),
    SiteGrid(CUBIC, (6, 3, 4)),
]


def occupation(grid: SiteGrid) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, grid.n_sites).astype(np.int8)


@pytest.mark.parametrize("grid", GRIDS)
def test_padding_and_back(grid: SiteGrid) -> None:
    codes = occupation(grid)
    padded = pad(grid, codes)
    np.testing.assert_array_equal(unpad(grid, padded), codes)
    np.testing.assert_array_equal(padded[padded_sites(grid, np.arange(grid.n_sites))], codes)


@pytest.mark.parametrize("grid", GRIDS)
def test_offsets_reach_the_neighbours(grid: SiteGrid) -> None:
    codes = occupation(grid)
    padded = pad(grid, codes)
    sites = np.arange(grid.n_sites)
    for vectors in grid.lattice.shells(5):
        offsets = linear_offsets(grid, vectors)
        positions = padded_sites(grid, sites)[:, None] + offsets[sites % grid.lattice.n_basis]
        np.testing.assert_array_equal(padded[positions], codes[grid.neighbors(vectors)])


@pytest.mark.parametrize("grid", GRIDS)
def test_a_write_reaches_all_images(grid: SiteGrid) -> None:
    codes, geometry = occupation(grid), geometry_of(grid)
    padded = pad(grid, codes)
    for site in np.random.default_rng(1).integers(0, grid.n_sites, 40):
        codes[site] = (codes[site] + 1) % 4
        put(geometry, padded, int(padded_sites(grid, site)), int(codes[site]))
    np.testing.assert_array_equal(padded, pad(grid, codes))


@pytest.mark.parametrize("grid", GRIDS)
def test_images_fold_into_the_box(grid: SiteGrid) -> None:
    geometry = geometry_of(grid)
    home = padded_sites(grid, np.arange(grid.n_sites))
    numbers = pad(grid, np.arange(grid.n_sites))
    for p, site in enumerate(numbers):
        assert fold(geometry, p) == home[site] and site_number(geometry, p) == site


@pytest.mark.parametrize("lattice", [BCC, FCC])
def test_a_box_in_which_a_vacancy_would_see_itself_is_refused(lattice: Lattice) -> None:
    with pytest.raises(ValueError, match="2 x 3 x 3 cells; vacancy hops need at least 3"):
        geometry_of(SiteGrid(lattice, (2, 3, 3)))


@pytest.mark.parametrize("grid", GRIDS)
def test_the_halo_is_periodic_for_values_of_any_kind(grid: SiteGrid) -> None:
    shape, halo = (*grid.size, grid.lattice.n_basis), [(3, 3)] * 3 + [(0, 0)]
    for values in (np.arange(grid.n_sites), np.arange(grid.n_sites) % 5 == 0):
        exact = np.pad(values.reshape(shape), halo, mode="wrap").ravel()
        np.testing.assert_array_equal(pad(grid, values), exact)
        assert pad(grid, values).dtype == values.dtype
