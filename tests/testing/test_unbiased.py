"""Mean increments of patches against those of wholes."""

import numpy as np
import pytest
from scipy import stats

from macro_ase.testing import assert_unbiased, check_unbiased


def increments(drift: float, n: int, seed: int, k: int = 0) -> np.ndarray:
    """Of two observables, the second without noise or drift."""
    rng, shape = np.random.default_rng(seed), (n, k, 1) if k else (n, 1)
    moving = rng.normal(drift, 1.0, shape)
    return np.concatenate([moving, np.full_like(moving, 0.5)], axis=-1)


def test_false_alarms_are_as_rare_as_stated() -> None:
    level, runs = 0.1, 150
    found = [
        check_unbiased(increments(1, 40, k, 4), increments(1, 40, 999 + k), false_alarm=level)
        for k in range(runs)
    ]
    share = np.mean([c.rejected for c in found])  # of two observables one never changes
    assert 0.01 < share < level


def test_bias_is_found_and_named() -> None:
    wholes = increments(-0.5, 4000, 0)
    assert_unbiased(increments(-0.5, 1000, 1, 8), wholes)
    with pytest.raises(AssertionError, match=r"and 4000 wholes: differ; .*observable 0"):
        assert_unbiased(increments(-0.4, 1000, 1, 8), wholes)


@pytest.mark.parametrize("paired", [False, True])
def test_it_is_the_usual_t_test(paired: bool) -> None:
    a, b = (np.random.default_rng(k).normal(k, 1 + k, (30, 2)) for k in (0, 1))
    usual = stats.ttest_rel(a, b) if paired else stats.ttest_ind(a, b, equal_var=False)
    found = check_unbiased(a, b, paired=paired).statistics
    np.testing.assert_allclose([s.value for s in found], usual.statistic)
    np.testing.assert_allclose([s.p_value for s in found], usual.pvalue)


def test_pairs_of_different_states_lose_what_states_differ_in() -> None:
    drift = 2 * np.random.default_rng(0).normal(size=(200, 1)) + 1
    patches, wholes = (drift + 0.1 * np.random.default_rng(k).normal(size=(200, 1)) for k in (1, 2))
    assert check_unbiased(patches, wholes).blind
    assert_unbiased(patches, wholes, paired=True)
    assert check_unbiased(patches + 0.1, wholes, paired=True).rejected


def test_where_nothing_drifts_there_is_no_verdict() -> None:
    found = check_unbiased(increments(0.0, 500, 0)[:, :1], increments(0.0, 500, 1)[:, :1])
    assert found.blind and not found.rejected


@pytest.mark.parametrize(
    ("patches", "wholes", "words"),
    [
        (np.zeros((5, 2)), np.zeros((5, 3)), r"wholes must have shape \(any, 2\)"),
        (np.zeros((1, 2)), np.zeros((5, 2)), "at least 2 repeats"),
        (np.zeros(5), np.zeros((5, 2)), "patches must have shape"),
    ],
)
def test_bad_input_is_refused(patches: np.ndarray, wholes: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_unbiased(patches, wholes)
