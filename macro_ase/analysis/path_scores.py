"""How far predicted paths are from true ones: MMD, the error of their mean, their spread.

All in units of the truth's own spread over sets, paths and times. MMD^2 mixes two things: a drift
that is off moves the mean, wrong noise changes the spread. The mean's error, the ratio of spreads
and the MMD^2 of paths whose mean has been put right tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from .mmd import squared_mmd_with_error, standardise


@dataclass(frozen=True)
class PathScore:
    """Predicted paths against true ones.

    Attributes
    ----------
    mmd, mmd_error : float
        MMD^2 over sets and times, and its bootstrap error.
    centred : float
        MMD^2 when the mean at every time is put right.
    mean_error : float
        Root mean square error of the mean over paths.
    spread, spread_error : arrays, shape (d,)
        Predicted over true standard deviation of the paths of a set, over sets and times.
    """

    mmd: float
    mmd_error: float
    centred: float
    mean_error: float
    spread: Array
    spread_error: Array


def score_paths(predicted: Array, true: Array, second: Array, resamples: int = 200) -> PathScore:
    """Score of predicted paths.

    Parameters
    ----------
    predicted, true : arrays, shapes (n_sets, n, n_t, d) and (n_sets, m, n_t, d)
    second : array, shape (n_sets, m, n_t, d)
        A second draw of the truth, for a better mean and spread than one draw gives.
    resamples : int
        Of the bootstrap.
    """
    x, again, y = standardise(true, second, predicted)
    known = np.concatenate([x, again], axis=1)
    shift = y.mean(axis=1, keepdims=True) - known.mean(axis=1, keepdims=True)
    mmd, error = squared_mmd_with_error(list(x), list(y), resamples)
    centred, _ = squared_mmd_with_error(list(x), list(y - shift), 2)
    own, truth = _variances(y), _variances(known)
    ratio = np.sqrt(own.mean(axis=(0, 1)) / truth.mean(axis=(0, 1)))
    relative = [_relative_error(v) for v in (own, truth)]
    return PathScore(
        mmd,
        error,
        centred,
        float(np.sqrt((shift**2).mean())),
        ratio,
        ratio * np.hypot(*relative) / 2,
    )


def _variances(paths: Array) -> Array:
    """Each path's mean square distance from its set's mean, shape (n_sets, n, d), unbiased."""
    n = paths.shape[1]
    deviation = paths - paths.mean(axis=1, keepdims=True)
    variances: Array = (deviation**2).mean(axis=2) * n / (n - 1)
    return variances


def _relative_error(variances: Array) -> Array:
    """Relative standard error of the mean of independent paths' variances, shape (d,)."""
    flat = variances.reshape(-1, variances.shape[-1])
    error: Array = flat.std(axis=0, ddof=1) / np.sqrt(len(flat)) / flat.mean(axis=0)
    return error
