"""Paths of one variable: the law of a double well, linear relaxation, lines beyond the tables."""

import numpy as np

from macro_ase.analysis.stationary_law import GRID, Table, moments, stationary_moments
from macro_ase.kinetics.one_variable_sde import path_moments
from macro_ase.rng import kernel_state

SPACING = GRID[1] - GRID[0]


def run(table: Table, dt: float, pairs: int, paths: int = 200, seed: int = 0) -> np.ndarray:
    sums, start = np.empty((paths, 4)), np.zeros(paths)
    where = (GRID[0], SPACING, table.drift, np.sqrt(table.diffusion))
    path_moments(start, *where, dt, pairs // 10, pairs, sums, kernel_state(seed))
    return sums


def double_well() -> Table:
    """b = 4 m (.36 - m^2) and a diffusion that depends on m, in the sense of Ito."""
    return Table(4 * GRID * (0.36 - GRID**2), 0.2 * (1.3 - GRID**2), 1.1)


def test_paths_have_the_stationary_law_of_a_double_well() -> None:
    exact = stationary_moments(double_well(), 100, 2.0)
    sums = run(double_well(), 0.01, 20_000)
    value = moments(sums[:, :3].mean(axis=0), 100, 2.0)
    drawn = np.random.default_rng(0).integers(len(sums), size=(200, len(sums)))
    error = moments(sums[drawn, :3].mean(axis=1), 100, 2.0).std(axis=0)
    assert np.all(np.abs(value - exact) < 4 * error + 0.01 * np.abs(exact))


def test_a_tuned_noise_would_be_noticed() -> None:
    """The negative control: half the noise, as a lambda of 2 would give."""
    own = double_well()
    exact = stationary_moments(own, 100, 2.0)
    sums = run(Table(own.drift, own.diffusion / 2, own.reach), 0.01, 20_000)
    value = moments(sums[:, :3].mean(axis=0), 100, 2.0)
    assert abs(value[1] / exact[1] - 1) > 0.2


def test_linear_relaxation() -> None:
    """Euler-Maruyama of dx = -k x dt + s dW has the variance s^2 / (2 k - k^2 dt)."""
    k, noise, dt = 0.5, 0.02, 0.5
    table = Table(-k * GRID, np.full_like(GRID, noise), 1.1)
    sums = run(table, dt, 20_000)
    exact = noise / (2 * k - k**2 * dt)
    error = sums[:, 1].std() / np.sqrt(len(sums))
    assert abs(sums[:, 1].mean() - exact) < 4 * error
    assert abs(noise / (2 * k) - exact) > 10 * error  # the step is part of the law


def test_nothing_is_cut() -> None:
    """A well that lies beyond the table: the last line goes on."""
    table = Table(1.5 - GRID, np.full_like(GRID, 0.01), 1.1)
    sums = run(table, 0.05, 4000, paths=20)
    np.testing.assert_allclose(sums[:, 0], 1.5, atol=0.05)
    assert np.all(sums[:, 3] > 0.9)


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two = (run(double_well(), 0.1, 100, paths=3, seed=4).tobytes() for _ in range(2))
    assert one == two
