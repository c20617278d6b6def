"""The model's own time along a schedule of temperature: ds = dt / (dt_1(T(t)) q(T(t))).

dt_1(T) = h tau_w(T) is the training step in simulated seconds, and q(T) laboratory seconds for one
of these, so that s counts training steps. Within a stretch of a ramp, cells even in 1 / T hold the
integral in closed form where the rate is Arrhenius. Own time is measured from the end of a stretch,
where a ramp that freezes needs it to a part of a step after 10^13 of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Array, finite_array
from ...counts import require_count
from ...schedule import Schedule
from .clock import Clock

TimeScale = Callable[[float], float]
CELL, LEAST_CELLS, MOST_CELLS = 0.1, 8, 2000
MOST_RECORDS, TOGETHER = 10**6, 1e-9


def no_scale(temperature_K: float) -> float:
    """Simulated time is laboratory time."""
    return 1.0


@dataclass(frozen=True)
class Rate:
    """Training steps per laboratory second, against temperature."""

    clock: Clock
    step_events: float
    time_scale: TimeScale = no_scale

    def log(self, temperatures: Array) -> Array:
        """Natural logarithm, same shape; ValueError if a time scale is not above 0."""
        log_tau = self.clock.log_taus(1000 / temperatures)
        scales = np.array([float(self.time_scale(t)) for t in temperatures.ravel()])
        if not np.all(scales > 0):
            k = np.argmin(scales > 0)
            raise ValueError(
                f"time_scale must be above 0, and is {scales[k]:g} at {temperatures.ravel()[k]:g} K"
            )
        logs: Array = -np.log(self.step_events) - log_tau - np.log(scales.reshape(log_tau.shape))
        return logs

    def __call__(self, temperature_K: float) -> float:
        return float(np.exp(self.log(np.array([temperature_K]))[0]))


@dataclass(frozen=True)
class Stretch:
    """From one mark to the next, T linear in t.

    Attributes
    ----------
    times, temperatures : arrays, shape (n,)
        Nodes.
    ahead : array, shape (n,)
        Own time from each node to the end, in training steps; the last is 0.
    """

    times: Array
    temperatures: Array
    ahead: Array

    @classmethod
    def of(cls, row: tuple[float, float, float, float], rate: Rate) -> Stretch:
        """Of begin and end in s and the temperature at both."""
        begin, end, first, last = row
        change = np.ptp(rate.log(np.array([first, last])))
        wanted = np.nan_to_num(change / CELL, posinf=MOST_CELLS)
        cells = 1 if first == last else int(np.clip(wanted, LEAST_CELLS, MOST_CELLS))
        temperatures = 1 / np.linspace(1 / first, 1 / last, cells + 1)
        temperatures[[0, -1]] = first, last
        share = np.array([0.0, 1.0])
        if first != last:
            share = (temperatures - first) / (last - first)
        log = rate.log(temperatures)
        length = (end - begin) * np.diff(share) * _mean_exp(log[:-1], log[1:])
        ahead = np.concatenate([np.cumsum(length[::-1])[::-1], [0.0]])
        return cls(begin + (end - begin) * share, temperatures, ahead)

    @property
    def length(self) -> float:
        """Own time in all."""
        return float(self.ahead[0])

    def temperature(self, ahead: Array) -> Array:
        """At own times before the end."""
        return np.interp(-ahead, -self.ahead, self.temperatures)

    def time(self, ahead: float) -> float:
        """Laboratory time at an own time before the end."""
        return float(np.interp(-ahead, -self.ahead, self.times))


def _mean_exp(a: Array, b: Array) -> Array:
    """Mean of exp over a linear way from a to b; 0 where a way leads to -inf."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(b - a)
    apart = np.where(np.isfinite(apart), apart, np.inf)
    share = -np.expm1(-apart) / np.where(apart > 1e-9, apart, 1.0)
    return np.exp(np.maximum(a, b)) * np.where(apart > 1e-9, share, 1.0)


def marks(schedule: Schedule, rate: Rate, records: int | ArrayLike) -> Array:
    """Times of records in s, ascending.

    Of a number of records, half are even in time and half in ln(1 + s), s the own time since the
    piece began; ends of pieces are among them. Times that are given must ascend within the
    schedule, whose end may be rounded; 0 is put before them.
    """
    if np.ndim(records):
        own, end = finite_array(records, "records", None), schedule.duration
        own = np.where(np.isclose(own, end, rtol=TOGETHER, atol=0), end, own)
        if not len(own) or np.any(np.diff(own) <= 0) or own[0] < 0 or own[-1] > end:
            raise ValueError(f"times of records must ascend from 0 to {end:g} s, the end")
        return own if own[0] == 0 else np.concatenate([[0.0], own])
    number = require_count(records, "records", 1, MOST_RECORDS)
    pieces = schedule.pieces()
    each = max(1, number // (2 * max(1, len(pieces))))
    found = [np.zeros(1)]
    for row in pieces:
        stretch = Stretch.of(row, rate)
        since = np.expm1(np.log1p(stretch.length) * np.arange(1, each + 1) / each)
        ahead = np.maximum(stretch.length - since, 0.0)
        own = np.interp(-ahead, -stretch.ahead, stretch.times)
        even = np.linspace(*row[:2], each + 1)[1:]
        together = np.unique(np.concatenate([even, own]))
        apart = np.diff(together, append=np.inf) > TOGETHER * (row[1] - row[0])
        found.append(together[apart])
    return np.unique(np.concatenate(found))


def stretches(schedule: Schedule, rate: Rate, records: Array) -> list[list[Stretch]]:
    """What leads to each record after the first; several where a piece ends in between."""
    found: list[list[Stretch]] = []
    pieces = schedule.pieces()
    k = 0
    for begin, end in itertools.pairwise(records):
        own = []
        while k < len(pieces) and pieces[k][0] < end:
            low, high = max(begin, pieces[k][0]), min(end, pieces[k][1])
            if high > low:
                own.append(Stretch.of((low, high, *_ends(pieces[k], low, high)), rate))
            if pieces[k][1] > end:
                break
            k += 1
        found.append(own)
    return found


def _ends(piece: tuple[float, float, float, float], low: float, high: float) -> tuple[float, float]:
    """Temperatures of a piece at two times within it."""
    begin, end, first, last = piece
    slope = (last - first) / (end - begin)
    at_low = first if low == begin else first + slope * (low - begin)
    return at_low, last if high == end else first + slope * (high - begin)
