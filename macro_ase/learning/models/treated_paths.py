"""Paths with noise under a changing temperature: steps of the clock, and jumps where they are many.

Steps are equal in the model's own time (`own_time`), each as long as one of the model's own, with
the temperature of their middle; a record has the state of the step nearest to it. So many steps as
a long treatment has need not be taken: n of them are one jump,

    y' = mean' + (1 - G^n) e + G^n (y - mean) + xi,    cov xi = C - G^n C G^nT,    C = G C G^T + Q,

around the member's own mean (`mean_path`), in which no approximation is made. G is 1 + the slope of
one step and Q its noise, both at one point of the mean, and C the stationary covariance of such
steps: jumps have the law of the steps where the drift is straight and the noise even within the
fluctuations. Where it is not straight fluctuations move the mean: (1 - G) e is the mean over C of a
step from the mean + u less that from the mean, to second order, from 2 d points u that have the
covariance C.

A *long* jump ends where at least `MEMORY` slowest relaxation times lie behind, during which the
temperature changed by less than 5 %, and forgets what was before; its point is its end. A *short*
one, of `LEAST` steps or more, during which temperature and mean hardly change, forgets a part; its
point is its middle. All else is taken in steps, and so is a short jump at whose point a member does
not come to rest.

Paths go in pairs of opposite noise. What noise is straight in is not in the mean of a pair, so that
few pairs say how far the mean of all is from a path without noise. Of a system that consists of
blocks (`paths`) they are paths of one, and what comes out are those of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from ...arrays import Array
from .mean_path import Drifts, MeanPath
from .own_time import Stretch
from .paths import in_pairs

MEMORY, STILL, MOST_STEPS = 4.0, 0.05, 10**7
LEAST, NEAR = 20, 0.25
"""Steps of a short jump, and how far the mean may go meanwhile, in spreads of training states."""
NO_STEPS = np.empty(0)


@dataclass(frozen=True)
class Jump:
    """Over a number of steps, between times in s, by the law at a point, with its temperature."""

    number: float
    begin: float
    end: float
    point: float
    temperature: float


@dataclass(frozen=True)
class Leg:
    """A jump, or, where there is none or no member's law at its point, steps at temperatures.

    ``record`` says that a record follows.
    """

    jump: Jump | None = None
    temperatures: Array = field(default_factory=lambda: NO_STEPS)
    record: bool = False


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


def legs(
    roads: Sequence[Sequence[Stretch]], per_own_time: float, memory: Array, mean: MeanPath
) -> list[Leg]:
    """The plan of all paths, from what leads to each record.

    Parameters
    ----------
    roads : sequence of sequences of Stretch
    per_own_time : float
        Steps in one training step.
    memory : array, shape (n_records,)
        Least steps of a long jump to each record, the start among them; inf where nothing relaxes.
    mean : MeanPath

    Raises
    ------
    ValueError
        If more steps than `MOST_STEPS` are left beside long jumps.
    """
    found, passed, total = list[Leg](), 0.0, 0
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
            ahead = stretch.length
            if at is not None:
                where, end, ahead = float(stretch.temperature(np.array(at))), stretch.time(at), at
                found.append(Leg(Jump(number - left, stretch.times[0], end, end, where)))
            found += _short(stretch, ahead, 0.0, left, mean)
        found.append(Leg(record=True))
    return found


def _short(stretch: Stretch, first: float, last: float, number: int, mean: MeanPath) -> list[Leg]:
    """Short jumps and steps between two own times before the end of a stretch."""
    if number >= LEAST:
        ahead = np.array([first, (first + last) / 2, last])
        times, kelvin = [stretch.time(own) for own in ahead], stretch.temperature(ahead)
        y = mean(np.array(times))[:-1]
        if np.abs(kelvin[2] / kelvin[0] - 1) <= STILL and np.abs(y[:, 2] - y[:, 0]).max() <= NEAR:
            jump = Jump(number, times[0], times[2], times[1], float(kelvin[1]))
            return [Leg(jump, _middles(stretch, first, last, number))]
        if number >= 2 * LEAST:
            half = number // 2
            cut = last + (first - last) * (number - half) / number
            parts = (first, cut, half), (cut, last, number - half)
            return [leg for own in parts for leg in _short(stretch, *own, mean)]
    return [Leg(temperatures=_middles(stretch, first, last, number))] if number else []


def _middles(stretch: Stretch, first: float, last: float, number: int) -> Array:
    """Temperatures in the middle of equal steps."""
    share = (np.arange(number) + 0.5) / max(number, 1)
    return stretch.temperature(first + (last - first) * share)


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
    first = np.concatenate([drifts.steps.starts(start), start.mean(axis=0)[None]])
    y = np.repeat(first[None], m, axis=0)
    drift, noise = drifts.steps.drift, drifts.steps.noise
    path = [y]
    with np.errstate(over="ignore", invalid="ignore"):
        for leg in plan:
            if leg.jump is not None:
                jumped = _jumped(drifts, mean, leg.jump, y, _with_still(rng, y.shape))
                if not len(leg.temperatures) or np.isfinite(jumped).all():
                    y = jumped
                    continue
            for c in drifts.conditions(leg.temperatures):
                own = np.broadcast_to(c, (m, n + 1, len(c)))
                kick = drifts.stacked.factor(y, own) @ _with_still(rng, y.shape)[..., None]
                y = y + drift * drifts.raw(y, own) + noise * kick[..., 0]
            if leg.record:
                path.append(y)
        found = np.stack(path, axis=2)
        half = n // 2
        pairs = np.concatenate([found[:, :half], found[:, n - half : n]], axis=1)
        shift = pairs.mean(axis=1) - found[:, n] if half else np.zeros_like(found[:, n])
        shift = np.where(np.isfinite(shift), shift, 0.0)
        return drifts.steps.apart(found[:, :n], (found[:, n] + shift)[:, None]), shift


def _with_still(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Normal numbers of shape (M, paths + 1, d) in pairs; 0 of the last."""
    m, rows, d = shape
    return np.concatenate([in_pairs(rng, (m, rows - 1, d)), np.zeros((m, 1, d))], axis=1)


def _jumped(drifts: Drifts, mean: MeanPath, jump: Jump, y: Array, xi: Array) -> Array:
    """States after a jump, shape (M, n, d), as y and normal numbers xi; nan if none rests.

    The last is without noise.
    """
    times = np.array([jump.begin, jump.point, jump.end])
    before, point, after = mean(times)[:-1].swapaxes(0, 1)
    c, d = drifts.at(np.array([jump.temperature])), y.shape[2]
    slope = drifts.steps.drift * drifts.slopes(drifts.raw, point[:, None], c)[:, 0]
    root = drifts.steps.noise * drifts.stacked.factor(point[:, None], c)[:, 0]
    steps = np.eye(d) + slope
    rests = [np.isfinite(g).all() and np.abs(np.linalg.eigvals(g)).max() < 1 for g in steps]
    own = [
        solve_discrete_lyapunov(g, b @ b.T) if still else np.full((d, d), np.nan)
        for g, b, still in zip(steps, root, rests)
    ]
    bend = _bend(drifts, point, np.array(own), c)
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
