"""Statistics against the exact values of AR(1), x_{t+1} = phi x_t + noise of unit variance."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter

from macro_ase.statistics import (
    autocorrelation,
    autocorrelation_time_error,
    integrated_autocorrelation_time,
    relaxation_time,
    standard_error,
    std_with_error,
)


def ar1(phi: float, n_t: int, n_series: int, seed: int = 0) -> np.ndarray:
    """Stationary AR(1), shape (n_t, n_series), with exact variance 1 / (1 - phi^2)."""
    noise = np.random.default_rng(seed).normal(size=(n_t, n_series))
    noise[0] /= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=0)


def exact_tau(phi: float) -> float:
    return (1 + phi) / (1 - phi) / 2


def by_parts(estimate: Callable[[np.ndarray], np.ndarray], series: np.ndarray) -> np.ndarray:
    """An estimate of every series, of as many at a time as caches hold."""
    return np.concatenate([estimate(part) for part in np.array_split(series, 24, axis=1)], axis=-1)


def calibration(series: np.ndarray, errors: np.ndarray) -> float:
    """Spread of the means over the errors claimed for them: 1 when the errors are right."""
    return float(series.mean(axis=0).std() / np.sqrt((errors**2).mean()))


def test_autocorrelation_of_ar1_is_a_power() -> None:
    rho = autocorrelation(ar1(0.8, 4000, 200)).mean(axis=1)
    np.testing.assert_allclose(rho[:6], 0.8 ** np.arange(6), atol=0.01)


def test_autocorrelation_equals_the_direct_sum() -> None:
    x = np.array([1.0, 3.0, 2.0, 5.0, 4.0]) - 3.0
    direct = [(x[: 5 - t] * x[t:]).mean() / (x**2).mean() for t in range(5)]
    np.testing.assert_allclose(autocorrelation(x), direct, atol=1e-12)


@pytest.mark.parametrize("phi", [-0.3, 0.0, 0.5, 0.9])
def test_tau_of_ar1(phi: float) -> None:
    tau = by_parts(integrated_autocorrelation_time, ar1(phi, 20_000, 100))
    assert tau.shape == (100,)
    assert tau.mean() == pytest.approx(max(0.5, exact_tau(phi)), rel=0.04)


@pytest.mark.parametrize("n_t", [4000, 10_000])
@pytest.mark.parametrize("phi", [0.3, 0.5, 0.9])
@pytest.mark.slow
def test_error_of_tau_is_its_spread(phi: float, n_t: int) -> None:
    """Over 600 series; the window's limit W >> tau, a quarter larger, is rejected."""
    tau = by_parts(integrated_autocorrelation_time, ar1(phi, n_t, 600))
    claimed = autocorrelation_time_error(exact_tau(phi), n_t)
    assert tau.std() / claimed == pytest.approx(1, abs=0.1)
    assert abs(tau.mean() - exact_tau(phi)) < 0.5 * claimed
    wide = exact_tau(phi) * np.sqrt(2 * (10 * exact_tau(phi) + 1) / n_t)
    assert phi < 0.5 or tau.std() / wide < 0.9


def spin_chain(n_spins: int, beta: float, n_t: int, runs: int, seed: int = 0) -> np.ndarray:
    """Mean spin of Ising chains under heat-bath sweeps, even and odd sites in turn, (n_t, runs)."""
    rng = np.random.default_rng(seed)
    spins = rng.choice([-1, 1], size=(runs, n_spins))
    series = np.empty((n_t, runs))
    for t in range(-100, n_t):
        for part in (0, 1):
            field = np.roll(spins, 1, axis=1) + np.roll(spins, -1, axis=1)
            up = 1 / (1 + np.exp(-2 * beta * field[:, part::2]))
            spins[:, part::2] = np.where(rng.random(up.shape) < up, 1, -1)
        series[t] = spins.mean(axis=1)
    return series


@pytest.mark.slow
def test_error_of_tau_of_spin_chains() -> None:
    tau = by_parts(integrated_autocorrelation_time, spin_chain(12, 0.5, 2000, 500))
    assert tau.mean() > 2
    assert tau.std() / autocorrelation_time_error(tau.mean(), 2000) == pytest.approx(1, abs=0.13)


LONG = pytest.param(0.95, 4000, marks=pytest.mark.slow)


@pytest.mark.parametrize(("phi", "n_t"), [(0.0, 200), (0.5, 300), (0.9, 600), LONG])
def test_errors_of_the_mean_are_calibrated(phi: float, n_t: int) -> None:
    series = ar1(phi, n_t, 3000)
    assert calibration(series, by_parts(standard_error, series)) == pytest.approx(1, abs=0.1)


def test_negative_control_the_naive_error_is_rejected() -> None:
    series = ar1(0.9, 600, 3000)
    naive = series.std(axis=0, ddof=1) / np.sqrt(len(series))
    assert calibration(series, naive) > 3


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_std_and_its_error(phi: float) -> None:
    std, error = by_parts(lambda part: np.array(std_with_error(part)), ar1(phi, 1000, 3000))
    assert std.mean() == pytest.approx(1 / np.sqrt(1 - phi**2), rel=0.01)
    assert std.std() / np.sqrt((error**2).mean()) == pytest.approx(1, abs=0.1)


def test_many_series_at_once_equal_one_at_a_time() -> None:
    series = ar1(0.7, 500, 6).reshape(500, 2, 3)
    together = standard_error(series)
    assert together.shape == (2, 3)
    assert together[1, 2] == pytest.approx(float(standard_error(series[:, 1, 2])))


def test_constant_series_has_no_error() -> None:
    series = np.full((50, 2), 0.1)
    assert np.all(standard_error(series) == 0)
    assert np.all(np.array(std_with_error(series)) == 0)
    assert np.all(integrated_autocorrelation_time(series) == 0.5)


def test_one_sample_has_no_known_error() -> None:
    assert np.all(np.isnan(standard_error(np.ones((1, 3)))))
    assert np.all(np.isnan(std_with_error([2.0])))


def test_a_drift_is_never_given_a_small_error() -> None:
    ramp = np.arange(400.0)
    assert standard_error(ramp) > 0.5 * ramp.std()


def test_no_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        standard_error(np.zeros((0, 3)))


def test_relaxation_time_of_an_exponential() -> None:
    times = np.linspace(0, 10, 2001)
    path = 2 - 3 * np.exp(-times / 1.7)
    assert relaxation_time(times, path, -1.0, 2.0) == pytest.approx(1.7, rel=1e-4)


def test_relaxation_time_interpolates_and_takes_the_first_crossing() -> None:
    times, path = [0.0, 1.0, 2.0, 3.0], [0.0, -0.4, -1.0, -0.2]
    assert relaxation_time(times, path, 0.0, -1.0, level=0.5) == pytest.approx(1 + 1 / 6)


def test_relaxation_time_at_the_edges() -> None:
    assert np.isnan(relaxation_time([0.0, 1.0], [0.0, 0.1], 0.0, 1.0))
    assert relaxation_time([5.0, 6.0], [0.9, 1.0], 0.0, 1.0) == 5.0
    with pytest.raises(ValueError, match="no change"):
        relaxation_time([0.0], [0.0], 1.0, 1.0)
    with pytest.raises(ValueError, match="must match"):
        relaxation_time([0.0, 1.0], [0.0], 0.0, 1.0)
