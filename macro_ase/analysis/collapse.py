"""Data collapse: curves of all sizes on one master curve.

    y_L(T) L^-r = f(x),    x = (T - T_c) L^(1/nu)

with r = -beta/nu for <|m|>, gamma/nu for chi', 0 for U. The master curve is a polynomial, fitted
to all points at once, and the quality is chi^2 per degree of freedom: about 1 if the curves fall
together within their errors. T_c, 1/nu and r are those that minimise it. S. M. Bhattacharjee and
F. Seno (J. Phys. A 34, 6375, 2001) measure the same by interpolating between sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from ..arrays import Array
from .sweep_table import SweepTable

PARAMETERS = ("critical_temperature", "one_over_nu", "ratio")


@dataclass(frozen=True)
class Curves:
    """Measured points of all sizes, arrays of shape (n,)."""

    size: Array
    temperature: Array
    value: Array
    error: Array

    def __post_init__(self) -> None:
        if not np.all(self.error > 0):
            raise ValueError("errors must be above 0: leave out points without any")

    @classmethod
    def of_table(cls, table: SweepTable, name: str) -> Curves:
        """One column of a sweep."""
        table = table.rows(table.resolved)
        value, error = table.column(name)
        return cls(table.size.astype(float), table.temperature, value, error)

    def scaled(
        self, critical_temperature: float, one_over_nu: float, ratio: float
    ) -> tuple[Array, Array, Array]:
        """x, y and the error of y, shape (n,)."""
        shrink = self.size**-ratio
        x = (self.temperature - critical_temperature) * self.size**one_over_nu
        return x, self.value * shrink, self.error * shrink


@dataclass(frozen=True)
class Collapse:
    """The best collapse of some curves.

    Attributes
    ----------
    critical_temperature, one_over_nu, ratio : float
    errors : mapping
        Standard error by name of the parameters, 0 for those that were given.
    chi2 : float
    n_free : int
        Points less all parameters, those of the master curve included.
    degree : int
        Of the master curve.
    """

    critical_temperature: float
    one_over_nu: float
    ratio: float
    errors: Mapping[str, float]
    chi2: float
    n_free: int
    degree: int

    @property
    def quality(self) -> float:
        """chi^2 per degree of freedom: about 1 for a collapse within the errors."""
        return self.chi2 / self.n_free

    @property
    def parameters(self) -> tuple[float, float, float]:
        """T_c, 1/nu and r."""
        return self.critical_temperature, self.one_over_nu, self.ratio


def collapse_residuals(curves: Curves, parameters: ArrayLike, degree: int) -> Array:
    """Distances from the best master curve, over the errors, shape (n,)."""
    x, y, error = curves.scaled(*np.asarray(parameters, dtype=float))
    span = np.abs(x).max() or 1.0
    design = chebyshev.chebvander(x / span, degree) / error[:, None]
    coefficients, *_ = np.linalg.lstsq(design, y / error, rcond=None)
    return y / error - design @ coefficients


def fit_collapse(
    curves: Curves,
    start: Mapping[str, float],
    given: Mapping[str, float] | None = None,
    degree: int = 6,
) -> Collapse:
    """Find the parameters that make the curves collapse.

    Parameters
    ----------
    curves : Curves
        Two sizes or more, in a range of x in which the master curve is a polynomial.
    start : mapping
        First guesses by name: ``critical_temperature``, ``one_over_nu``, ``ratio``.
    given : mapping, optional
        Parameters known beforehand, by name.
    degree : int
        Of the master curve.

    Returns
    -------
    Collapse
        Errors are from the curvature of chi^2, times the square root of `Collapse.quality` if
        that is above 1.

    Raises
    ------
    ValueError
        If a name is unknown or missing, there is one size, or there are too few points.
    """
    given = dict(given or {})
    known = {**start, **given}
    if set(known) != set(PARAMETERS):
        raise ValueError(f"start and given must hold {', '.join(PARAMETERS)}, not {set(known)}")
    free = [name for name in PARAMETERS if name not in given]
    n_free = len(curves.value) - len(free) - degree - 1
    if len(np.unique(curves.size)) < 2 or n_free < 1:
        raise ValueError(
            f"a collapse needs 2 sizes and more than {len(curves.value) - n_free} points"
        )

    def residuals(values: Array) -> Array:
        trial = known | dict(zip(free, values))
        return collapse_residuals(curves, [trial[name] for name in PARAMETERS], degree)

    scale = [1e-2 * max(abs(known[name]), 0.1) for name in free]
    best = least_squares(residuals, [known[name] for name in free], x_scale=scale)
    chi2 = float(2 * best.cost)
    covariance = np.linalg.pinv(best.jac.T @ best.jac) * max(1.0, chi2 / n_free)
    errors = dict.fromkeys(PARAMETERS, 0.0) | dict(zip(free, np.sqrt(np.diag(covariance)).tolist()))
    found = known | dict(zip(free, best.x.tolist()))
    return Collapse(**found, errors=errors, chi2=chi2, n_free=n_free, degree=degree)
