"""Spin models as systems: observables, random states, runs, rates."""

import numpy as np
import pytest

from macro_ase.analysis.exact_curie_weiss import ExactCurieWeiss
from macro_ase.systems.curie_weiss import CurieWeissSystem
from macro_ase.systems.ising import IsingSystem
from macro_ase.systems.spin_system import SpinSystem

ISING, MEAN_FIELD = IsingSystem(2.5, 0.1), CurieWeissSystem(1.1, 0.1)


def test_observables() -> None:
    board = (np.indices((4, 4)).sum(axis=0) % 2 * 2 - 1).astype(np.int8).reshape(1, -1)
    np.testing.assert_allclose(ISING.observe(board, 4), [[0, 1]])
    np.testing.assert_allclose(ISING.observe(np.ones((1, 16), np.int8), 4), [[1, 0]])
    np.testing.assert_allclose(MEAN_FIELD.observe(board, 4), [[0]])


@pytest.mark.parametrize("system", [ISING, MEAN_FIELD])
def test_energies_follow_from_observables(system: SpinSystem) -> None:
    spins = system.random_states(8, [-0.5, 0.0, 0.25], 1)
    exact = system.ensemble(spins, 8, 0).energy / 64
    np.testing.assert_allclose(system.energy(system.observe(spins, 8)), exact)


@pytest.mark.parametrize("system", [ISING, MEAN_FIELD])
def test_random_states_and_runs(system: SpinSystem) -> None:
    spins = system.random_states(8, [-0.5, 0.25], 1)
    np.testing.assert_allclose(spins.mean(axis=1), [-0.5, 0.25])
    z, states = system.run(spins, 8, [0.0, 1.0, 3.0], 2)
    np.testing.assert_allclose(z[:, 0], system.observe(spins, 8))
    np.testing.assert_allclose(z[:, 2], system.observe(states[:, 2], 8))
    assert system.direct(spins, 8, [0.0, 1.0], 3).shape == (2, 2, len(system.names))


@pytest.mark.parametrize("system", [ISING, MEAN_FIELD])
def test_rates_predict_the_first_moments_of_short_runs(system: SpinSystem) -> None:
    """Mean change over a short time against the rates of the same states, all sites the core."""
    side, dt, n = 8, 0.02, 20_000
    spins = system.random_states(side, [0.25], 0)
    ensemble = system.ensemble(spins, side, 0)
    rates = system.core_rates(ensemble, np.arange(side**2))[0]
    many = system.ensemble(np.repeat(spins, n, axis=0), side, 1)
    change = many.advance(dt)[:, 0][:, system.core_columns]
    error = change.std(axis=0) / np.sqrt(n)
    assert np.all(np.abs(change.mean(axis=0) / dt - rates) < 4 * error / dt + 0.03 * np.abs(rates))
    wrong = rates * [-1.0] * len(rates)
    assert np.any(np.abs(change.mean(axis=0) / dt - wrong) > 8 * error / dt)


def test_curie_weiss_runs_have_the_exact_mean() -> None:
    times = np.array([0.0, 3.0, 20.0])
    spins = MEAN_FIELD.random_states(16, np.full(2000, -0.5), 0)
    m = MEAN_FIELD.direct(spins, 16, times, 1)[..., 0]
    mean, std = ExactCurieWeiss(256, 1.1, 0.1).moments(-0.5, times)
    assert np.all(np.abs(m.mean(axis=0) - mean) < 4 * std / np.sqrt(2000) + 1e-9)


def test_refusals() -> None:
    for temperature in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="temperature must be above 0"):
            IsingSystem(temperature, 0.1)
