"""Relaxed snapshots and their patches: the kernel against the whole, and the law of snapshots."""

import numpy as np
import pytest

from macro_ase.analysis.exact_ising import exact_torus
from macro_ase.rng import kernel_state
from macro_ase.sampling.critical_chains import (
    CriticalSampling,
    PatchBlocks,
    chain,
    chain_chunk,
    wolff_chunk,
)
from macro_ase.systems.ising import IsingSystem
from macro_ase.systems.lattice import PatchShape, tile_corners

SYSTEM = IsingSystem(2.27, 0.0)
SAMPLING = CriticalSampling(2.27, 16, 8, 5.0, 20, 4, 60)


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
    with pytest.raises(ValueError, match="do not fit"):
        PatchBlocks.of(20, 8, 2)


def test_snapshots_come_to_equilibrium() -> None:
    """Windows of 8 x 8 in turn: broken bonds of 16 x 16 spins as Kaufman has them, near T_c."""
    sampling = CriticalSampling(2.27, 16, 8, 5.0, 400, 20, 60)
    rng = np.random.default_rng(0)
    bonds = np.array([SYSTEM.observe(spins, 16)[:, 1] for spins in chain(sampling, rng)])
    by_chain = bonds[10:].mean(axis=0)
    exact = exact_torus((16, 16), 2.27).broken_bonds
    assert abs(by_chain.mean() - exact) < 4 * by_chain.std() / 8
    small = np.array([SYSTEM.observe(SYSTEM.random_states(16, np.zeros(64), 1), 16)[:, 1]])
    assert abs(small.mean() - exact) > 4 * by_chain.std() / 8  # what does not relax is told


def test_chunks() -> None:
    ways = [(0.25, 1), (0.25, -1)]
    one, two = (chain_chunk(SAMPLING, ways, 0, "test", 3) for _ in range(2))
    assert {name: x.shape for name, x in one.items()} == {
        "m": (64, 60),
        "dm": (2, 64, 60),
        "mean": (2, 64, 60),
        "square": (2, 64, 60),
    }
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    other = chain_chunk(SAMPLING, ways, 0, "test", 4)
    assert not np.array_equal(one["m"], other["m"])
    assert wolff_chunk(SAMPLING, ways[:1], 0)["dm"].shape == (1, 64, 60)
