"""MMD against a double loop, and for normal laws against its closed form."""

import numpy as np
import pytest

from macro_ase.analysis.mmd import (
    mean_kernel,
    squared_mmd,
    squared_mmd_with_error,
    standardise,
)

RNG = np.random.default_rng(0)
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def by_loops(x: np.ndarray, y: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        distance = ((a - b) ** 2).sum()
        return float(np.mean([np.exp(-distance / (2 * s**2)) for s in WIDTHS]))

    total = 0.0
    for t in range(x.shape[1]):
        xx = np.mean([kernel(a, b) for a in x[:, t] for b in x[:, t]])
        yy = np.mean([kernel(a, b) for a in y[:, t] for b in y[:, t]])
        xy = np.mean([kernel(a, b) for a in x[:, t] for b in y[:, t]])
        total += xx + yy - 2 * xy
    return total / x.shape[1]


def test_two_points_a_unit_apart_by_hand() -> None:
    """2 - 2 k, k the mean of exp(-8), exp(-2), exp(-1/2), exp(-1/8), exp(-1/32), exp(-1/128)."""
    kernel = (0.000335463 + 0.135335283 + 0.606530660 + 0.882496903 + 0.969233234 + 0.992217938) / 6
    assert squared_mmd(np.zeros((1, 1, 1)), np.ones((1, 1, 1))) == pytest.approx(2 - 2 * kernel)


def test_against_a_double_loop() -> None:
    x, y = RNG.normal(size=(5, 3, 2)), 0.4 + RNG.normal(size=(7, 3, 2))
    assert squared_mmd(x, y) == pytest.approx(by_loops(x, y), rel=1e-12)
    assert squared_mmd(x, x) == pytest.approx(0.0, abs=1e-14)
    kernel = mean_kernel(x)
    np.testing.assert_allclose(np.diag(kernel), 1.0)
    np.testing.assert_allclose(kernel, kernel.T)


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "spread"), [(0.5, 1.0), (0.0, 2.0), (0.0, 1.0)])
def test_normal_laws_against_the_closed_form(shift: float, spread: float) -> None:
    """E k(a, b) = s / sqrt(v) exp(-d^2 / (2 v)), v = s^2 + both variances; plus the bias."""
    n, times = 300, 20
    x, y = RNG.normal(size=(n, times, 1)), shift + spread * RNG.normal(size=(n, times, 1))
    s = np.array(WIDTHS)

    def expected(d: float, variance: float) -> float:
        v = s**2 + variance
        return float(np.mean(s / np.sqrt(v) * np.exp(-(d**2) / (2 * v))))

    own, other = expected(0, 2.0), expected(0, 2 * spread**2)
    exact = own + other - 2 * expected(shift, 1 + spread**2)
    bias = (2 - own - other) / n
    value, error = squared_mmd_with_error([x], [y])
    assert value == pytest.approx(exact + bias, abs=4 * max(error, bias / np.sqrt(times)))
    if exact > 0:
        assert value > 5 * bias  # a wrong law is told from the right one


def test_error_is_the_scatter_of_repeated_draws() -> None:
    def draw() -> tuple[float, float]:
        x, y = RNG.normal(size=(2, 40, 1, 2))
        return squared_mmd_with_error([x], [y + 0.8])

    values, errors = np.array([draw() for _ in range(60)]).T
    assert errors.mean() == pytest.approx(values.std(), rel=0.35)


def test_sets_are_averaged_and_scales_are_those_of_the_truth() -> None:
    x, y = RNG.normal(size=(2, 2, 10, 4, 2))
    parts = [squared_mmd(a, b) for a, b in zip(x, y)]
    assert squared_mmd_with_error(x, y)[0] == pytest.approx(np.mean(parts))
    true, other = standardise(5 + 3 * x, 5 + 3 * y)
    np.testing.assert_allclose(true.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(true.std(axis=(0, 1, 2)), 1)
    np.testing.assert_allclose(np.diff(other, axis=0) * x.std(axis=(0, 1, 2)), np.diff(y, axis=0))


def test_refusals() -> None:
    x = RNG.normal(size=(3, 4, 2))
    with pytest.raises(ValueError, match="cannot be compared"):
        squared_mmd(x, x[:, :2])
    with pytest.raises(ValueError, match="1 sets of true paths and 2 of predicted"):
        squared_mmd_with_error([x], [x, x])
