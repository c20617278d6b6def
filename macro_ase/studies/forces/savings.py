"""How many force evaluations a loss saves: read from errors by amounts of data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..results import metric

SIGNS = {-1: "< ", 0: "", 1: "> "}
WORDS = {-1: "upper bound", 0: "", 1: "lower bound"}


class Needed(NamedTuple):
    """Force evaluations that an error needs; ``reached`` is False where they are a lower bound."""

    evaluations: float
    reached: bool


class Saving(NamedTuple):
    """Evaluations by L_z over those by L_{x,p}; ``bound`` is -1 below, 1 above, 0 measured."""

    value: float
    bound: int

    def __str__(self) -> str:
        return f"{SIGNS[self.bound]}{self.value:.3g}" if np.isfinite(self.value) else "not known"

    def metric(self) -> dict[str, Any]:
        """As a metric, its unit saying whether it is a bound."""
        if not np.isfinite(self.value):
            return metric(None, unit="neither loss reached the error")
        return metric(self.value, unit=WORDS[self.bound])


def needed(evaluations: np.ndarray, errors: np.ndarray, error: float) -> Needed:
    """Evaluations at which the error is first reached, interpolated between logarithms.

    Parameters
    ----------
    evaluations, errors : arrays, shape (n_amounts,)
        Evaluations ascend. If the first already is good enough, it is what is needed.
    error : float
    """
    good = np.flatnonzero(errors <= error)
    if not len(good):
        return Needed(float(evaluations[-1]), False)
    k = int(good[0])
    if k == 0:
        return Needed(float(evaluations[0]), True)
    x, y = np.log(evaluations[k - 1 : k + 1]), np.log(errors[k - 1 : k + 1])
    share = (y[0] - np.log(error)) / (y[0] - y[1])
    return Needed(float(np.exp(x[0] + share * (x[1] - x[0]))), True)


def saving(full: Needed, partial: Needed) -> Saving:
    """The ratio, or on which side of it the data leave it; nan where neither was reached."""
    if not (full.reached or partial.reached):
        return Saving(np.nan, 0)
    bound = 0 if full.reached and partial.reached else (1 if partial.reached else -1)
    return Saving(full.evaluations / partial.evaluations, bound)
