"""Blocking, jackknife and bootstrap against the exact values of AR(1)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from macro_ase.analysis.resampling import block_count, blocking, bootstrap, jackknife

PHI, LENGTH, RUNS = 0.8, 6000, 400
EXACT_ERROR = np.sqrt((1 + PHI) / (1 - PHI) / (1 - PHI**2) / LENGTH)


def ar1(phi: float = PHI, n_t: int = LENGTH, n_series: int = RUNS, seed: int = 0) -> np.ndarray:
    """Stationary AR(1), shape (n_series, n_t), with exact variance 1 / (1 - phi^2)."""
    noise = np.random.default_rng(seed).normal(size=(n_series, n_t))
    noise[:, 0] /= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=1)


def variance(mean: float, mean_square: float) -> float:
    return mean_square - mean**2


def cumulant(m2: float, m4: float) -> float:
    """Binder's, which is 0 for Gaussian variables."""
    return 1 - m4 / (3 * m2**2)


Estimator = Callable[[np.ndarray], tuple[Any, Any]]


def coverage(estimate: Estimator, truth: float, runs: int = RUNS, n_t: int = LENGTH) -> float:
    """Part of the runs whose error bar covers the truth; .683 when the bars are right."""
    found = np.array([estimate(x) for x in ar1(n_t=n_t, n_series=runs)])
    return float(np.mean(np.abs(found[:, 0] - truth) < found[:, 1]))


ESTIMATORS: dict[str, tuple[Estimator, float]] = {
    "mean, blocking": (lambda x: (x.mean(), blocking(x).error), 0.0),
    "mean, jackknife": (lambda x: jackknife(lambda a: a, x), 0.0),
    "variance, jackknife": (lambda x: jackknife(variance, x, x**2), 1 / (1 - PHI**2)),
    "cumulant, jackknife": (lambda x: jackknife(cumulant, x**2, x**4), 0.0),
    "cumulant, bootstrap": (lambda x: bootstrap(cumulant, x**2, x**4, resamples=60), 0.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTIMATORS)
def test_error_bars_cover_the_truth(name: str) -> None:
    assert coverage(*ESTIMATORS[name]) == pytest.approx(0.683, abs=4 * np.sqrt(0.22 / RUNS))


@pytest.mark.slow
def test_negative_control_bars_that_ignore_memory_do_not_cover() -> None:
    naive = coverage(lambda x: (x.mean(), x.std() / np.sqrt(LENGTH)), 0.0)
    single = coverage(lambda x: jackknife(variance, x, x**2, n_blocks=800), 2.78, 160, 800)
    assert naive < 0.4 and single < 0.5


def test_blocking_finds_the_exact_error() -> None:
    found = [blocking(x) for x in ar1(n_series=100)]
    errors = np.array([b.error for b in found])
    assert all(b.plateau for b in found)
    assert errors.mean() == pytest.approx(EXACT_ERROR, rel=0.08)
    claimed = np.mean([b.error_of_error for b in found])
    assert errors.std() == pytest.approx(claimed, rel=0.5)


def test_blocking_says_when_the_series_is_too_short() -> None:
    assert not blocking(np.arange(64.0)).plateau


def test_blocking_of_independent_samples_is_the_naive_error() -> None:
    x = np.random.default_rng(1).normal(size=4096)
    first = blocking(x)
    assert first.errors[0] == pytest.approx(x.std(ddof=1) / 64)
    assert first.error == pytest.approx(first.errors[0], rel=0.3)
    assert first.lengths.tolist() == [2**k for k in range(12)]


@pytest.mark.slow
def test_jackknife_removes_the_bias_of_a_square() -> None:
    """The mean of n independent normals squared has mean 1 / n; the jackknife's is 0."""
    x = np.random.default_rng(2).normal(size=(2000, 40))
    plain = (x.mean(axis=1) ** 2).mean()
    corrected = np.mean([jackknife(np.square, row, n_blocks=40)[0] for row in x])
    assert plain == pytest.approx(1 / 40, rel=0.15)
    assert abs(corrected) < 4 * np.sqrt(2) / 40 / np.sqrt(2000)


def test_jackknife_of_a_mean_with_single_samples_is_the_textbook_error() -> None:
    x = np.random.default_rng(3).normal(size=50)
    value, error = jackknife(lambda a: a, x, n_blocks=50)
    assert float(value) == pytest.approx(x.mean())
    assert float(error) == pytest.approx(x.std(ddof=1) / np.sqrt(50))


def test_functions_may_take_and_return_arrays() -> None:
    x = np.random.default_rng(4).normal(size=(100, 3))
    value, error = jackknife(lambda a, b: np.array([a.sum(), b.max()]), x, x**2)
    again, spread = bootstrap(lambda a, b: np.array([a.sum(), b.max()]), x, x**2)
    assert value.shape == error.shape == again.shape == spread.shape == (2,)
    assert spread == pytest.approx(error, rel=0.4)


def test_blocks_grow_with_memory() -> None:
    fast, slow = block_count(ar1(0.0)[0]), block_count(ar1(0.95)[0])
    assert slow < fast / 4
    assert block_count(ar1(0.95)[0], ar1(0.0)[0]) == slow


def test_bootstrap_repeats_itself() -> None:
    x = ar1()[0]
    assert bootstrap(np.square, x)[1] == bootstrap(np.square, x, rng=0)[1]
    assert bootstrap(np.square, x)[1] != bootstrap(np.square, x, rng=1)[1]


def test_one_sample_has_no_known_error() -> None:
    for resample in (jackknife, bootstrap):
        value, error = resample(np.square, [3.0])
        assert value == 9 and np.isnan(error)


def test_bad_series_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        jackknife(np.add, [1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="n_blocks must be from 2 to 3, not 4"):
        jackknife(np.square, [1.0, 2.0, 3.0], n_blocks=4)
    with pytest.raises(ValueError, match="2 samples or more"):
        blocking([[1.0], [2.0]])
