"""Ratios that floats hold up to rounding only."""

import numpy as np
import pytest

from macro_ase.ratios import either, near_divisors, near_multiples, steps_within, whole_ratio


@pytest.mark.parametrize(
    ("value", "unit", "times"),
    [(0.3, 0.1, 3), (0.7, 0.1, 7), (1e-15 * 7, 1e-15, 7), (500, 500, 1), (4.35 * 100, 4.35, 100)],
)
def test_multiples_are_seen_through_rounding(value: float, unit: float, times: int) -> None:
    assert whole_ratio(value, unit) == times
    assert steps_within(value, unit) == times


@pytest.mark.parametrize(
    ("value", "unit"),
    [(0.35, 0.1), (0.1, 0.3), (0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (np.inf, 1.0), (np.nan, 1.0)],
)
def test_what_is_no_multiple_is_none(value: float, unit: float) -> None:
    assert whole_ratio(value, unit) is None


@pytest.mark.parametrize(("span", "steps"), [(1.0, 1), (1.01, 2), (0.2, 1), (52.54, 53), (6.2, 7)])
def test_steps_are_never_longer(span: float, steps: int) -> None:
    assert steps_within(span, 1.0) == steps


@pytest.mark.parametrize(
    ("value", "whole", "least", "near"),
    [(8, 18, 4, [9, 6]), (3, 8, 4, [4]), (16, 8, 1, [8]), (4, 8, 4, [4, 8]), (5, 7, 8, [])],
)
def test_nearest_divisors(value: int, whole: int, least: int, near: list[int]) -> None:
    assert near_divisors(value, whole, least) == near


def test_nearest_multiples_and_how_they_are_said() -> None:
    assert either(near_multiples(0.7, 0.3)) == "0.6 or 0.9"
    assert near_multiples(-5.0, 0.5) == near_multiples(0.1, 0.5) == [0.5]
    assert either([]) == "none"
