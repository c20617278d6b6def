"""Ratios of times, which floats hold up to rounding only: .3 is three times .1."""

from __future__ import annotations

import math
from collections.abc import Sequence

ROUNDING = 1e-9


def whole_ratio(value: float, unit: float) -> int | None:
    """How often a unit fits into a value, None if that is no whole number above 0.

    Parameters
    ----------
    value, unit : float
        In the same unit; equal up to 1e-9 of themselves counts as equal.
    """
    if not (unit > 0 and 0 < value < math.inf):
        return None
    times = round(value / unit)
    return times if times and abs(value / unit - times) <= ROUNDING * times else None


def steps_within(span: float, longest: float) -> int:
    """Fewest equal steps that make up a span, none longer than ``longest`` but by rounding."""
    return max(1, math.ceil(span / longest * (1 - ROUNDING)))


def near_divisors(value: float, whole: int, least: int = 1) -> list[int]:
    """Divisors of a number that are nearest to a value on either side, the nearer one first.

    Parameters
    ----------
    value : float
    whole, least : int
        The number, and the smallest divisor of use.
    """
    divisors = [n for n in range(max(1, least), whole + 1) if whole % n == 0]
    sides = [n for n in divisors if n <= value][-1:] + [n for n in divisors if n > value][:1]
    return sorted(sides, key=lambda n: abs(n - value))


def near_multiples(value: float, unit: float) -> list[float]:
    """Multiples of a unit, above 0, that are nearest to a value, the nearer one first."""
    below = max(0, math.floor(value / unit))
    sides = [n * unit for n in (below, below + 1) if n]
    return sorted(sides, key=lambda multiple: abs(multiple - value))


def either(values: Sequence[float]) -> str:
    """Values as a message names them: "6 or 9"."""
    return " or ".join(f"{value:g}" for value in values) or "none"
