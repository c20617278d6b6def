"""Checks of numbers among the settings of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..ratios import whole_ratio


def require_numbers(
    config: dict[str, Any], least: Mapping[str, float], above_0: Iterable[str]
) -> None:
    """Refuse settings that are too small.

    Parameters
    ----------
    config : dict
    least : mapping
        From settings, as "table.key", to the smallest value allowed.
    above_0 : iterable of str
        Settings that must be above 0.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    for key, limit in least.items():
        if setting(config, key) < limit:
            raise ValueError(f"{key} must be at least {limit}, not {setting(config, key)}")
    for key in above_0:
        if not setting(config, key) > 0:
            raise ValueError(f"{key} must be above 0, not {setting(config, key)}")


def require_multiple(value: float, unit: float, key: str, of: str) -> int:
    """How often a unit fits into a setting; refused if that is no whole number.

    Parameters
    ----------
    value, unit : float
    key, of : str
        What they are called.

    Raises
    ------
    ValueError
        Naming the setting.
    """
    times = whole_ratio(value, unit)
    if times is None:
        raise ValueError(f"{key} must be a multiple of {of} = {unit:g}, not {value:g}")
    return times


def setting(config: dict[str, Any], key: str) -> Any:
    """The value of "table.key"."""
    table, name = key.split(".")
    return config[table][name]
