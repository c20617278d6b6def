"""Paths with noise under a changing temperature: steps of the clock, and jumps where they are many.

Steps are equal in the model's own time (`own_time`), each as long as one of the model's own, with
the temperature of their middle; a record has the state of the step nearest to it. So many steps as
a long hold has need not be taken. Where at least `MEMORY` slowest relaxation times lie before a
point, during which the temperature changed by less than 5 %, n steps are one jump,

    y' = mean' + (1 - G^n) e + G^n (y - mean) + xi,    cov xi = C - G^n C G^nT,    C = G C G^T + Q,

around the member's own mean (`mean_path`), in which no approximation is made. G is 1 + the slope of
one step and Q its noise, both at mean', and C the stationary covariance of such steps: jumps have
the law of the steps where the drift is straight and the noise even within the fluctuations. Where
it is not straight fluctuations move the mean: (1 - G) e is the mean over C of a step from mean' + u
less that from mean', to second order, from 2 d points u that have the covariance C.

Paths go in pairs of opposite noise. What noise is straight in is not in the mean of a pair, so that
few pairs say how far the mean of all is from a path without noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from ...arrays import Array
from .mean_path import Drifts, MeanPath
from .own_time import Stretch

MEMORY, STILL, MOST_STEPS = 4.0, 0.05, 10**7


@dataclass(frozen=True)
class Jump:
    """Over a number of steps, between times in s, to a temperature in K."""

    number: float
    begin: float
    end: float
    temperature: float


@dataclass(frozen=True)
class Leg:
    """A jump, or none, then steps at these temperatures; ``record`` says that a record follows."""

    jump: Jump | None
    temperatures: Array
    record: bool


def slowest(drifts: Drifts, y: Array, temperatures: Array) -> Array:
    """Slowest relaxation times at states, shape (M, n), in steps; inf where nothing relaxes.

    ``y`` has shape (M, n, d).
    """
    step = drifts.steps.drift * drifts.slopes(drifts.raw, y, drifts.at(temperatures))
    found = np.full(y.shape[:2], np.inf)
    for at in np.argwhere(np.isfinite(step).all(axis=(2, 3))):
        radius = np.abs(np.linalg.eigvals(np.eye(y.shape[2]) + step[tuple(at)])).max()
        if radius < 1:
            found[tuple(at)] = -1 / np.log(max(radius, 1e-12))
    return found


def legs(roads: Sequence[Sequence[Stretch]], per_own_time: float, memory: Array) -> list[Leg]:
    """The plan of all paths, from what leads to each record.

    Parameters
    ----------
    roads : sequence of sequences of Stretch
    per_own_time : float
        Steps in one training step.
    memory : array, shape (n_records,)
        Least steps of a jump to each record, the start among them; inf where nothing relaxes.

    Raises
    ------
    ValueError
        If more steps than `MOST_STEPS` are left.
    """
    found, passed, total = [], 0.0, 0
    for k, road in enumerate(roads):
        for stretch in road:
            before, passed = passed, passed + stretch.length * per_own_time
            number = round(passed) - round(before)
            least = float(memory[k + 1] if np.isfinite(memory[k + 1]) else memory[k])
            at, left = _last_jump(stretch, number, per_own_time, least)
            total += left
            if total > MOST_STEPS:
                raise ValueError(
                    f"the schedule asks for more than {MOST_STEPS:.0e} steps: near "
                    f"{stretch.temperatures[-1]:g} K the model does not come to rest"
                )
            jump = None
            if at is not None:
                where = float(stretch.temperature(np.array(at)))
                jump = Jump(number - left, stretch.times[0], stretch.time(at), where)
            middle = (np.arange(left)[::-1] + 0.5) / max(number, 1) * stretch.length
            found.append(Leg(jump, stretch.temperature(middle), False))
        found.append(Leg(None, np.empty(0), True))
    return found


def _last_jump(
    stretch: Stretch, number: int, per_own_time: float, memory: float
) -> tuple[float | None, int]:
    """Own time ahead of the last point where paths may jump, and steps from there to the end."""
    left = 0.0
    while left + memory <= number:
        ahead = left / per_own_time
        now, before = stretch.temperature(np.array([ahead, ahead + memory / per_own_time]))
        if abs(before / now - 1) <= STILL:
            return ahead, round(left)
        left = max(2 * left, np.ceil(memory / 2))
    return None, number


def walk(
    drifts: Drifts,
    plan: Sequence[Leg],
    mean: MeanPath,
    start: Array,
    seed: np.random.SeedSequence,
) -> tuple[Array, Array]:
    """Paths in scaled units, from starts of shape (paths, d), and what their noise does to a mean.

    Returns
    -------
    paths : array, shape (M, paths, n_records, d)
    shift : array, shape (M, n_records, d)
        Of whole pairs, less a path without noise from the mean of the starts.
    """
    rng = np.random.default_rng(seed)
    m, n = len(drifts.stacked.arrays["start"]), len(start)
    y = np.repeat(np.concatenate([start, start.mean(axis=0)[None]])[None], m, axis=0)
    drift, noise = drifts.steps.drift, drifts.steps.noise
    path = [y]
    with np.errstate(over="ignore", invalid="ignore"):
        for leg in plan:
            if leg.jump is not None:
                y = _jumped(drifts, mean, leg.jump, y, _in_pairs(rng, y.shape))
            for c in drifts.conditions(leg.temperatures):
                own = np.broadcast_to(c, (m, n + 1, len(c)))
                kick = drifts.stacked.factor(y, own) @ _in_pairs(rng, y.shape)[..., None]
                y = y + drift * drifts.raw(y, own) + noise * kick[..., 0]
            if leg.record:
                path.append(y)
        found = np.stack(path, axis=2)
        half = n // 2
        pairs = np.concatenate([found[:, :half], found[:, n - half : n]], axis=1)
        shift = pairs.mean(axis=1) - found[:, n] if half else np.zeros_like(found[:, n])
    return found[:, :n], np.where(np.isfinite(shift), shift, 0.0)


def _in_pairs(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Normal numbers of shape (M, paths + 1, d), the second half opposite to the first; 0 last."""
    m, rows, d = shape
    xi = rng.normal(size=(m, rows // 2, d))
    return np.concatenate([xi, -xi[:, : rows - 1 - rows // 2], np.zeros((m, 1, d))], axis=1)


def _jumped(drifts: Drifts, mean: MeanPath, jump: Jump, y: Array, xi: Array) -> Array:
    """States after a jump, shape (M, n, d), as y and normal numbers xi; nan if none rests.

    The last is without noise.
    """
    before, after = mean(np.array([jump.begin, jump.end]))[:-1].swapaxes(0, 1)
    c, d = drifts.at(np.array([jump.temperature])), y.shape[2]
    slope = drifts.steps.drift * drifts.slopes(drifts.raw, after[:, None], c)[:, 0]
    root = drifts.steps.noise * drifts.stacked.factor(after[:, None], c)[:, 0]
    steps = np.eye(d) + slope
    rests = [np.isfinite(g).all() and np.abs(np.linalg.eigvals(g)).max() < 1 for g in steps]
    own = [
        solve_discrete_lyapunov(g, b @ b.T) if still else np.full((d, d), np.nan)
        for g, b, still in zip(steps, root, rests)
    ]
    bend = _bend(drifts, after, np.array(own), c)
    found = np.full_like(y, np.nan)
    for k in np.flatnonzero(rests):
        kept = _power(steps[k], jump.number)
        covariance = own[k] - kept @ own[k] @ kept.T
        factor = np.linalg.cholesky((covariance + covariance.T) / 2)
        found[k] = after[k] + (y[k] - before[k]) @ kept.T + xi[k] @ factor.T
        found[k, :-1] -= (np.eye(d) - kept) @ np.linalg.solve(slope[k], bend[k])
    return found


def _bend(drifts: Drifts, at: Array, covariance: Array, c: Array) -> Array:
    """Mean of a step over fluctuations about states (M, d), less that without: shape (M, d)."""
    m, d = at.shape
    own = np.where(np.isfinite(covariance), covariance, 0.0)
    variance, axes = np.linalg.eigh(own)
    away = np.sqrt(d * variance.clip(0))[:, :, None] * axes.swapaxes(1, 2)
    points = np.concatenate([at[:, None], at[:, None] + away, at[:, None] - away], axis=1)
    many = np.broadcast_to(c, (m, 2 * d + 1, c.shape[2]))
    moved = drifts.steps.drift * drifts.raw(points, many)
    bend: Array = moved[:, 1:].mean(axis=1) - moved[:, 0]
    return bend


def _power(g: Array, number: float) -> Array:
    """g^n of a matrix whose eigenvalues are below 1; 0 where n is beyond all memory."""
    radius = np.abs(np.linalg.eigvals(g)).max()
    if radius <= 0 or number * np.log(radius) < -60:
        return np.zeros_like(g)
    return np.linalg.matrix_power(g, int(number))
