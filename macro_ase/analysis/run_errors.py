"""How far means over predicted runs are from those over true ones.

    error = sum_t (mean_pred - mean_true)^2 / sum_t mean_true^2

of the mean over runs, averaged over initial states, for each observable by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Array


def mean_errors(predicted: Array, true: Array) -> Array:
    """Errors of means over runs.

    Parameters
    ----------
    predicted, true : arrays, shape (n_starts, n_t, d)
        Means over runs.

    Returns
    -------
    array, shape (n_starts, d)
    """
    errors: Array = ((predicted - true) ** 2).sum(axis=1) / (true**2).sum(axis=1)
    return errors


def errors_of_few(predicted: Array, true: Array, few: int) -> Array:
    """Mean error, shape (d,), of groups of ``few`` runs a side; runs on axis 1 of both."""
    groups = min(predicted.shape[1], true.shape[1]) // few
    parts = [slice(k * few, (k + 1) * few) for k in range(groups)]
    each = [mean_errors(predicted[:, p].mean(axis=1), true[:, p].mean(axis=1)) for p in parts]
    mean: Array = np.mean(each, axis=(0, 1))
    return mean


@dataclass(frozen=True)
class LateMoments:
    """Mean and spread over the second halves of runs, each shape (d,), with standard errors."""

    mean: Array
    mean_error: Array
    std: Array
    std_error: Array


def late_moments(runs: Array, members: int = 1) -> LateMoments:
    """Moments of the second halves of runs.

    Parameters
    ----------
    runs : array, shape (n_starts, n, n_t, d)
    members : int
        Models that made the runs, one after another along axis 1. Errors are those of their
        mean if their own moments differ by more than the runs explain.
    """
    half = runs.shape[2] // 2
    late = runs[:, :, half:].reshape(-1, runs.shape[2] - half, runs.shape[3])
    mean, root = late.mean(axis=(0, 1)), np.sqrt(max(len(late) - 1, 1))
    squares = ((late - mean) ** 2).mean(axis=1)
    std, mean_error = np.sqrt(squares.mean(axis=0)), late.mean(axis=1).std(axis=0) / root
    std_error = squares.std(axis=0) / root / (2 * std)
    if members > 1:
        own = [late_moments(part) for part in np.split(runs, members, axis=1)]
        mean_error = np.maximum(mean_error, _error_of_mean([m.mean for m in own]))
        std_error = np.maximum(std_error, _error_of_mean([m.std for m in own]))
    return LateMoments(mean, mean_error, std, std_error)


def _error_of_mean(values: list[Array]) -> Array:
    error: Array = np.std(values, axis=0, ddof=1) / np.sqrt(len(values))
    return error


def first_peak(mean: Array) -> float:
    """Largest value of a mean path, shape (n_t,), after its initial state."""
    return float(mean[1:].max())
