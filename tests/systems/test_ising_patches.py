"""Patches of Ising lattices by their own kernel, against the general route."""

import numpy as np
import pytest

from macro_ase.rng import kernel_state
from macro_ase.systems.ising import IsingSystem
from macro_ase.systems.ising_patches import PatchBlocks
from macro_ase.systems.tiles import PatchShape, tile_corners

SYSTEM = IsingSystem(2.27, 0.0)


def test_patches_do_what_the_general_route_does() -> None:
    """Mean and variance of increments, by two kernels; and a wrong buffer shows."""
    side, patch, dt = 32, 8, 1.0
    spins = SYSTEM.random_states(side, np.full(600, 0.6), 1)
    corners = tile_corners(side, patch)
    moments = []
    for buffer in (2, 0):
        evolved = PatchBlocks.of(side, patch, buffer).evolve(spins, SYSTEM, dt, kernel_state(2))
        moments.append([x.mean(axis=1) for x in evolved])
    shape = PatchShape(patch, 2, nodes=4)
    general = SYSTEM.move(spins, side, corners, shape, dt, {}, np.random.default_rng(3))
    dm, mean = (x[..., 0].mean(axis=1) for x in (general.change, general.mean))
    for k, other in enumerate((dm, mean)):
        error = np.hypot(other.std(), moments[0][k].std()) / np.sqrt(len(spins))
        assert abs(moments[0][k].mean() - other.mean()) < 4 * error
    assert moments[0][0].var() == pytest.approx(dm.var(), rel=0.25)
    without = np.abs(moments[1][1].mean() - mean.mean())
    assert without > 3 * error  # the negative control: no buffer, and a long dt


def test_mean_and_increment_differ_by_noise_alone() -> None:
    spins = SYSTEM.random_states(24, np.full(500, 0.3), 4)
    dm, mean = PatchBlocks.of(24, 8, 2).evolve(spins, SYSTEM, 0.25, kernel_state(5))
    noise = (dm - mean).ravel()
    assert abs(noise.mean()) < 4 * noise.std() / np.sqrt(noise.size)
    assert mean.var() < 0.3 * dm.var()


def test_a_patch_that_is_the_whole_has_no_frozen_rim() -> None:
    blocks = PatchBlocks.of(16, 16, 2)
    assert blocks.edge == 16 and len(blocks.blocks) == 1
    assert len(blocks.active) == len(blocks.core) == 256
    inside = PatchBlocks.of(16, 8, 2)
    assert (inside.edge, len(inside.active), len(inside.core)) == (14, 144, 64)
    with pytest.raises(ValueError, match="do not fit"):
        PatchBlocks.of(20, 8, 2)
