"""Windows of spin lattices: as in the whole, counted whole; tiles, upsampling, relaxation."""

import numpy as np
import pytest

from macro_ase.engines.spins.ensemble import SpinEnsemble
from macro_ase.systems.curie_weiss import CurieWeissSystem
from macro_ase.systems.ising import IsingSystem
from macro_ase.systems.tiles import PatchShape, block_sites, repeated, tile_corners
from macro_ase.testing import check_unbiased

rng_of = np.random.default_rng
ISING, MEAN_FIELD = IsingSystem(2.5, 0.1), CurieWeissSystem(1.1, 0.1)


def states(n: int, side: int, m: float = 0.1, seed: int = 0) -> np.ndarray:
    return ISING.random_states(side, np.full(n, m), seed)


@pytest.mark.parametrize("buffer", [0, 2])
def test_a_window_is_the_patch_of_the_whole(buffer: int) -> None:
    """Bit for bit, at every tile, also across the border of the lattice."""
    side, core, dt = 16, 4, 3.0
    spins, corners = states(1, side), tile_corners(16, 4)
    window = ISING.move(spins, side, corners, PatchShape(core, buffer), dt, {}, rng_of(7))
    seeds = np.random.default_rng(7).integers(1, 2**64, size=(len(corners), 4), dtype=np.uint64)
    active = block_sites(corners - buffer, core + 2 * buffer, side)
    cores = block_sites(corners, core, side)
    for k in range(len(corners)):
        mask = np.isin(np.arange(side**2), cores[k])
        whole = SpinEnsemble(ISING.model(side), spins, 2.5, 0, active[k], mask)
        whole.rng_state = seeds[k : k + 1].copy()
        tally = whole.advance(dt)[0, 0]
        own = ISING.dz(tally, core**2)
        np.testing.assert_array_equal(window.change[0, k], own)
        np.testing.assert_array_equal(window.core[0, k], whole.spins[0, cores[k]])


def test_a_window_that_would_wrap_is_the_whole_lattice() -> None:
    """Core 8 with buffer 4 fills 16 x 16: everything moves, the core alone counts."""
    spins = states(3, 16)
    evolved = ISING.move(spins, 16, tile_corners(16, 8), PatchShape(8, 4), 2.0, {}, rng_of(1))
    assert evolved.core.shape == (3, 4, 64) and np.any(evolved.change[..., 0])
    moved = evolved.core != spins[:, block_sites(tile_corners(16, 8), 8, 16)]
    assert np.all(moved.any(axis=2))


@pytest.mark.parametrize("system", [ISING, MEAN_FIELD])
def test_whole_changes_add_up(system: IsingSystem | CurieWeissSystem) -> None:
    """One patch alone without a buffer: its counted change is that of the whole lattice's n z."""
    spins, side = states(4, 12), 12
    corners = tile_corners(side, 4)[4:5]
    evolved = system.move(spins, side, corners, PatchShape(4), 2.0, {}, rng_of(3))
    after = spins.copy()
    after[:, block_sites(corners, 4, side)[0]] = evolved.core[:, 0]
    change = system.observe(after, side) - system.observe(spins, side)
    k = side**2 / 16
    np.testing.assert_allclose(evolved.change[:, 0], k * change, atol=1e-12)
    own = system.observe(evolved.core[:, 0], 4) - system.observe(
        spins[:, block_sites(corners, 4, side)[0]], 4
    )
    if system is ISING:  # negative control: the core as if it were periodic misses its border
        assert not np.allclose(own[:, 1], k * change[:, 1])


@pytest.mark.parametrize("system", [ISING, MEAN_FIELD])
@pytest.mark.parametrize("boundary", ["frozen", "periodic"])
def test_the_mean_of_a_change_without_its_noise(
    system: IsingSystem | CurieWeissSystem, boundary: str
) -> None:
    """Changes minus the time integral of their rates: mean 0, and the rates hold less noise."""
    shape = PatchShape(8, 1, boundary, nodes=4)
    spins = system.random_states(32, np.full(400, -0.3), 2)
    evolved = system.move(spins, 32, tile_corners(32, 8), shape, 0.5, {}, rng_of(5))
    change = evolved.change.reshape(-1, len(system.names))
    mean = evolved.mean.reshape(change.shape)
    rest = change - mean
    assert np.all(np.abs(rest.mean(0)) < 4 * rest.std(0) / np.sqrt(len(rest)))
    assert np.all(mean.std(0) < change.std(0))
    wrong = change - 0.5 * mean
    assert np.any(np.abs(wrong.mean(0)) > 4 * wrong.std(0) / np.sqrt(len(rest)))


def test_a_buffer_lets_patches_drift_as_wholes_and_a_periodic_patch_does_not() -> None:
    """Mean change of broken bonds over dt = 1, from relaxed states at T = 2.5."""
    n, side, dt, rng = 600, 32, 1.0, np.random.default_rng(0)
    _, old = ISING.run(states(n, side, -0.75), side, [10.0], rng)
    large = old[:, 0]
    whole = ISING.direct(large, side, [dt], rng)[:, 0] - ISING.observe(large, side)
    found = []
    for boundary in ("frozen", "periodic"):
        shape = PatchShape(8, 4, boundary)
        evolved = ISING.move(large, side, tile_corners(side, 8), shape, dt, {}, rng)
        found.append(check_unbiased(evolved.change, whole, paired=True, wrong=1.5))
    assert found[0].passed and found[1].rejected, found


def test_upsampling_keeps_the_magnetisation_of_every_tile() -> None:
    small = states(5, 8, 0.25)
    large = repeated(small, 4)
    tiles = large[:, block_sites(tile_corners(32, 8), 8, 32)]
    np.testing.assert_array_equal(tiles, np.repeat(small[:, None], 16, axis=1))
    shifted = large[:, block_sites(tile_corners(32, 8, 3), 8, 32)]
    np.testing.assert_array_equal(shifted.sum(axis=2), np.tile(small.sum(1)[:, None], 16))


@pytest.mark.parametrize("side", [24, 32])
def test_relaxing_moves_every_region_and_keeps_equilibrium(side: int) -> None:
    """Windows are exact dynamics of parts, so equilibrium stays (also with three per axis)."""
    rng = np.random.default_rng(3)
    _, old = ISING.run(states(300, side, 0.7), side, [40.0], rng)
    before = old[:, 0]
    after = ISING.relax(before, side, 8, 2.0, {}, rng)
    assert np.all((before != after).mean(axis=0) > 0.05)
    change = ISING.observe(after, side) - ISING.observe(before, side)
    assert np.all(np.abs(change.mean(0)) < 4 * change.std(0) / np.sqrt(len(change)))


def test_growing() -> None:
    small = states(2, 8)
    assert ISING.grow(small, 8, 48, 0.5, {}, rng_of(0)).shape == (2, 48**2)
    np.testing.assert_array_equal(ISING.grow(small, 8, 32, 0.0, {}, rng_of(0)), repeated(small, 4))
    np.testing.assert_array_equal(ISING.grow(small, 8, 8, 1.0, {}, rng_of(0)), small)
    one, same, other = (ISING.grow(small, 8, 16, 1.0, {}, rng_of(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)
    with pytest.raises(ValueError, match="no multiple of 8"):
        ISING.grow(small, 8, 20, 1.0, {}, rng_of(0))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="tiles of side 5 do not fit"):
        tile_corners(16, 5)
    with pytest.raises(ValueError, match="boundary must be one of frozen, periodic, not 'open'"):
        PatchShape(4, 0, "open")
    with pytest.raises(ValueError, match="makes no sense"):
        PatchShape(4, -1)
