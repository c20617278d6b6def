"""Whole numbers that people give: of any Python or numpy kind, checked once."""

from __future__ import annotations

import operator
from typing import Any


def require_count(value: Any, name: str, least: int = 0, most: int = 2**62) -> int:
    """A whole number within limits.

    Parameters
    ----------
    value : int, numpy integer, or float without a fraction
    name : str
        What it is called where it was given.
    least, most : int
        The limits, both allowed.

    Raises
    ------
    ValueError
        If it is none, or beyond a limit.
    """
    whole = _whole(value)
    if whole is None:
        shown = repr(value) if isinstance(value, str | bytes) else value
        raise ValueError(f"{name} must be a whole number, not {shown}")
    if not least <= whole <= most:
        limits = f"{least} or more" if most == 2**62 else f"{least} to {most}"
        raise ValueError(f"{name} must be {limits}, not {value}")
    return whole


def _whole(value: Any) -> int | None:
    if isinstance(value, str | bytes) or type(value).__name__ in ("bool", "bool_"):
        return None
    try:
        return operator.index(value)
    except TypeError:
        pass
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None
