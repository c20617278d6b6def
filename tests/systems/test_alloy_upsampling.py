"""Upsampled states: exact composition, shifted tiles, healed seams."""

import numpy as np
import pytest

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines import SwapMC
from macro_ase.lattice import BCC, SiteGrid, shell_neighbors
from macro_ase.observables.bonds import bond_counts
from macro_ase.rng import stream
from macro_ase.systems.alloy_order import BondOrder
from macro_ase.systems.alloy_upsampling import PairSwaps, Upsampler

SPECIES = ("Nb", "Mo", "Ta")
TEMPERATURE_K = 1500.0


def upsampler(small: tuple[int, ...], large: tuple[int, ...]) -> Upsampler:
    return Upsampler(
        SiteGrid(BCC, small), SiteGrid(BCC, large), PairSwaps(KRABarriers.load().energy)
    )  # type: ignore[arg-type]


def random_state(size: tuple[int, ...], vacancies: int = 1, seed: int = 0) -> np.ndarray:
    atoms = build_crystal(size=size, vacancies=vacancies, rng=seed)
    return Crystal.from_atoms(atoms, species=SPECIES).occupation


@pytest.fixture(scope="module")
def equilibrated() -> list[np.ndarray]:
    """States of 8 x 8 x 8 cells at 1500 K."""
    states = []
    for seed in range(12):
        atoms = build_crystal(size=(8, 8, 8), vacancies=1, rng=seed)
        SwapMC(atoms, TEMPERATURE_K, rng=seed).run(100_000)
        states.append(Crystal.from_atoms(atoms, species=SPECIES).occupation)
    return states


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ((4, 4, 4), (16, 16, 16)),
        ((3, 3, 3), (9, 6, 12)),
        ((3, 4, 5), (6, 12, 5)),
        ((4, 4, 4), (4, 4, 8)),
        ((5, 5, 5), (5, 5, 5)),
    ],
)
def test_composition_is_kept_and_vacancies_multiply(
    small: tuple[int, ...], large: tuple[int, ...]
) -> None:
    state, up = random_state(small, vacancies=2), upsampler(small, large)
    result = up(state, TEMPERATURE_K, stream(0, "up"))
    factor = up.large.n_sites // up.small.n_sites
    assert result.shape == (up.large.n_sites,) and result.dtype == np.int8
    np.testing.assert_array_equal(np.bincount(result), factor * np.bincount(state))
    np.testing.assert_array_equal(result, up(state, TEMPERATURE_K, stream(0, "up")))
    if factor > 1:
        assert not np.array_equal(result, up(state, TEMPERATURE_K, stream(1, "up")))


def test_the_same_size_is_the_same_state() -> None:
    state, up = random_state((4, 4, 4)), upsampler((4, 4, 4), (4, 4, 4))
    np.testing.assert_array_equal(up(state, TEMPERATURE_K, stream(0, "up")), state)
    order = BondOrder(SPECIES, np.bincount(state))
    assert np.all(np.isnan(up.seam_and_bulk(state, order)))


@pytest.mark.parametrize("large", [(8, 9, 8), (6, 6, 6), (3, 3, 3)])
def test_a_size_that_does_not_divide_is_refused(large: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"4 x 4 x 4 cells, does not divide the large one"):
        upsampler((4, 4, 4), large)


def test_tiles_cut_a_large_state() -> None:
    up = upsampler((3, 4, 5), (6, 8, 5))
    numbers = np.arange(up.large.n_sites)
    tiles = up.tiles(numbers)
    assert len(tiles) == 4
    np.testing.assert_array_equal(np.sort(np.concatenate(tiles)), numbers)
    for tile in tiles:
        cells = up.large.coordinates[tile] // 2
        np.testing.assert_array_equal(np.ptp(cells, axis=0), [2, 3, 4])
        offset = up.large.coordinates[tile] - up.small.coordinates
        assert np.all(offset == offset[0])


def interior_shift(tile: np.ndarray, state: np.ndarray, size: int) -> list[tuple[int, ...]]:
    """Shifts of a small state that give a tile's interior."""
    inside = (slice(1, -1),) * 3
    small, found = state.reshape(size, size, size, 2), tile.reshape(size, size, size, 2)[inside]
    return [
        shift
        for shift in np.ndindex(size, size, size)
        if np.array_equal(np.roll(small, shift, axis=(0, 1, 2))[inside], found)
    ]


def test_inside_its_seams_every_tile_is_the_small_state_shifted_by_its_own_vector() -> None:
    state, up = random_state((6, 6, 6)), upsampler((6, 6, 6), (12, 12, 12))
    large = up(state, TEMPERATURE_K, stream(0, "up"))
    shifts = [interior_shift(tile, state, 6) for tile in up.tiles(large)]
    assert [len(s) for s in shifts] == [1] * 8
    assert len({s[0] for s in shifts}) >= 7
    assert interior_shift(random_state((6, 6, 6), seed=9), state, 6) == []


def shifted_tiles(state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Eight shifted copies of an 8 x 8 x 8 state, seams as they fall."""
    cells, large = state.reshape(8, 8, 8, 2), np.empty((16, 16, 16, 2), dtype=np.int8)
    for corner in np.ndindex(2, 2, 2):
        where = tuple(slice(8 * c, 8 * c + 8) for c in corner)
        large[where] = np.roll(cells, rng.integers(8, size=3), axis=(0, 1, 2))
    return large.ravel()


def seam_less_bulk(up: Upsampler, states: list[np.ndarray]) -> np.ndarray:
    """Bond densities of the seam band less those of the bulk, shape (n_states, 3)."""
    order = BondOrder(SPECIES, np.bincount(states[0]))
    return np.array([np.subtract(*up.seam_and_bulk(state, order)) for state in states])


def test_seams_heal(equilibrated: list[np.ndarray]) -> None:
    up, rng = upsampler((8, 8, 8), (16, 16, 16)), np.random.default_rng(0)
    raw = seam_less_bulk(up, [shifted_tiles(state, rng) for state in equilibrated])
    healed = seam_less_bulk(
        up, [up(s, TEMPERATURE_K, stream(k, "up")) for k, s in enumerate(equilibrated)]
    )
    mean, error = raw.mean(axis=0), raw.std(axis=0, ddof=1) / np.sqrt(len(raw))
    assert mean[2] < -4 * error[2]  # unhealed seams lack Mo-Ta bonds: the measure sees it
    assert abs(healed.mean(axis=0)[2]) < 0.5 * abs(mean[2])
    assert np.sqrt((healed**2).mean()) < 0.7 * np.sqrt((raw**2).mean())


def test_the_order_is_that_of_the_small_states(equilibrated: list[np.ndarray]) -> None:
    up = upsampler((8, 8, 8), (32, 16, 8))
    order = BondOrder(SPECIES, np.bincount(equilibrated[0]))

    def densities(state: np.ndarray, grid: SiteGrid) -> np.ndarray:
        return order.densities(bond_counts(state, shell_neighbors(grid), 4), grid.n_sites)

    changes = [
        densities(up(s, TEMPERATURE_K, stream(k, "up")), up.large) - densities(s, up.small)
        for k, s in enumerate(equilibrated)
    ]
    random = [densities(random_state((8, 8, 8), 1, k), up.small) for k in range(12)]
    ordered = np.mean([densities(s, up.small) for s in equilibrated], axis=0)
    signal = ordered - np.mean(random, axis=0)
    assert np.abs(np.mean(changes, axis=0)).max() < 0.1 * np.abs(signal).max()
