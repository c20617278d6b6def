"""Relaxed snapshots: their law against exact ones, their cost, and what patches do from them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from macro_ase.analysis.exact_ising import density_of_states, exact_torus
from macro_ase.systems.critical_chains import (
    WHOLE,
    CriticalSampling,
    chain,
    chain_chunk,
    wolff_chain,
    wolff_chunk,
)

SAMPLING = CriticalSampling(2.27, 16, 8, 5.0, 20, 4, 60)
SYSTEM = SAMPLING.system


@pytest.mark.parametrize("snapshots", [chain, wolff_chain])
def test_snapshots_have_the_law_of_all_states(snapshots: Callable[..., Iterator]) -> None:
    """<|m|> and <m^2> of 4 x 4 spins against all 65,536 states; at another T it shows."""
    sampling = CriticalSampling(2.27, 4, 4, 5.0, 0, 2, 300)
    m = np.array([spins.mean(axis=1) for spins in snapshots(sampling, np.random.default_rng(0))])
    density = density_of_states((4, 4))
    own = np.abs(density.magnetisation) / 16
    for power in (1, 2):
        by_chain = (np.abs(m[50:]) ** power).mean(axis=0)
        exact, warmer = (density.probabilities(T) @ own**power for T in (2.27, 2.4))
        error = by_chain.std(ddof=1) / 8
        assert abs(by_chain.mean() - exact) < 4 * error < abs(warmer - exact)


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


def test_attempts_are_sites_times_sweeps() -> None:
    attempts = SAMPLING.attempts((0.25, 1))
    assert attempts == {
        "small runs": 64 * 8**2 * 5,
        "relaxation": 64 * 16**2 * (20 + 60 * 4),
        "patches": 64 * 60 * 4 * 10**2 * 0.25,
    }
    assert SAMPLING.attempts((0.25, 4))["patches"] == 64 * 60 * 4 * 16**2 * 0.25  # the whole moves
    grown = replace(SAMPLING, side=48).repetitions
    assert [(factor, side) for factor, side, _ in grown] == [(2, 16), (3, 48)]
    assert grown[1][2] == pytest.approx(20 * 3**2.17, abs=1)


@pytest.mark.slow
def test_chunks() -> None:
    """Bytes are those of seed, stage and number; patches and wholes do the same on average."""
    ways = [(0.25, 1), (0.25, WHOLE)]
    one, two, other = (chain_chunk(SAMPLING, ways, 0, "test", number) for number in (3, 3, 4))
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    assert not np.array_equal(one["m"], other["m"])
    wolff = wolff_chunk(SAMPLING, ways, 0)
    for rows in (one, wolff):
        assert rows["m"].shape == (64, 60) and rows["dm"].shape == (2, 64, 60)
        noise = rows["dm"] - rows["mean"]
        assert np.all(np.abs(noise.mean(axis=(1, 2))) < 4 * noise.std() / np.sqrt(noise[0].size))
        assert (noise[0].var() / noise[1].var()) == pytest.approx(1, abs=0.1)
        assert rows["square"][1] == pytest.approx(rows["dm"][1] ** 2, rel=1e-5)  # one patch
        assert (rows["square"][0] / rows["dm"][0].var()).mean() == pytest.approx(4, rel=0.1)
