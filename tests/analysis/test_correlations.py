"""Correlations against the exact Ising chain and against enumeration in two dimensions."""

import numpy as np
import pytest

from macro_ase.analysis.correlations import (
    correlation_function,
    correlation_length,
    structure_factor,
)

LENGTH, TANH_K = 16, 0.7


def chains(samples: int, seed: int = 0) -> np.ndarray:
    """Independent periodic Ising chains: a domain wall a bond with odds (1 - v) / (1 + v).

    Bonds are independent but for the closing one: open chains are drawn, and kept with the
    weight of their closing bond.
    """
    rng = np.random.default_rng(seed)
    wall = (1 - TANH_K) / 2
    drawn = 3 * samples
    turns = np.where(rng.random((drawn, LENGTH)) < wall, -1, 1)
    turns[:, 0] = rng.choice([-1, 1], drawn)
    spins = np.cumprod(turns, axis=1)
    closing = np.where(spins[:, 0] == spins[:, -1], 1.0, wall / (1 - wall))
    return spins[rng.random(drawn) < closing][:samples]


def test_the_chain_is_exact() -> None:
    """G(r) = (v^r + v^(L - r)) / (1 + v^L) with v = tanh K, from the transfer matrix."""
    value, error = correlation_function(chains(8000))
    r = np.arange(LENGTH // 2 + 1)

    def exact(v: float) -> np.ndarray:
        return (v**r + v ** (LENGTH - r)) / (1 + v**LENGTH)

    assert value[0] == pytest.approx(1, abs=1e-12)
    assert np.abs((value - exact(TANH_K))[1:] / error[1:]).max() < 4
    assert np.abs((value - exact(0.95 * TANH_K))[1:] / error[1:]).max() > 4


def test_the_length_of_the_chain_is_exact() -> None:
    """S(0) / S(k) = 1 + 4 v sin^2(k/2) / (1 - v)^2 at any L, so xi = sqrt(v) / (1 - v)."""
    value, error = correlation_length(chains(8000))
    assert 0 < error < 0.1
    assert abs(value - np.sqrt(TANH_K) / (1 - TANH_K)) < 4 * error
    assert abs(value - np.sqrt(0.6) / (1 - 0.6)) > 4 * error


def test_the_error_of_the_length_is_calibrated() -> None:
    found = np.array([correlation_length(chains(400, seed)) for seed in range(150)])
    assert found[:, 0].std() / np.sqrt((found[:, 1] ** 2).mean()) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("temperature", [2.5, 8.0])
def test_two_dimensions_are_exact(ising, temperature: float) -> None:
    states, run = ising.draw(temperature, 20_000, seed=0)
    value, error = correlation_function(ising.spins[states])
    far = ising.spins * np.roll(ising.spins, 2, axis=1)
    exact = ising.probabilities(temperature) @ far.mean(axis=(1, 2))
    assert value[1] == pytest.approx(-run.energy.mean() / 2)
    assert abs(value[2] - exact) < 4 * error[2]


def test_high_temperature_decays_as_the_series_says(ising) -> None:
    """G(1) = v + 2 v^3 + O(v^5) on a square lattice large enough; L = 4 adds v^3 winding once."""
    temperature = 8.0
    v = np.tanh(1 / temperature)
    states, _ = ising.draw(temperature, 40_000, seed=1)
    value, error = correlation_function(ising.spins[states])
    assert abs(value[1] - (v + 3 * v**3)) < 4 * error[1] + 20 * v**5


def test_structure_factor_of_a_wave_and_of_noise() -> None:
    x = np.arange(8)
    wave = np.cos(2 * np.pi * 2 * x / 8)[None, :, None] * np.ones((1, 8, 8))
    factor = structure_factor(wave)[0]
    assert factor[2, 0] == pytest.approx(16) and factor[6, 0] == pytest.approx(16)
    assert factor.sum() == pytest.approx(32)
    noise = np.random.default_rng(0).normal(size=(4000, 6, 6))
    np.testing.assert_allclose(structure_factor(noise).mean(axis=0), 1, atol=0.12)


def test_fourier_equals_the_direct_sum() -> None:
    states = np.random.default_rng(1).normal(size=(3, 5, 5, 5))
    direct = [
        np.mean([(states * np.roll(states, r, axis=a)).mean() for a in (1, 2, 3)]) for r in range(3)
    ]
    np.testing.assert_allclose(correlation_function(states)[0], direct, atol=1e-12)


def test_bad_boxes_are_refused() -> None:
    with pytest.raises(ValueError, match="equal edges, not"):
        correlation_function(np.ones((2, 4, 5)))
    with pytest.raises(ValueError, match="equal edges of 2 or more"):
        correlation_length(np.ones((2, 4, 5)))
    with pytest.raises(ValueError, match="shape"):
        structure_factor(np.ones(4))
