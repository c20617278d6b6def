"""Seams healed in one kernel, against the same swaps and looks one after another in Python."""

import numpy as np
import pytest
from ase import units

from macro_ase.barriers import KRABarriers
from macro_ase.kinetics.padding import geometry_of, pad, padded_sites, unpad
from macro_ase.kinetics.swaps import swap_sweep
from macro_ase.lattice import BCC, SiteGrid, shell_neighbors
from macro_ase.observables.bonds import grouped_bond_counts
from macro_ase.rng import kernel_state
from macro_ase.systems import alloy_upsampling
from macro_ase.systems.alloy_upsampling import PairSwaps

SWAPS = PairSwaps(KRABarriers.load().energy)
VACANCY = 3


def banded(
    size: tuple[int, int, int], tile: int, seed: int
) -> tuple[SiteGrid, np.ndarray, np.ndarray]:
    """A grid, a random state with vacancies, and the borders of tiles, in order of species."""
    grid, rng = SiteGrid(BCC, size), np.random.default_rng(seed)
    state = rng.integers(0, 3, grid.n_sites).astype(np.int8)
    state[rng.choice(grid.n_sites, 3, replace=False)] = VACANCY
    inside = (grid.coordinates // 2)[:, :2] % tile
    band = np.any((inside == 0) | (inside == tile - 1), axis=1)
    state[band] = np.sort(state[band])
    return grid, state, band


def distance(state: np.ndarray, grid: SiteGrid, band: np.ndarray, shells: int) -> float:
    """Squared difference of the unlike-bond densities of band and bulk, counted anew."""
    groups, total = np.where(band, 0, 1), 0.0
    for k in range(shells):
        bonds = grouped_bond_counts(state, shell_neighbors(grid, k + 1), VACANCY + 1, groups)
        shares = (bonds + bonds.swapaxes(1, 2)) / 2 / np.bincount(groups)[:, None, None]
        total += float((np.subtract(*shares)[np.triu_indices(VACANCY, 1)] ** 2).sum())
    return total


def healed_step_by_step(
    state: np.ndarray, grid: SiteGrid, band: np.ndarray, shells: int, temperature: float, seed: int
) -> tuple[np.ndarray, int]:
    """The best state, and the looks that it took; bonds of all sites are counted at each look."""
    rng_state, betas = kernel_state(seed), np.array([1 / (units.kB * temperature)])
    offsets, pair = SWAPS.energy.kernel_arrays(grid)
    sites = np.flatnonzero(band & (state != VACANCY))
    best, least, misses, looks, now = state, distance(state, grid, band, shells), 0, 0, state
    while misses < alloy_upsampling.PATIENCE and looks < alloy_upsampling.MOST_LOOKS:
        padded, attempts = pad(grid, now), int(alloy_upsampling.SWEEPS_PER_LOOK * len(sites))
        swap_sweep(
            geometry_of(grid), padded, padded_sites(grid, sites), offsets, pair, betas, attempts,
            rng_state, np.zeros(0, dtype=np.int64),
        )  # fmt: skip
        now, looks = unpad(grid, padded), looks + 1
        found = distance(now, grid, band, shells)
        if found < least:
            best, least, misses = now, found, 0
        else:
            misses += 1
    return best, looks


@pytest.mark.parametrize(
    ("size", "tile", "shells", "temperature"),
    [
        ((8, 8, 8), 4, 2, 2000.0),
        ((6, 6, 3), 3, 1, 800.0),
        ((12, 6, 7), 6, 3, 1400.0),
        ((16, 16, 16), 8, 2, 3000.0),
    ],
)
def test_same_swaps_same_looks_same_bytes(
    size: tuple[int, int, int], tile: int, shells: int, temperature: float
) -> None:
    took = set()
    for seed in range(4):
        grid, state, band = banded(size, tile, seed)
        own = (grid, band, shells, temperature)
        exact, looks = healed_step_by_step(state, *own, seed)
        found = SWAPS.heal(state, *own, kernel_state(seed))
        np.testing.assert_array_equal(found, exact)
        other = SWAPS.heal(state, *own, kernel_state(seed + 9))
        assert not np.array_equal(found, other)
        took.add(looks)
    assert len(took) > 1  # looks are counted: not all end at the first chance or at the last


def test_only_atoms_of_the_band_move_and_the_state_given_stays() -> None:
    grid, state, band = banded((12, 12, 12), 6, 0)
    before = state.copy()
    healed = SWAPS.heal(state, grid, band, 2, 1500.0, kernel_state(0))
    np.testing.assert_array_equal(state, before)
    moved = healed != before
    assert moved.any() and not (moved & ~band).any()
    np.testing.assert_array_equal(np.bincount(healed), np.bincount(before))
    np.testing.assert_array_equal(healed == VACANCY, before == VACANCY)


def test_a_band_that_is_everything_has_nothing_to_be_compared_with() -> None:
    grid, state, _ = banded((4, 4, 4), 4, 0)
    whole = np.ones(grid.n_sites, dtype=bool)
    healed = SWAPS.heal(state, grid, whole, 1, 1500.0, kernel_state(0))
    np.testing.assert_array_equal(healed, state)
