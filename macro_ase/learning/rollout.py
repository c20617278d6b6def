"""Paths of dz/dt = g(z) by the classical Runge-Kutta method, and how far they are from true ones.

    error = mean over paths of  sum_t |z*_pred - z*_true| / sum_t |z*_true|,

| | being the Euclidean norm over the observables z*.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import finite_array
from ..ratios import steps_within

Array = NDArray[np.float64]
Drift = Callable[[Array], Array]


def rk4_step(drift: Drift, z: Array, dt: float) -> Array:
    """One step of the classical Runge-Kutta method of order four."""
    k1 = drift(z)
    k2 = drift(z + dt / 2 * k1)
    k3 = drift(z + dt / 2 * k2)
    k4 = drift(z + dt * k3)
    return z + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def rollout(drift: Drift, z0: Array, times: ArrayLike, longest_step: float) -> Array:
    """Paths from initial states; warns of those that diverge.

    Parameters
    ----------
    drift : callable
        g: states, shape (n, d), to rates of the same shape.
    z0 : array, shape (n, d)
        At the first time.
    times : array_like, shape (n_t,)
        Ascending.
    longest_step : float
        Equal steps no longer than this lead from each time to the next.

    Returns
    -------
    array, shape (n, n_t, d)
        Not finite from where a path diverged.

    Raises
    ------
    ValueError
        If the times do not ascend, or the step is not positive.
    """
    at = np.asarray(times, dtype=float)
    if at.ndim != 1 or not len(at) or np.any(np.diff(at) <= 0):
        raise ValueError("times must be one ascending sequence")
    if not longest_step > 0:
        raise ValueError(f"longest_step must be above 0, not {longest_step}")
    z = finite_array(z0, "z0", None, None).copy()
    path = [z]
    with np.errstate(over="ignore", invalid="ignore"):
        for span in np.diff(at):
            steps = steps_within(span, longest_step)
            for _ in range(steps):
                z = rk4_step(drift, z, span / steps)
            path.append(z)
    paths = np.stack(path, axis=1)
    wrong = ~np.isfinite(paths)
    if wrong.any():
        lost, first = int(wrong.any(axis=(1, 2)).sum()), at[int(wrong.any(axis=(0, 2)).argmax())]
        warnings.warn(
            f"{lost} of {len(z)} paths diverged, the first by time {first:g}: they left what the "
            "drift was learned from, or the step is too long",
            stacklevel=2,
        )
    return paths


def trajectory_errors(predicted: Array, true: Array) -> Array:
    """Error of each path, shape (n,), from observables, shape (n, n_t, m).

    Raises
    ------
    ValueError
        If the shapes differ, or a true path is zero throughout.
    """
    if predicted.shape != true.shape or true.ndim != 3:
        raise ValueError(f"paths of shapes {predicted.shape} and {true.shape} do not compare")
    size = np.linalg.norm(true, axis=2).sum(axis=1)
    if np.any(size == 0):
        raise ValueError("a true path is zero throughout")
    return np.linalg.norm(predicted - true, axis=2).sum(axis=1) / size
