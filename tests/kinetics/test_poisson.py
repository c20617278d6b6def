"""Poisson numbers against their distribution."""

import numba as nb
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from macro_ase.kinetics.poisson import poisson
from macro_ase.rng import kernel_state
from macro_ase.testing import assert_visits


@nb.njit
def draw(mean: float, n: int, rng: NDArray[np.uint64]) -> NDArray[np.int64]:
    out = np.empty(n, dtype=np.int64)
    for i in range(n):
        out[i] = poisson(mean, rng)
    return out


@pytest.mark.parametrize("mean", [0.7, 9.9, 10.1, 37.0, 900.0])
def test_numbers_follow_the_distribution(mean: float) -> None:
    numbers = draw(mean, 100_000, kernel_state(1))
    laws = [stats.poisson.pmf(np.arange(2000), m) for m in (mean, 1.05 * mean)]
    assert_visits(numbers, *laws, values=np.arange(2000))


def test_mean_and_variance_of_large_numbers() -> None:
    mean, n = 1e7, 100_000
    numbers = draw(mean, n, kernel_state(2))
    assert abs(numbers.mean() - mean) < 4 * np.sqrt(mean / n)
    assert abs(numbers.var() / mean - 1) < 4 * np.sqrt(2 / n)


def test_nothing_is_drawn_from_a_mean_of_zero() -> None:
    assert not draw(0.0, 100, kernel_state(0)).any()
