"""How many force evaluations a loss saves: read from errors by amounts of data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Array

SIGNS = {-1: "< ", 0: "", 1: "> "}


class Needed(NamedTuple):
    """Force evaluations that an error needs; ``bound`` is -1 if fewer may do, 1 if more are."""

    evaluations: float
    bound: int

    def __str__(self) -> str:
        return f"{SIGNS[self.bound]}{self.evaluations:.3g}"


class Saving(NamedTuple):
    """Evaluations by L_z over those by L_{x,p}; ``bound`` is -1 if it is less, 1 if it is more."""

    value: float
    bound: int

    def __str__(self) -> str:
        return f"{SIGNS[self.bound]}{self.value:.3g}" if np.isfinite(self.value) else "not known"


def typical(errors: Array) -> Array:
    """Median over seeds of the mean over runs, (..., seeds, runs) to (...); nan is infinite."""
    means = np.nan_to_num(np.mean(errors, axis=-1), nan=np.inf)
    return np.asarray(np.median(means, axis=-1))


def needed(evaluations: Array, errors: Array, error: float) -> Needed:
    """Evaluations at which the error is first reached, interpolated between logarithms.

    Parameters
    ----------
    evaluations, errors : arrays, shape (n_amounts,)
        Evaluations ascend.
    error : float
    """
    good = np.flatnonzero(errors <= error)
    if not len(good):
        return Needed(float(evaluations[-1]), 1)
    k = int(good[0])
    if k == 0 or not np.isfinite(errors[k - 1]):
        return Needed(float(evaluations[k]), -1)
    x, y = np.log(evaluations[k - 1 : k + 1]), np.log(errors[k - 1 : k + 1])
    share = (y[0] - np.log(error)) / (y[0] - y[1])
    return Needed(float(np.exp(x[0] + share * (x[1] - x[0]))), 0)


def saving(full: Needed, partial: Needed) -> Saving:
    """The ratio, or on which side of it the data leave it; nan if they do not say."""
    sides = {full.bound, -partial.bound} - {0}
    if len(sides) == 2:
        return Saving(np.nan, 0)
    return Saving(full.evaluations / partial.evaluations, sides.pop() if sides else 0)
