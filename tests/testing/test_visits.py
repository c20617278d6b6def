"""Shares of visits: as many false alarms as stated, with any memory; what is wrong is noticed."""

import numpy as np
import pytest

from macro_ase.testing import assert_visits, check_visits
from macro_ase.testing.blocks import block_test

LAW = np.array([0.36, 0.25, 0.15, 0.1, 0.08, 0.05, 0.008, 0.002])
OTHER = LAW ** (1 / 1.25) / (LAW ** (1 / 1.25)).sum()


def chain(law: np.ndarray, n: int, stay: float, seed: int) -> np.ndarray:
    """A state is kept with probability s and else drawn anew: tau = (1 + s) / (1 - s) / 2."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(law), size=n, p=law)
    fresh = np.where(rng.random(n) < stay, 0, np.arange(n))
    return drawn[np.maximum.accumulate(fresh)]


@pytest.mark.slow
@pytest.mark.parametrize(("stay", "n"), [(0.0, 1280), (0.6, 2560), (0.9, 6400)])
def test_false_alarms_are_as_rare_as_stated(stay: float, n: int) -> None:
    """And the naive chi-squared, which takes samples to be independent, is alarmed always."""
    level, runs = 0.1, 100
    values = -np.log(LAW)
    found = [
        check_visits(chain(LAW, n, stay, k), LAW, OTHER, values=values, false_alarm=level)
        for k in range(runs)
    ]
    share = np.mean([c.rejected for c in found])
    assert share < level + 3 * np.sqrt(level * (1 - level) / runs)
    assert share > 0.01
    off = [np.bincount(chain(LAW, n, stay, k), minlength=8) - n * LAW for k in range(20)]
    chi2 = np.mean([(x**2 / (n * LAW)).sum() for x in off])
    assert (chi2 > 14) == (stay > 0)  # of 7 degrees of freedom


@pytest.mark.parametrize("stay", [0.0, 0.8])
def test_a_wrong_share_is_found_and_named(stay: float) -> None:
    visits = chain(LAW, 40_000, stay, 1)
    assert_visits(visits, LAW, OTHER)
    wrong = LAW + np.array([0, 0, 0.04, 0, -0.04, 0, 0, 0])
    found = check_visits(visits, wrong, OTHER, labels="abcdefgh")
    assert found.rejected and found.worst.startswith("e: a share of 0.08")
    with pytest.raises(AssertionError, match=r"^40000 samples, .*: differ; F of .* most at e"):
        assert_visits(visits, wrong, OTHER, labels="abcdefgh")


def test_values_notice_what_shares_do_not() -> None:
    """A temperature off by a tenth, of sixty levels."""
    levels = np.linspace(0, 2, 60)
    law, hotter, far = (np.exp(-levels / t) / np.exp(-levels / t).sum() for t in (1, 1.1, 2))
    visits = chain(law, 12_800, 0.0, 2)
    shares = check_visits(visits, hotter, far)
    both = check_visits(visits, hotter, far, values=levels)
    assert not shares.rejected and both.rejected
    assert [s.name for s in both.statistics] == ["F of shares", "t of the mean"]
    assert_visits(visits, law, far, values=levels)


def test_a_sampler_that_stands_still_is_rejected() -> None:
    assert check_visits(np.zeros(6400, dtype=int), LAW, OTHER).rejected


def test_times_weigh_visits() -> None:
    """A jump chain visits by p / tau; with residence times it has p."""
    tau = np.linspace(0.5, 4.0, 8)
    jumps = LAW / tau / (LAW / tau).sum()
    visits = chain(jumps, 20_000, 0.0, 3)
    assert check_visits(visits, LAW, OTHER).rejected
    assert_visits(visits, LAW, OTHER, weights=tau[visits])


def test_what_cannot_tell_the_wrong_law_is_no_verdict() -> None:
    visits = chain(LAW, 640, 0.0, 0)
    close = check_visits(visits, LAW, 0.99 * LAW + 0.01 * OTHER)
    assert close.blind and not close.rejected and not close.passed
    with pytest.raises(AssertionError, match=r"no verdict, for the wrong prob.* take more samples"):
        close.require()


@pytest.mark.parametrize("stay", [0.99, 0.999])
def test_samples_that_remember_for_too_long_are_refused(stay: float) -> None:
    with pytest.raises(ValueError, match=r"samples remember one another for .* take \d{5}"):
        check_visits(chain(LAW, 6400, stay, 0), LAW, OTHER)


def test_a_slow_mode_that_few_values_show_is_noticed() -> None:
    """Two halves of 30 states each, left once in 4000 samples."""
    rng, n = np.random.default_rng(0), 19_200
    half = np.cumsum(rng.random(n) < 1 / 4000) % 2
    law = np.full(60, 1 / 60)
    tilted = np.linspace(0.5, 1.5, 60) / 60
    with pytest.raises(ValueError, match="blocks of 300 samples remember one another"):
        check_visits(30 * half + rng.integers(30, size=n), law, tilted)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"visits": np.zeros(600, dtype=int)}, "600 visits are too few: at least 640"),
        ({"visits": np.zeros(6400)}, "whole numbers of states"),
        ({"visits": np.full(6400, 8)}, "numbers from 0 to 7"),
        ({"probabilities": LAW / 2}, "probabilities must be .* adding up to 1"),
        ({"wrong": LAW[:-1]}, r"wrong must have shape \(8,\)"),
        ({"weights": np.full(6400, -1.0)}, "weights must be 0 or larger"),
        ({"values": [0.0]}, r"values must have shape \(8,\)"),
        ({"false_alarm": 0.9}, "false_alarm must be above 0 and at most 0.5"),
    ],
)
def test_bad_input_is_refused(changed: dict, words: str) -> None:
    usual = {"visits": chain(LAW, 6400, 0.0, 0), "probabilities": LAW, "wrong": OTHER}
    with pytest.raises(ValueError, match=words):
        check_visits(**usual | changed)


def test_one_component_is_students_t() -> None:
    x = np.random.default_rng(0).normal(0.3, 1.0, 50)
    value, p = block_test(x[:, None])
    free = 1 + 2 * max(0.0, ((x[1:] - x.mean()) * (x[:-1] - x.mean())).sum() / 49 / x.var(ddof=1))
    assert value == pytest.approx(50 * x.mean() ** 2 / x.var(ddof=1) / free)
    assert 0 < p < 1
