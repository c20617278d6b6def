"""Clocks and choices of rejection-free samplers."""

import numpy as np
import pytest

from macro_ase.testing import assert_choices, assert_waiting_times, check_choices
from macro_ase.testing import check_waiting_times as check

RATES = np.array([3.0, 1.0, 0.5, 0.0, 0.5])


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_stated() -> None:
    rng, level = np.random.default_rng(0), 0.1
    found = [check(rng.exponential(0.2, 400), 5.0, false_alarm=level) for _ in range(300)]
    share = np.mean([c.rejected for c in found])
    assert 0.03 < share < level + 3 * np.sqrt(level * (1 - level) / 300)


def test_each_time_goes_with_its_own_rate() -> None:
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.5, 5.0, 4000)
    times = rng.exponential(1 / rates)
    assert_waiting_times(times, rates)
    with pytest.raises(AssertionError, match=r"4000 waiting times .*: differ; z of the mean"):
        assert_waiting_times(times, np.roll(rates, 1))


@pytest.mark.parametrize(
    "times",
    [
        lambda rng: rng.exponential(1.1, 4000),  # one event forgotten
        lambda rng: rng.gamma(2.0, 0.5, 4000),  # the right mean, another law
        lambda rng: rng.exponential(1.0, 4000) + 0.05,
    ],
)
def test_wrong_clocks_are_rejected(times) -> None:
    assert check(times(np.random.default_rng(2)), 1.0).rejected


def test_too_few_times_are_no_verdict() -> None:
    assert check(np.random.default_rng(0).exponential(1.0, 50), 1.0).blind


def test_choices_follow_their_rates() -> None:
    rng = np.random.default_rng(3)
    events = rng.choice(5, 6400, p=RATES / RATES.sum())
    assert_choices(events, 7 * RATES)
    assert check_choices(events, RATES**0.9, labels="abcde").rejected
    assert check_choices(np.append(events[:-40], [3] * 40), RATES).rejected  # what cannot happen


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: check([], 1.0), "there must be times"),
        (lambda: check([1.0, -1.0], 1.0), "0 or longer"),
        (lambda: check([1.0, 1.0], [1.0]), r"total_rate must have shape \(2,\)"),
        (lambda: check([1.0], 0.0), "total_rate must be above 0"),
        (lambda: check_choices([0], [1.0]), "rates must be two or more"),
        (lambda: check_choices([0], [0.0, 0.0]), "not all 0"),
    ],
)
def test_bad_input_is_refused(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
