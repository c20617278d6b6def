"""What changes smoothly with temperature and composition: Gaussian processes about planes.

    value(x, c) = plane(x, c) + f(x, c),   x = 1000 K / T
    cov f = s^2 exp(-|c - c'|^2 / (2 l^2) - (x - x')^2 / (2 l_x^2))

with c the fractions of all species; s, l, l_x and what noise there is beside known errors maximise
the likelihood of the values, those of the coefficients of the plane being integrated out (C. E.
Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning (2006), section 2.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.optimize import minimize

from ..arrays import Array

LENGTHS = (0.15, 3.0)
"""Of l and l_x."""
STARTS = (0.3, 1.0)
"""Of l."""
NOISE = (1e-4, 1.0)
"""Of noise beside the known errors, over the standard deviation of the values."""
SIZE = (1e-4, 10.0)
"""Of s, the same."""


@dataclass(frozen=True)
class CompositionSurface:
    """Fits of k values.

    Attributes
    ----------
    features : array, shape (n, 1 + S)
        x and the fractions of all species.
    values : array, shape (n, k)
    errors : array, shape (n, k)
        Known standard errors.
    parameters : array, shape (k, 4)
        s, l, l_x and the noise beside these errors.
    """

    features: Array
    values: Array
    errors: Array
    parameters: Array

    @classmethod
    def fit(
        cls, conditions: Array, values: Array, errors: Array | float = 0.0
    ) -> CompositionSurface:
        """Of values, shape (n, k), at conditions, (n, c); c are 1000 K / T and S - 1 fractions."""
        features = _features(conditions)
        values = np.asarray_chkfinite(values, dtype=float)
        known = np.broadcast_to(np.asarray_chkfinite(errors, dtype=float), values.shape)
        found = [_most_likely(features, v, e) for v, e in zip(values.T, known.T)]
        return cls(features, values, known, np.array(found))

    def __call__(self, conditions: Array) -> Array:
        """Values, shape (n, k)."""
        return self._at(conditions)[0]

    def error(self, conditions: Array) -> Array:
        """Standard errors of the values, shape (n, k)."""
        return self._at(conditions)[1]

    @cached_property
    def _processes(self) -> list[_Process]:
        places = _Places(self.features)
        each = zip(self.values.T, self.errors.T, self.parameters)
        return [_Process(places, *own) for own in each]

    def _at(self, conditions: Array) -> tuple[Array, Array]:
        asked = _features(np.atleast_2d(conditions))
        both = [process.at(asked) for process in self._processes]
        value, error = (np.stack(columns, axis=1) for columns in zip(*both))
        return value, error


def _features(conditions: Array) -> Array:
    """x and all fractions; ValueError for what is no number."""
    finite = np.asarray_chkfinite(conditions, dtype=float)
    x, c = finite[:, :1], finite[:, 1:]
    return np.hstack([x, c, 1 - c.sum(axis=1, keepdims=True)])


def _squares(a: Array, b: Array) -> tuple[Array, Array]:
    """How far fractions and x of features a and b are apart, squared, shapes (n, m)."""
    apart = (a[:, None] - b[None]) ** 2
    return apart[..., 1:].sum(axis=-1), apart[..., 0]


def _covariance(squares: tuple[Array, Array], s: float, length: float, length_x: float) -> Array:
    """Of f, shape (n, m)."""
    exponent = squares[0] / length**2 + squares[1] / length_x**2
    covariance: Array = s**2 * np.exp(-exponent / 2)
    return covariance


class _Places:
    """Where values are known: what all processes there begin with."""

    def __init__(self, features: Array) -> None:
        self.features, self.squares = features, _squares(features, features)
        self._centre = features.mean(axis=0)
        _, size, directions = np.linalg.svd(features - self._centre, full_matrices=False)
        self._varies = directions[size > 1e-9 * max(size.max(), 1.0)]
        self.plane = self.plane_at(features)

    def plane_at(self, features: Array) -> Array:
        """1, and the directions in which places vary: fractions sum to 1, some may be 0."""
        own = (features - self._centre) @ self._varies.T
        return np.hstack([np.ones((len(features), 1)), own])


@dataclass(frozen=True)
class _Process:
    """One value, given its parameters: (s, l, l_x, noise)."""

    places: _Places
    value: Array
    error: Array
    parameters: Array

    @cached_property
    def factor(self) -> Array:
        """Of Cholesky, of the covariance of the value, its noise included."""
        *kernel, noise = self.parameters
        own = _covariance(self.places.squares, *kernel)
        own.flat[:: len(own) + 1] += self.error**2 + noise**2
        factor, failed = dpotrf(own, lower=True)
        if failed:
            raise np.linalg.LinAlgError("the covariance of the values is not positive definite")
        return np.asarray(factor)

    @cached_property
    def plane(self) -> Array:
        """Columns of the plane, by the inverse covariance."""
        own: Array = _solved(self.factor, self.places.plane)
        return own

    @cached_property
    def of_plane(self) -> Array:
        """Inverse covariance of the plane's coefficients."""
        return np.asarray(self.places.plane.T @ self.plane)

    @cached_property
    def coefficients(self) -> Array:
        """Of the plane."""
        towards = self.places.plane.T @ _solved(self.factor, self.value)
        return np.asarray(np.linalg.solve(self.of_plane, towards), dtype=float)

    @cached_property
    def residual(self) -> tuple[Array, Array]:
        """From the plane, and that by the inverse covariance."""
        own = self.value - self.places.plane @ self.coefficients
        return own, _solved(self.factor, own)

    @property
    def deviance(self) -> float:
        """-2 ln of the likelihood, but for a constant."""
        known = 2 * np.log(np.diag(self.factor)).sum() + np.linalg.slogdet(self.of_plane)[1]
        residual, weighed = self.residual
        return float(residual @ weighed + known)

    def at(self, asked: Array) -> tuple[Array, Array]:
        """Mean and standard deviation, shapes (n,)."""
        cross = _covariance(_squares(asked, self.places.features), *self.parameters[:3])
        there = self.places.plane_at(asked)
        mean = there @ self.coefficients + cross @ self.residual[1]
        left = there - cross @ self.plane
        variance = self.parameters[0] ** 2 - _quadratic(cross, _solved(self.factor, cross.T))
        variance += _quadratic(left, np.asarray(np.linalg.solve(self.of_plane, left.T)))
        return mean, np.sqrt(np.maximum(variance, 0.0))


def _solved(factor: Array, right: Array) -> Array:
    """Inverse covariance times vectors, by LAPACK itself: SciPy's checks take longer."""
    return np.asarray(dpotrs(factor, right, lower=True)[0])


def _quadratic(left: Array, right: Array) -> Array:
    products: Array = np.einsum("ij,ji->i", left, right)
    return products


def _most_likely(features: Array, value: Array, error: Array) -> Array:
    """s, l, l_x and noise of one value; from a short and a long l, for there may be two maxima."""
    scale = max(float(value.std()), 1e-9 * float(np.abs(value).max())) or 1.0
    bounds = np.log([SIZE, LENGTHS, LENGTHS, NOISE])
    given = _Places(features), value / scale, error / scale

    def deviance(logarithms: Array) -> float:
        return _Process(*given, np.exp(logarithms)).deviance

    starts = [np.log([1.0, length, 1.0, 0.03]) for length in STARTS]
    tried = [minimize(deviance, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = np.exp(min(tried, key=lambda one: float(one.fun)).x)
    return np.asarray(best * [scale, 1.0, 1.0, scale])
