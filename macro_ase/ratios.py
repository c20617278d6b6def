"""Ratios of times, which floats hold up to rounding only: .3 is three times .1."""

from __future__ import annotations

import math

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
