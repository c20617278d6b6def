"""Arrhenius' law, D = D0 exp(-Q / k_B T), fitted to values with errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import units
from numpy.typing import ArrayLike

from ..arrays import Array


@dataclass(frozen=True)
class Arrhenius:
    """A fitted law.

    Attributes
    ----------
    log_prefactor : float
        ln D0, D0 in the units of the values.
    activation_eV : float
        Q.
    covariance : array, shape (2, 2)
        Of ln D0 and Q.
    chi2 : float
        Sum of squared residuals of ln D over their errors.
    degrees : int
        Values less two; where chi2 / degrees exceeds 1, the covariance was multiplied by it.
    """

    log_prefactor: float
    activation_eV: float
    covariance: Array
    chi2: float
    degrees: int

    @property
    def prefactor(self) -> float:
        """D0, in the units of the values."""
        return float(np.exp(self.log_prefactor))

    @property
    def prefactor_error(self) -> float:
        """Standard error of D0, D0 times that of ln D0."""
        return self.prefactor * float(np.sqrt(self.covariance[0, 0]))

    @property
    def activation_error_eV(self) -> float:
        """Standard error of Q."""
        return float(np.sqrt(self.covariance[1, 1]))

    def at(self, temperature_K: ArrayLike) -> tuple[Array, Array]:
        """D and its standard error, shape (n,) each, at some temperatures in K."""
        beta = 1 / (units.kB * np.atleast_1d(np.asarray(temperature_K, dtype=float)))
        value = np.exp(self.log_prefactor - self.activation_eV * beta)
        rows = np.stack([np.ones_like(beta), -beta], axis=1)
        return value, value * np.sqrt(np.einsum("ni,ij,nj->n", rows, self.covariance, rows))


def fit_arrhenius(temperatures_K: ArrayLike, values: ArrayLike, errors: ArrayLike) -> Arrhenius:
    """Weighted least squares of ln D against 1 / k_B T.

    Parameters
    ----------
    temperatures_K, values, errors : arrays, shape (n,)
        Independent values with their standard errors, all above 0.

    Raises
    ------
    ValueError
        If there are fewer than two temperatures, or a value or error is not above 0.
    """
    T, D, s = (np.asarray(given, dtype=float) for given in (temperatures_K, values, errors))
    if len(np.unique(T)) < 2:
        raise ValueError(f"an Arrhenius fit needs two temperatures or more, not {T.tolist()}")
    if not all(np.all((part > 0) & np.isfinite(part)) for part in (T, D, s)):
        raise ValueError("an Arrhenius fit needs temperatures, values and errors above 0")
    beta = 1 / (units.kB * T)
    middle = beta.mean()
    weights = D / s
    rows = np.stack([np.ones_like(beta), middle - beta], axis=1) * weights[:, None]
    inner = np.linalg.inv(rows.T @ rows)
    solution = inner @ rows.T @ (weights * np.log(D))
    chi2 = float(((rows @ solution - weights * np.log(D)) ** 2).sum())
    degrees = len(T) - 2
    back = np.array([[1.0, middle], [0.0, 1.0]])
    covariance = back @ inner @ back.T * max(1.0, chi2 / degrees if degrees else 1.0)
    log_prefactor, activation = back @ solution
    return Arrhenius(float(log_prefactor), float(activation), covariance, chi2, degrees)
