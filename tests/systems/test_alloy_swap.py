"""Neighbour swaps: patches in the true crystal evolve as the whole does."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from macro_ase.config import load_config
from macro_ase.engines.swaps.moves import NeighbourSwap
from macro_ase.lattice import BCC, SiteGrid
from macro_ase.rng import kernel_state, stream
from macro_ase.systems import SwapAlloy
from macro_ase.systems.alloy_setup import swap_alloy_from_config
from macro_ase.systems.base import Increments, no_closure
from macro_ase.testing import assert_unbiased, check_unbiased

TEMPERATURE_K = 1500.0
CONDITION = {"T": TEMPERATURE_K}
UNLIKE = 3


@cache
def alloy(boundary: str = "embedded", buffer_cells: int = 1) -> SwapAlloy:
    settings = (
        "system.small_size=[4, 4, 4]",
        "system.large_size=[8, 8, 8]",
        f"system.boundary='{boundary}'",
        f"system.buffer_cells={buffer_cells}",
    )
    return swap_alloy_from_config(load_config("nbmota-swap", False, settings))[0]


def pairs_of(system: SwapAlloy, dt: float, seed: np.random.SeedSequence) -> Increments:
    """Every patch of the large state alone."""
    rng, plan = np.random.default_rng(seed), system.plan(dt=dt)
    return system.increments(plan, system.large_state[None], no_closure, CONDITION, rng)


def increments(system: SwapAlloy, dt: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Increments of the whole (n, d) and of every patch (n, K, d) from one state."""
    state, times, whole, patches = system.large_state, np.array([0.0, dt]), [], []
    for k in range(n):
        z, _ = system.direct(state, times, CONDITION, stream(0, "whole", k))
        whole.append(z[1] - z[0])
        patches.append(pairs_of(system, dt, stream(0, "patch", k)).dz[0])
    return np.array(whole), np.array(patches)


def test_cores_tile_the_crystal_and_buffers_surround_them() -> None:
    system = alloy()
    patches = [system.patch(k) for k in range(8)]
    cores = np.concatenate([active[:n_core] for active, n_core in patches])
    np.testing.assert_array_equal(np.sort(cores), np.arange(system.large.n_sites))
    cells = system.large.coordinates // 2
    for active, n_core in patches:
        assert n_core == 2 * 4**3 and len(active) == 2 * 6**3
        corner = cells[active[:n_core]].min(axis=0)
        beyond = (cells[active[n_core:]] - corner + 1) % 8
        assert np.all(beyond < 6)


@pytest.mark.parametrize(
    ("small", "large", "buffer"), [((4, 3, 5), (8, 9, 5), 1), ((3, 4, 4), (12, 4, 8), 2)]
)
def test_patches_are_those_found_among_all_sites(
    small: tuple[int, ...], large: tuple[int, ...], buffer: int
) -> None:
    """By the distance of every cell from the block, periodic; sites ascend in core and buffer."""
    grids = (SiteGrid(BCC, small), SiteGrid(BCC, large))  # type: ignore[arg-type]
    system = replace(alloy(), small=grids[0], large=grids[1], buffer_cells=buffer)
    cells, size = system.large.coordinates // 2, np.array(large)
    for number, block in enumerate(np.ndindex(*(size // small))):
        behind = (cells - np.multiply(block, small)) % size
        distance = np.maximum(np.minimum(behind - small + 1, size - behind), 0).max(axis=1)
        active, n_core = system.patch(number)
        np.testing.assert_array_equal(active[:n_core], np.flatnonzero(distance == 0))
        around = np.flatnonzero((distance > 0) & (distance <= buffer))
        np.testing.assert_array_equal(active[n_core:], around)


@pytest.mark.slow
def test_patches_drift_and_fluctuate_as_the_whole_does() -> None:
    whole, patches = increments(alloy(), 0.1, 150)
    assert_unbiased(patches, whole, wrong=1.5)
    centred = patches - patches.mean(axis=0)
    noise = 8 * whole.var(axis=0) / (centred**2).mean(axis=(0, 1))
    assert np.all(np.abs(noise - 1) < 4 * np.sqrt(2 / 150))


@pytest.mark.slow
def test_a_patch_that_counts_its_buffer_is_noticed() -> None:
    whole, _ = increments(alloy(), 0.1, 100)
    system, wrong = alloy(), []
    lattice = system.swaps.lattice(system.large)
    sites = lattice.state(system.large_state)
    for k in range(100):
        active, _ = system.patch(k % 8)
        change, _ = lattice.try_patch(
            sites,
            len(active) // 10,
            TEMPERATURE_K,
            kernel_state(stream(1, "w", k)),
            NeighbourSwap(),
            active,
            len(active),
        )
        wrong.append(system.order.state(change, system.large.n_sites) * 8)
    assert check_unbiased(wrong, whole).rejected


def test_pairs_leave_the_state_alone_and_repeat() -> None:
    system = alloy()
    before = system.large_state.copy()
    a, b = (pairs_of(system, 0.5, stream(0, "p")) for _ in range(2))
    np.testing.assert_array_equal(system.large_state, before)
    np.testing.assert_array_equal(a.dz, b.dz)
    assert a.dz.shape == (1, 8, 6) and a.met is not None and not a.met.any()
    np.testing.assert_allclose(a.z0, system.observe(system.large_state[None]), atol=1e-12)


def test_a_periodic_tile_is_a_crystal_of_its_own() -> None:
    pairs, embedded = (pairs_of(a, 0.5, stream(0, "t")) for a in (alloy("periodic"), alloy()))
    assert pairs.dz.shape == embedded.dz.shape and not np.array_equal(pairs.dz, embedded.dz)


def test_small_runs_keep_their_composition_and_count_their_bonds() -> None:
    system = alloy()
    run = system.small_trajectory(20.0, CONDITION, stream(0, "s"))
    counts = np.array([np.bincount(state, minlength=4) for state in run.states])
    assert np.all(counts == counts[0]) and counts[0, UNLIKE] == 0
    assert run.tau_w == 1.0 and np.all(run.extra == 0)
    recount = [system.order.state(system.bonds(s, system.small), 128) for s in run.states]
    np.testing.assert_allclose(run.z[run.kept], recount, atol=1e-12)


def test_upsampled_states_have_the_order_of_the_small_one() -> None:
    system = alloy()
    small = system.small_trajectory(50.0, CONDITION, stream(0, "u"))
    large, seam = system.upsample(small.states[-1], 1.0, CONDITION, stream(0, "up"))
    assert np.all(np.bincount(large) == 8 * np.bincount(small.states[-1]))
    z = system.order.state(system.bonds(large, system.large), system.large.n_sites)
    late = small.z[len(small.z) // 2 :]
    assert np.all(np.abs(z - late.mean(axis=0)) < 4 * late.std(axis=0)) and seam.shape == (2, 6)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("system.buffer_cells=0", "system.buffer_cells must be at least 1, not 0"),
        ("system.potential=gone.alloy", "gone.alloy"),
        ("system.composition=Nb0.5W0.5", "W not among the model's"),
        ("system.boundary=open", "system.boundary must be one of"),
        ("system.small_size=[7, 8, 8]", "does not divide"),
    ],
)
def test_bad_settings_are_named(override: str, message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        swap_alloy_from_config(load_config("nbmota-swap", False, (override,)))


def test_a_potential_may_be_one_that_ships() -> None:
    named = ("system.potential=NbMoTa.eam.alloy",)
    system, notes = swap_alloy_from_config(load_config("nbmota-swap", False, named))
    assert system.species == ("Nb", "Mo", "Ta") and "NbMoTa.eam.alloy" in notes[-1]


@pytest.mark.parametrize("boundary", ["embedded", "periodic"])
def test_chosen_patches_do_what_they_do_among_all(boundary: str) -> None:
    """The same bytes, whoever else evolves, and the factor K of all."""
    system = alloy(boundary)
    dt = 0.2
    every, some = (
        system.increments(
            system.plan(dt=dt),
            system.large_state[None],
            no_closure,
            CONDITION,
            np.random.default_rng(stream(0, "chosen")),
            patches,
        )
        for patches in (0, 3)
    )
    assert every.patch is None and some.patch is not None and some.met is not None
    assert some.n_patches == 8 and len(np.unique(some.patch)) == 3
    np.testing.assert_array_equal(some.dz[0], every.dz[0][some.patch[0]])
    np.testing.assert_array_equal(some.z0, every.z0)
    assert every.met is not None
    np.testing.assert_array_equal(some.met[0], every.met[0][some.patch[0]])
