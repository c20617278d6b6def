"""Real numbers that people give: of any Python or numpy kind, checked once."""

from __future__ import annotations

import math
from typing import Any


def as_real(value: Any) -> float:
    """The number; NaN if it is none: text, a truth value, complex, or more than one."""
    if isinstance(value, str | bytes) or type(value).__name__ in ("bool", "bool_"):
        return math.nan
    try:
        return math.nan if getattr(value, "ndim", 0) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def require_finite(value: Any, name: str) -> float:
    """A finite number.

    Raises
    ------
    ValueError
        If it is none; it says ``name``.
    """
    number = as_real(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number, not {value}")
    return number


def require_positive(value: Any, name: str, unit: str = "", most: float = math.inf) -> float:
    """A finite number above 0, and at most ``most``.

    Raises
    ------
    ValueError
        If it is none; it says ``name`` and ``unit``.
    """
    number, unit = as_real(value), unit and f" {unit}"
    if not (math.isfinite(number) and 0 < number <= most):
        limit = f" and at most {most:g}{unit}" if number > most and math.isfinite(most) else ""
        raise ValueError(f"{name} must be above 0{unit}{limit}, not {value}")
    return number
