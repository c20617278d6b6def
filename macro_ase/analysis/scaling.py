"""Critical exponents from how observables grow with the size at T_c.

    <|m|> ~ L^(-beta/nu)        chi' ~ L^(gamma/nu)        dU/dT ~ L^(1/nu)

(M. E. Fisher and M. N. Barber, Phys. Rev. Lett. 28, 1516, 1972; A. M. Ferrenberg and
D. P. Landau, Phys. Rev. B 44, 5081, 1991, for dU/dT). Corrections die out with L: fits that drop
the smallest sizes, with their L_min and chi^2 beside them, show how much they still matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from ..arrays import Array
from .sweep_table import SweepTable


@dataclass(frozen=True)
class PowerLaw:
    """A weighted fit of y = amplitude x^exponent.

    Attributes
    ----------
    exponent, error : float
    amplitude : float
    x_min : float
        The smallest x that was fitted.
    chi2 : float
    n_free : int
        Points less the two parameters.
    """

    exponent: float
    error: float
    amplitude: float
    x_min: float
    chi2: float
    n_free: int

    @property
    def p_value(self) -> float:
        """Chance of a chi^2 at least as large if the law holds; nan for two points."""
        return float(chdtrc(self.n_free, self.chi2)) if self.n_free else np.nan

    def __call__(self, x: ArrayLike) -> Array:
        return self.amplitude * np.asarray(x, dtype=float) ** self.exponent


@dataclass(frozen=True)
class CriticalExponents:
    """Ratios of exponents at one temperature, as fits against the size.

    Attributes
    ----------
    temperature : float
        Taken for T_c; that it is uncertain is not in the errors.
    order, response, slope : PowerLaw
        Of <|m|>, chi' and |dU/dT|.
    """

    temperature: float
    order: PowerLaw
    response: PowerLaw
    slope: PowerLaw

    @property
    def beta_over_nu(self) -> tuple[float, float]:
        """Value and error."""
        return -self.order.exponent, self.order.error

    @property
    def gamma_over_nu(self) -> tuple[float, float]:
        """Value and error."""
        return self.response.exponent, self.response.error

    @property
    def one_over_nu(self) -> tuple[float, float]:
        """Value and error."""
        return self.slope.exponent, self.slope.error

    @property
    def hyperscaling(self) -> tuple[float, float]:
        """2 beta/nu + gamma/nu, which is the dimension, and its error."""
        value = 2 * self.beta_over_nu[0] + self.gamma_over_nu[0]
        return value, float(np.hypot(2 * self.order.error, self.response.error))


def fit_power_law(x: ArrayLike, y: ArrayLike, errors: ArrayLike, x_min: float = 0.0) -> PowerLaw:
    """Straight line through log y against log x, weighted by (y / error)^2.

    Parameters
    ----------
    x, y, errors : arrays, shape (n,)
        All above 0; errors are standard errors of y. Points whose error is infinite, for it is
        not known, are dropped.
    x_min : float
        Points below it are dropped.

    Raises
    ------
    ValueError
        If a value is not above 0, or fewer than two points are left.
    """
    x, y, errors = (np.asarray(a, dtype=float) for a in (x, y, errors))
    kept = (x >= x_min) & (errors < np.inf)
    x, y, errors = x[kept], y[kept], errors[kept]
    if len(x) < 2:
        raise ValueError(f"a power law needs 2 points or more, not {len(x)} from {x_min:g} on")
    for name, values in (("x", x), ("y", y), ("errors", errors)):
        if not np.all(values > 0):
            raise ValueError(f"{name} must be above 0 for a power law, not {values.min():g}")
    relative = errors / y
    design = np.stack([np.log(x), np.ones(len(x))], axis=1) / relative[:, None]
    covariance = np.linalg.inv(design.T @ design)
    solution = covariance @ design.T @ (np.log(y) / relative)
    chi2 = float(((np.log(y) / relative - design @ solution) ** 2).sum())
    return PowerLaw(
        float(solution[0]),
        float(np.sqrt(covariance[0, 0])),
        float(np.exp(solution[1])),
        float(x.min()),
        chi2,
        len(x) - 2,
    )


def critical_exponents(
    table: SweepTable, temperature: float, l_min: float = 0.0
) -> CriticalExponents:
    """beta/nu, gamma/nu and 1/nu from a sweep, at a temperature taken for T_c.

    Parameters
    ----------
    table : SweepTable
        If the temperature was not simulated, the nearest runs are reweighted to it.
    temperature : float
    l_min : float
        Smaller sizes are dropped, against corrections to scaling.

    Raises
    ------
    ValueError
        If fewer than two sizes are left.
    """
    row = table.at(temperature)
    fits = {}
    for name in ("m_abs", "chi", "dbinder_dT"):
        values, errors = row.column(name)
        fits[name] = fit_power_law(row.size, np.abs(values), errors, l_min)
    return CriticalExponents(float(temperature), fits["m_abs"], fits["chi"], fits["dbinder_dT"])


def exponents_by_smallest_size(
    table: SweepTable, temperature: float
) -> Sequence[CriticalExponents]:
    """`critical_exponents` for every l_min that leaves two sizes: stable once corrections died."""
    return [critical_exponents(table, temperature, l_min) for l_min in table.sizes[:-1]]
