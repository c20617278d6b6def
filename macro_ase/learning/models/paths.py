"""Paths of an ensemble by the Euler-Maruyama scheme, and what may be wrong with them.

A system larger than those whose states a model has learned from is B of them side by side. Each has
the fluctuations of its own size, and z of the whole is the mean over them: paths are those of one
block, and their deviations from the mean over many are divided by the root of B. Where the drift is
not straight, the mean is not where a path with the little noise of the whole would be.

Paths of blocks go in pairs of opposite noise, whose mean does not know noise to first order.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Array, finite_array
from ...ratios import steps_within
from .stacked import Stacked

TOLERATED_BIAS, TOLERATED_LOCAL_BIAS, MOST_RELAXED = 0.03, 0.05, 0.99
LEAST_PAIRS = 8


@dataclass(frozen=True)
class MacroPaths:
    """Predicted paths.

    Attributes
    ----------
    times : array, shape (n_t,)
        In the unit of the clock.
    z : array, shape (members, paths, n_t, d)
    """

    times: Array
    z: Array


@dataclass(frozen=True)
class Steps:
    """Equal steps from one record to the next.

    ``noise`` is that of one of ``blocks`` independent parts of the whole.
    """

    number: int
    drift: float
    noise: float
    share: float
    blocks: float = 1.0

    def apart(self, paths: Array, centre: Array) -> Array:
        """Paths of the whole, of those of one block and their mean."""
        if self.blocks == 1:
            return paths
        return np.asarray(centre + (paths - centre) / np.sqrt(self.blocks))

    def starts(self, start: Array) -> Array:
        """What, of shape (n, d), leads to the starts of the whole."""
        if self.blocks == 1:
            return start
        mean = start.mean(axis=0)
        return np.asarray(mean + np.sqrt(self.blocks) * (start - mean))


def euler_maruyama(
    members: Stacked,
    start: Array,
    condition: Array,
    records: int,
    steps: Steps,
    seed: np.random.SeedSequence,
) -> Array:
    """Paths in scaled units, y += drift a(y, c) + noise b(y, c) xi, shape (members, n, n_t, d).

    Starts and paths hold the past of states, where members remember it.
    """
    rng, pairs = np.random.default_rng(seed), steps.blocks > 1
    first = steps.starts(_whole_pairs(start) if pairs else start)
    y = np.repeat(first[None], members.number, axis=0)
    c = np.broadcast_to(condition, (*y.shape[:2], len(condition)))
    path = np.empty((*y.shape[:2], records + 1, y.shape[2]))
    path[:, :, 0] = y
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(records):
            for _ in range(steps.number):
                xi = in_pairs(rng, y.shape) if pairs else rng.normal(size=y.shape)
                kick = members.factor(y, c) @ xi[..., None]
                y = y + steps.drift * members.drift(y, c) + steps.noise * kick[..., 0]
            path[:, :, k + 1] = y
        return steps.apart(path, path.mean(axis=1, keepdims=True))[:, : len(start)]


def _whole_pairs(start: Array) -> Array:
    """Starts and, as often as `LEAST_PAIRS` or a pair asks for, their mean."""
    more = max(2 * LEAST_PAIRS - len(start), len(start) % 2)
    return np.concatenate([start, np.tile(start.mean(axis=0), (more, 1))])


def in_pairs(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Normal numbers, shape (M, n, d), of n paths: the second half is opposite to the first."""
    m, n, d = shape
    xi = rng.normal(size=(m, (n + 1) // 2, d))
    return np.concatenate([xi, -xi[:, : n // 2]], axis=1)


def warn_of_short_steps(members: Stacked, condition: Array, share: float, stacklevel: int) -> None:
    """Warn where steps of a share of the training step misjudge relaxation by more than 3 %.

    A training step that holds its own relaxation, a share r of a deviation, cut by the share s,
    gives rates and stationary variances that are wrong by r (1 - s) / 2. r is the largest slope of
    the drift across the spread of the training states.
    """
    relaxed = relaxed_share(members, condition)
    if relaxed * (1 - share) / 2 > TOLERATED_BIAS:
        warnings.warn(
            f"the interval asks for steps of {share:.3g} training steps, but in one the model "
            f"relaxes by {relaxed:.0%}: rates and spreads are wrong by about "
            f"{relaxed * (1 - share) / 2:.0%}; record at multiples of the training step",
            stacklevel=stacklevel,
        )


def relaxed_share(members: Stacked, condition: Array) -> float:
    """The largest slope of the drift of a step across the spread of the training states."""
    d = members.d
    ends = np.broadcast_to(np.concatenate([np.eye(d), -np.eye(d)]), (members.number, 2 * d, d))
    c = np.broadcast_to(condition, (*ends.shape[:2], len(condition)))
    drifts = members.drift(ends, c).mean(axis=0)
    slope = (drifts[:d] - drifts[d:]) / 2
    return float(np.abs(np.linalg.eigvals(slope).real).max())


def warn_of_long_steps(members: Stacked, condition: Array, stacklevel: int) -> None:
    """Warn where drift and diffusion per unit of time, from steps, are wrong by more than 5 %.

    A share r relaxes in a step of x = -ln(1 - r) relaxation times; x^2 / 3 is what is left of the
    bias of a linear drift.
    """
    relaxed = min(relaxed_share(members, condition), MOST_RELAXED)
    bias = np.log1p(-relaxed) ** 2 / 3
    if bias > TOLERATED_LOCAL_BIAS:
        warnings.warn(
            f"dt is long: a deviation relaxes by {relaxed:.0%} in it, so that drift and diffusion "
            f"per unit of time are wrong by up to {bias:.0%}; paths in steps of dt are right",
            stacklevel=stacklevel,
        )


def warn_of_divergence(paths: MacroPaths, stacklevel: int) -> None:
    """Warn of paths that are not finite to their end."""
    n_t = len(paths.times)
    fine = np.isfinite(paths.z).all(axis=-1).reshape(-1, n_t)
    if fine.all():
        return
    lost, first = ~fine.all(axis=1), int(np.argmin(fine.all(axis=0)))
    warnings.warn(
        f"{int(lost.sum())} of {lost.size} paths diverged, the first at time "
        f"{paths.times[first]:g}: they left what the model was trained on",
        stacklevel=stacklevel,
    )


Drift = Callable[[Array], Array]


def rk4_step(drift: Drift, z: Array, dt: float) -> Array:
    """One step of the classical Runge-Kutta method of order four."""
    k1 = drift(z)
    k2 = drift(z + dt / 2 * k1)
    k3 = drift(z + dt / 2 * k2)
    k4 = drift(z + dt * k3)
    return z + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def rollout(drift: Drift, z0: Array, times: ArrayLike, longest_step: float) -> Array:
    """Paths from initial states; warns of those that diverge."""
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
    """Error of each path, shape (n,), from observables, shape (n, n_t, m)."""
    if predicted.shape != true.shape or true.ndim != 3:
        raise ValueError(f"paths of shapes {predicted.shape} and {true.shape} do not compare")
    size = np.linalg.norm(true, axis=2).sum(axis=1)
    if np.any(size == 0):
        raise ValueError("a true path is zero throughout")
    errors: Array = np.linalg.norm(predicted - true, axis=2).sum(axis=1) / size
    return errors
