"""Errors of means over runs and late moments, on noise whose law is known."""

import numpy as np
import pytest

from macro_ase.analysis.run_errors import errors_of_few, first_peak, late_moments, mean_errors


def test_errors_and_moments() -> None:
    """Of white noise: the floor is 2 sigma^2 / n, late moments lie within their errors."""
    rng = np.random.default_rng(0)
    true = np.ones((2, 40, 30, 1)) + rng.normal(0, 0.1, (2, 40, 30, 1))
    shifted = true + 0.3
    np.testing.assert_allclose(mean_errors(shifted.mean(1), true.mean(1)), 0.09, rtol=0.02)
    again = np.ones((2, 40, 30, 1)) + rng.normal(0, 0.1, (2, 40, 30, 1))
    floor = mean_errors(again.mean(1), true.mean(1)).mean()
    assert floor == pytest.approx(2 * 0.01 / 40, rel=0.3)
    assert errors_of_few(again, true, 10) == pytest.approx(2 * 0.01 / 10, rel=0.3)
    other = np.concatenate([true, true + 0.1], axis=1)  # two models that disagree
    assert late_moments(other, 2).mean_error[0] == pytest.approx(0.05)
    late = late_moments(true)
    assert abs(late.mean[0] - 1) < 4 * late.mean_error[0]
    assert abs(late.std[0] - 0.1) < 4 * late.std_error[0]


def test_the_first_peak_is_not_the_start() -> None:
    assert first_peak(np.array([9.0, 1.0, 3.0, 2.0])) == 3.0
