"""Least squares over temperature and composition: what changes smoothly between a few conditions.

    value(x, c) = p(c) + q(c) x,   x = 1000 K / T

with p and q polynomials of the composition: of second order where there are more compositions than
coefficients of it, else of first order; q is 0 where there is one temperature.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ..arrays import Array


@dataclass(frozen=True)
class CompositionSurface:
    """A fit of k values.

    Attributes
    ----------
    centre : array, shape (c,)
        Mean condition, 1000 K / T first.
    square, heated : bool
        Of second order in composition; of first order in x.
    coefficients : array, shape (m, k)
    covariance : array, shape (m, m)
        Of the coefficients of a value with unit residuals.
    residual : array, shape (k,)
        Their standard deviation.
    """

    centre: Array
    square: bool
    heated: bool
    coefficients: Array
    covariance: Array
    residual: Array

    @classmethod
    def fit(cls, conditions: Array, values: Array) -> CompositionSurface:
        """Of values, shape (n, k), at conditions, (n, c)."""
        compositions = np.unique(np.round(conditions[:, 1:], 6), axis=0)
        c = compositions.shape[1]
        square = len(compositions) > (c + 1) * (c + 2) // 2
        heated = bool(np.ptp(conditions[:, 0]) > 0)
        centre = conditions.mean(axis=0)
        rows = _features(conditions - centre, square, heated)
        coefficients = np.asarray(np.linalg.lstsq(rows, values, rcond=None)[0], dtype=float)
        free = max(len(rows) - rows.shape[1], 1)
        residual = np.sqrt(((values - rows @ coefficients) ** 2).sum(axis=0) / free)
        covariance = np.asarray(np.linalg.pinv(rows.T @ rows), dtype=float)
        return cls(centre, square, heated, coefficients, covariance, residual)

    def __call__(self, conditions: Array) -> Array:
        """Values, shape (n, k)."""
        return self._rows(conditions) @ self.coefficients

    def error(self, conditions: Array) -> Array:
        """Standard errors of the values, from the residuals, shape (n, k)."""
        rows = self._rows(conditions)
        leverage: Array = np.einsum("ni,ij,nj->n", rows, self.covariance, rows)
        return np.sqrt(leverage)[:, None] * self.residual

    def _rows(self, conditions: Array) -> Array:
        return _features(np.atleast_2d(conditions) - self.centre, self.square, self.heated)


def _features(deviations: Array, square: bool, heated: bool) -> Array:
    """Shape (n, m)."""
    x, c = deviations[:, :1], deviations[:, 1:]
    columns = [np.ones(len(c)), *c.T]
    if square:
        pairs = itertools.combinations_with_replacement(range(c.shape[1]), 2)
        columns += [c[:, i] * c[:, j] for i, j in pairs]
    cold = np.stack(columns, axis=1)
    return np.concatenate([cold, cold * x], axis=1) if heated else cold
