"""Exponents and comparisons of points that scale exactly."""

import numpy as np
import pytest

from macro_ase.analysis.critical_points import (
    CRITICAL_TEMPERATURE,
    EXACT,
    Comparison,
    Points,
    Scores,
    scaled,
    scaled_temperature,
)

SIZES, TEMPERATURES = (16, 32, 64), (2.25, 2.26, 2.27, 2.28, 2.29)


def law(sizes: np.ndarray, temperatures: np.ndarray) -> np.ndarray:
    """Of <|m|>, chi' and U with the exact exponents, shape (..., 3)."""
    L = np.asarray(sizes, dtype=float)
    x = (temperatures - CRITICAL_TEMPERATURE) * L
    m, u = L ** (-1 / 8) * np.exp(-0.1 * x), 0.61 - 0.05 * x - 0.01 * x**2
    return np.stack([m, 0.03 * L**1.75 * np.exp(0.2 * x - 0.05 * x**2), u], axis=-1)


VALUES = law(np.array(SIZES)[:, None], np.array(TEMPERATURES))


@pytest.mark.slow
def test_exponents_of_exact_power_laws() -> None:
    """Points that scale exactly give the exact exponents; noise shows in the errors."""
    errors = 0.002 * VALUES
    noisy = VALUES + errors * np.random.default_rng(1).normal(size=VALUES.shape)
    points, exact = (
        Points.independent(SIZES, TEMPERATURES, values, errors, 0) for values in (noisy, VALUES)
    )
    for name, (mine, theirs) in Scores.of(points, exact).exponents.items():
        assert theirs[0] == pytest.approx(EXACT[name], abs=1e-6)
        assert 0 < mine[1] < 0.1 and abs(mine[0] - EXACT[name]) < 4 * mine[1]
    crossings = exact.crossings(0)
    assert len(crossings) == 2
    assert crossings[0].temperature == pytest.approx(CRITICAL_TEMPERATURE, abs=1e-4)


def test_errors_of_a_comparison() -> None:
    """`noise` and `floor` are the spread and mean of the mean error over many draws."""
    errors, rng = 0.01 * VALUES, np.random.default_rng(2)
    direct = Points.independent(SIZES, TEMPERATURES, VALUES, 0 * errors, 0)
    found = []
    for _ in range(300):
        noisy = VALUES + errors * rng.normal(size=VALUES.shape)
        own = Points.independent(SIZES, TEMPERATURES, noisy, errors, 0)
        found.append(Comparison.of(own, direct))
    means = np.array([own.mean_errors for own in found])
    assert means.mean(axis=0) == pytest.approx(found[0].floor, rel=0.05)
    assert means.std(axis=0) == pytest.approx(found[0].noise, rel=0.15)


def test_a_small_system_with_exact_exponents_stands_for_a_large_one() -> None:
    """At the temperature of the same correlation length over L; not at the same temperature."""
    ratios = np.array([1.0, 2.0, 4.0])
    where = np.array([[scaled_temperature(T, r) for T in TEMPERATURES] for r in ratios])
    assert scaled_temperature(2.26, 1.0) == pytest.approx(2.26)
    np.testing.assert_allclose(scaled(law(np.array(16), where), ratios), VALUES, rtol=0.02)
    alike = scaled(np.tile(VALUES[:1], (3, 1, 1)), ratios)
    assert np.abs(alike[2] / VALUES[2] - 1)[:, 1].max() > 0.1
