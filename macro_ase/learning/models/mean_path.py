"""Means under a changing temperature, without noise, in scaled units: dy/dt = r(T) b(y, c(T)).

r is training steps per second (`own_time.Rate`) and b the drift of a step. Where a model takes
several steps within one, b is its drift a itself; where one step holds its own relaxation, so that
y + a is the map of a step, b generates that map: b = sum over k of (-1)^(k+1) Delta^k y / k with
forward differences along the first iterates. The equation is stiff, and is solved by LSODA,
of variable order and step, at a cost that does not depend on how long it lasts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import block_diag

from ...arrays import Array
from ...schedule import Schedule
from .paths import Steps
from .stacked import Stacked

ITERATES, APART, RTOL, ATOL = 4, 1e-4, 1e-4, 1e-5
Conditions = Callable[[Array], Array]
"""From temperatures, shape (n,), to what the networks are conditioned on, shape (n, c)."""


@dataclass(frozen=True)
class Drifts:
    """Drifts of the members of an ensemble, per training step of the whole.

    Attributes
    ----------
    stacked : Stacked
    conditions : callable
    steps : Steps
        Of one training step.
    own_relaxation : bool
        Whether a step holds its own relaxation.
    """

    stacked: Stacked
    conditions: Conditions
    steps: Steps
    own_relaxation: bool

    def at(self, temperatures: Array) -> Array:
        """Scaled conditions of each member, shape (M, n, c)."""
        own = self.conditions(temperatures)
        return np.broadcast_to(own, (len(self.stacked.arrays["start"]), *own.shape))

    def raw(self, y: Array, c: Array) -> Array:
        """a, shape (M, n, d), as y."""
        return self.stacked.drift(y, c)

    def __call__(self, y: Array, c: Array) -> Array:
        """b, shape (M, n, d), as y."""
        if not self.own_relaxation:
            return self.steps.number * self.steps.drift * self.raw(y, c)
        iterates = [y]
        for _ in range(ITERATES):
            iterates.append(iterates[-1] + self.steps.drift * self.raw(iterates[-1], c))
        path, total = np.stack(iterates), np.zeros_like(y)
        for order in range(1, ITERATES + 1):
            path = np.diff(path, axis=0)
            total += (-1) ** (order + 1) * path[0] / order
        return self.steps.number * total

    def slopes(self, of: Callable[[Array, Array], Array], y: Array, c: Array) -> Array:
        """d of / dy, shape (M, n, d, d), of `raw` or of the object itself."""
        m, n, d = y.shape
        ends = y[:, :, None] + APART * np.concatenate([np.eye(d), -np.eye(d)])
        many = np.repeat(c, 2 * d, axis=1)
        values = of(ends.reshape(m, -1, d), many).reshape(m, n, 2, d, d)
        return np.swapaxes(values[:, :, 0] - values[:, :, 1], 2, 3) / (2 * APART)

    def all(self, y: Array, temperature: float) -> Array:
        """b of each member at its own state, then their mean at the last one, shape (M + 1, d)."""
        found = self(*self._both(y, temperature))
        return np.concatenate([found[:, 0], found[:, 1].mean(axis=0)[None]])

    def all_slopes(self, y: Array, temperature: float) -> Array:
        """Jacobian of `all`, shape (M d + d, M d + d)."""
        found = self.slopes(self, *self._both(y, temperature))
        slopes: Array = block_diag(*found[:, 0], found[:, 1].mean(axis=0))
        return slopes

    def _both(self, y: Array, temperature: float) -> tuple[Array, Array]:
        """Each member's own state and the common one, and conditions."""
        common = np.broadcast_to(y[-1], y[:-1].shape)
        return np.stack([y[:-1], common], axis=1), self.at(np.full(2, temperature))


class MeanPath:
    """Means of the members, and of the drift that is their average, along a schedule.

    Parameters
    ----------
    drifts : Drifts
    rate : Rate
    schedule : Schedule
    start : array, shape (d,)
        In scaled units.

    Attributes
    ----------
    lost_at : float
        Time from which there is no solution; inf if there is one to the end.
    """

    def __init__(
        self, drifts: Drifts, rate: Callable[[float], float], schedule: Schedule, start: Array
    ) -> None:
        self.d, self.lost_at = len(start), np.inf
        self._start = np.tile(start, len(drifts.stacked.arrays["start"]) + 1)
        self._ends: list[float] = [0.0]
        self._solutions: list[Callable[[float], Array]] = []
        y = self._start
        for begin, end, first, last in schedule.pieces():
            span = end - begin
            way = partial(_scaled, drifts, rate, span, first, last - first)
            with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                done = solve_ivp(
                    partial(way, drifts.all),
                    (0.0, 1.0),
                    y,
                    "LSODA",
                    dense_output=True,
                    rtol=RTOL,
                    atol=ATOL,
                    jac=partial(way, drifts.all_slopes),
                )
            self._ends.append(end)
            self._solutions.append(done.sol)
            if not done.success:
                self.lost_at = begin + span * float(done.t[-1])
                break
            y = done.y[:, -1]

    def __call__(self, times: Array) -> Array:
        """In scaled units, shape (M + 1, n, d); nan where there is no solution."""
        found = np.full((len(times), len(self._start)), np.nan)
        ends = np.array(self._ends)
        for row, t in enumerate(times):
            if t == 0 or not self._solutions:
                found[row] = self._start
            elif t < self.lost_at:
                k = int(np.clip(np.searchsorted(ends, t) - 1, 0, len(self._solutions) - 1))
                found[row] = self._solutions[k]((t - ends[k]) / (ends[k + 1] - ends[k]))
        return found.reshape(len(times), -1, self.d).swapaxes(0, 1)


def _scaled(
    drifts: Drifts,
    rate: Callable[[float], float],
    span: float,
    first: float,
    change: float,
    of: Callable[[Array, float], Array],
    u: float,
    y: Array,
) -> Array:
    """Drift or its Jacobian per piece, at a part u of its time."""
    temperature = first + u * change
    value = span * rate(temperature) * of(y.reshape(-1, drifts.stacked.d), temperature)
    return value.ravel() if value.shape != (y.size, y.size) else value
