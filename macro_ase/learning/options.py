"""Checks of how networks are to be trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..counts import require_count
from .networks import DRIFTS

MOST = 10**6
MOST_LAYERS = 100


def check_options(
    options: Any, least: Mapping[str, int], above_0: Iterable[str], at_least_0: Iterable[str] = ()
) -> None:
    """Refuse options that cannot be; whole numbers of any kind become int.

    Parameters
    ----------
    options : TrainingOptions or DriftOptions
    least : mapping
        Names of whole numbers, with the smallest allowed.
    above_0, at_least_0 : iterable of str
        Names of real numbers.

    Raises
    ------
    ValueError
        Naming the option.
    """
    if options.drift not in DRIFTS:
        raise ValueError(f"drift must be one of {', '.join(DRIFTS)}, not {options.drift!r}")
    for name, fewest in least.items():
        most = MOST_LAYERS if name == "depth" else MOST
        whole = require_count(getattr(options, name), name, fewest, most)
        object.__setattr__(options, name, whole)
    for name in (*above_0, *at_least_0):
        value = getattr(options, name)
        number = float(value) if isinstance(value, int | float | np.number) else np.nan
        if not (np.isfinite(number) and (number > 0 or (number == 0 and name in at_least_0))):
            limit = "at least 0" if name in at_least_0 else "above 0"
            raise ValueError(f"{name} must be a number {limit}, not {value!r}")
        object.__setattr__(options, name, number)
