"""Points close to the critical one: predicted beside direct, and the exponents that both give.

    <|m|> ~ L^(-beta/nu),    chi' ~ L^(gamma/nu),    dU/dT ~ L^(1/nu)    at T_c

The values at T_c and dU/dT come from parabolas in T through the points of a size, for predicted
and direct points alike. Exact exponents are those of the Ising model in two dimensions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..rng import coerce_rng, stream
from .binder import Crossing, crossing
from .exact_ising import CRITICAL_TEMPERATURE
from .scaling import PowerLaw, fit_power_law

EXACT = {"beta/nu": 0.125, "gamma/nu": 1.75, "1/nu": 1.0}
POWERS = np.array([-EXACT["beta/nu"], EXACT["gamma/nu"], 0.0])
"""Of L, at a given (T / T_c)^L, in <|m|>, chi' and U: finite-size scaling."""
SIGNS = (-1, 1, 1)
DEGREE = 2
DRAWS = 400
Exponent = tuple[float, float, PowerLaw]
"""Value, error, and the law that it is of."""


@dataclass(frozen=True)
class Points:
    """<|m|>, chi' and U at several sizes and temperatures.

    Attributes
    ----------
    sizes, temperatures : tuples
    values, errors : arrays, shape (n_L, n_T, 3)
    draws : array, shape (n_draws, n_L, n_T, 3)
        The same again as noise could have made them: members of an ensemble, or points drawn
        around those measured.
    """

    sizes: tuple[int, ...]
    temperatures: tuple[float, ...]
    values: Array
    errors: Array
    draws: Array

    @classmethod
    def independent(
        cls,
        sizes: tuple[int, ...],
        temperatures: tuple[float, ...],
        values: Array,
        errors: Array,
        seed: int,
    ) -> Points:
        """Points whose errors have nothing to do with each other."""
        noise = coerce_rng(stream(seed, "critical-draws")).normal(size=(DRAWS, *values.shape))
        return cls(sizes, temperatures, values, errors, values + errors * noise)

    def at_critical(self) -> tuple[Array, Array]:
        """<|m|>, chi' and |dU/dT| at T_c and their errors, shape (n_L, 3)."""
        value = _at_critical(self.temperatures, self.values, self.errors)
        draws = [_at_critical(self.temperatures, draw, self.errors) for draw in self.draws]
        return value, np.std(draws, axis=0, ddof=1)

    def exponents(self) -> dict[str, Exponent]:
        """Value, error and power law of each of `EXACT`."""
        values, errors = self.at_critical()
        laws = [fit_power_law(self.sizes, *columns) for columns in zip(values.T, errors.T)]
        return {
            name: (sign * law.exponent, law.error, law)
            for name, sign, law in zip(EXACT, SIGNS, laws)
        }

    def crossings(self, seed: int) -> list[Crossing]:
        """Of the cumulants of neighbouring sizes; those that do not cross clearly are left out."""
        found = []
        for k, pair in enumerate(zip(self.sizes, self.sizes[1:])):
            rows, rng = slice(k, k + 2), stream(seed, "critical-crossing", k)
            curves = self.temperatures, self.values[rows, :, 2], self.errors[rows, :, 2]
            try:
                found.append(crossing(*curves, pair, _degree(self.temperatures), rng=rng))
            except ValueError:
                continue
        return found


def scaled_temperature(temperature: float, ratio: float) -> float:
    """Where a system has the correlation length over L of one ``ratio`` times as large.

    T_c (T / T_c)^ratio, which is T_c + ratio (T - T_c) close to T_c.
    """
    power = ratio * math.log(temperature / CRITICAL_TEMPERATURE)
    return float(CRITICAL_TEMPERATURE * math.exp(np.clip(power, -3, 3)))


def scaled(rows: Array, ratios: Array) -> Array:
    """<|m|>, chi' and U, shape (n_L, ..., 3), as systems have them that are larger by ratios.

    At the temperature where the larger one has the same correlation length over L.
    """
    factors: Array = ratios[:, None] ** POWERS
    return rows * factors.reshape(len(ratios), *(1,) * (rows.ndim - 2), 3)


def _degree(temperatures: tuple[float, ...]) -> int:
    """Of the polynomial in T: a parabola where there are points enough."""
    return min(DEGREE, len(temperatures) - 1)


def _at_critical(temperatures: tuple[float, ...], values: Array, errors: Array) -> Array:
    """ln <|m|>, ln chi' and U are smooth in T; returns values at T_c and |dU/dT|, (n_L, 3)."""
    x = np.array(temperatures) - CRITICAL_TEMPERATURE
    rows = []
    for value, error in zip(values, errors):
        curves = [np.log(value[:, 0]), np.log(value[:, 1]), value[:, 2]]
        weights = [value[:, 0] / error[:, 0], value[:, 1] / error[:, 1], 1 / error[:, 2]]
        fits = [np.polyfit(x, y, _degree(temperatures), w=w) for y, w in zip(curves, weights)]
        rows.append([np.exp(fits[0][-1]), np.exp(fits[1][-1]), abs(fits[2][-2])])
    return np.array(rows)


@dataclass(frozen=True)
class Comparison:
    """Predicted against direct points.

    Attributes
    ----------
    relative, combined : arrays, shape (n_L, n_T, 3)
        Predicted over direct minus 1, and the error of that from both sides.
    """

    relative: Array
    combined: Array

    @classmethod
    def of(cls, predicted: Points, direct: Points) -> Comparison:
        """Of points at the same sizes and temperatures."""
        relative = predicted.values / direct.values - 1
        return cls(relative, np.hypot(predicted.errors, direct.errors) / direct.values)

    @property
    def mean_errors(self) -> Array:
        """Mean relative error of <|m|>, chi' and U, shape (3,)."""
        errors: Array = np.abs(self.relative).mean(axis=(0, 1))
        return errors

    @property
    def floor(self) -> Array:
        """What it would be if the errors of both sides were all there is, shape (3,)."""
        combined: Array = self.combined.mean(axis=(0, 1))
        return combined * math.sqrt(2 / math.pi)

    @property
    def spread(self) -> Array:
        """Standard error of `mean_errors`, points of one size taken as one, shape (3,)."""
        by_size = np.abs(self.relative).mean(axis=1)
        spread: Array = by_size.std(axis=0, ddof=1)
        return spread / math.sqrt(len(by_size))

    @property
    def noise(self) -> Array:
        """Standard error of `mean_errors` from the errors of points alone, shape (3,)."""
        squares: Array = (self.combined**2).sum(axis=(0, 1))
        return np.sqrt((1 - 2 / math.pi) * squares) / self.relative[..., 0].size

    @property
    def within_two(self) -> Array:
        """Share of points within two combined errors, shape (3,)."""
        share: Array = (np.abs(self.relative) <= 2 * self.combined).mean(axis=(0, 1))
        return share


@dataclass(frozen=True)
class Scores:
    """Predicted beside direct points of the same sizes and temperatures.

    Attributes
    ----------
    predicted, direct : Points
    comparison : Comparison
    exponents : dict
        By name, predicted and direct.
    """

    predicted: Points
    direct: Points
    comparison: Comparison
    exponents: dict[str, tuple[Exponent, Exponent]]

    @classmethod
    def of(cls, predicted: Points, direct: Points) -> Scores:
        """All of them."""
        mine, theirs = predicted.exponents(), direct.exponents()
        both = {name: (mine[name], theirs[name]) for name in mine}
        return cls(predicted, direct, Comparison.of(predicted, direct), both)
