"""Drift, diffusion and the stationary law of one variable, on a double well that is known."""

import numpy as np
import pytest

from macro_ase.analysis.stationary_law import (
    GRID,
    PolynomialFit,
    Table,
    drift_difference,
    moments,
    path_means,
    sample_moments,
    stationary_density,
    stationary_moments,
)
from macro_ase.rng import stream

DT, N_SITES, T = 0.25, 256, 2.27
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def well(temperature: float = T) -> Table:
    """A double well whose stationary law is known, with noise that depends on m."""
    diffusion = (0.8 - 0.5 * GRID**2) / N_SITES
    slope = 24 * GRID - 30 * GRID**3 - 200 * (temperature - T) * GRID  # of ln p
    return Table(diffusion * slope / 2 - 0.5 * GRID / N_SITES, diffusion, 0.98)


def chains(temperature: float = T, noise: float = 1.0, seed: int = 0) -> Rows:
    """m, mean and dm of independent snapshots of the well, shape (128, 600)."""
    rng, own = np.random.default_rng(seed), well(temperature)
    law = stationary_density(own)
    m = rng.choice(GRID, size=(128, 600), p=law / law.sum())
    drift, diffusion = (np.interp(m, GRID, x) for x in (own.drift, own.diffusion))
    mean = drift * DT + rng.normal(0, 0.002, m.shape)
    return m, mean, drift * DT + np.sqrt(noise * diffusion * DT) * rng.normal(size=m.shape)


def test_the_stationary_law_is_the_known_one() -> None:
    exact = np.exp(12 * GRID**2 - 7.5 * GRID**4) * (np.abs(GRID) <= 0.98)
    law = stationary_density(well())
    np.testing.assert_allclose(law / law.max(), exact / exact.max(), rtol=2e-3, atol=1e-9)


def test_moments_of_perfect_order() -> None:
    np.testing.assert_allclose(moments(np.ones(3), 100, 2.0), [1, 0, 2 / 3], atol=1e-12)


def test_least_squares_finds_it_too() -> None:
    value, error = PolynomialFit.of(chains(), DT, 16).moments(N_SITES, T, 40)
    exact = stationary_moments(well(), N_SITES, T)
    assert np.all(np.abs(value - exact) < 4 * error + 0.005 * exact)
    twice, error = PolynomialFit.of(chains(noise=2.0), DT, 16).moments(N_SITES, T, 40)
    assert abs(twice[1] - exact[1]) > 10 * error[1]  # the negative control: another noise


def test_samples_have_its_moments() -> None:
    exact = stationary_moments(well(), N_SITES, T)
    value, error = sample_moments(chains()[0], N_SITES, T)
    assert np.all(np.abs(value - exact) < 4 * error) and np.all(error < 0.05 * exact)


def test_paths_of_linear_relaxation() -> None:
    """m is normal with variance D / 2k; twice the noise shows."""
    means = [
        path_means(Table(-0.05 * GRID, np.full_like(GRID, D)), 0.1, 4000.0, 100, stream(0, "test"))
        for D in (0.005, 0.01)
    ]
    exact = [np.sqrt(0.1 / np.pi), 0.05, 3 * 0.05**2]
    assert means[0].mean(axis=0)[:3] == pytest.approx(exact, rel=0.05)
    assert means[1].mean(axis=0)[1] == pytest.approx(0.1, rel=0.05)
    assert means[0][:, 3].mean() < 1e-4 < means[1][:, 3].mean()


@pytest.mark.parametrize(("shift", "passes"), [(0.0, True), (0.0005, False)])
def test_drifts_of_two_samples(shift: float, passes: bool) -> None:
    """A drift that is off by a tenth of its size is told."""
    (m, mean, _), (other, moved, _) = chains(seed=1), chains(seed=2)
    chi2, chance = drift_difference((m, mean), (other, moved + shift * np.sign(other)))
    assert (chance > 0.001) is passes
    assert (chi2 < 3) is passes
