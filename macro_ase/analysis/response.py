"""Order parameter, fluctuations and responses from a run at one temperature.

With m and e the magnetisation and energy per site, n sites, k_B = 1 and T in units of J:

    chi' = n / T (<m^2> - <|m|>^2)        c = n / T^2 (<e^2> - <e>^2)
    U = 1 - <m^4> / (3 <m^2>^2)           d<O>/dT = n / T^2 (<O e> - <O> <e>)

chi' takes |m| for the order parameter that a finite system lacks, so below the transition it is
the susceptibility (K. Binder and D. W. Heermann, *Monte Carlo Simulation in Statistical Physics*,
Springer 2010). The last line is the fluctuation relation, and gives dU/dT without differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array
from .resampling import jackknife

QUANTITIES = ("m_abs", "m2", "m4", "chi", "binder", "dbinder_dT", "energy", "specific_heat")


@dataclass(frozen=True)
class CanonicalRun:
    """Samples of one system at one temperature.

    Attributes
    ----------
    size : int
        Edge L, in sites.
    temperature : float
        In units of J / k_B.
    energy : array, shape (n_t,)
        Per site, in units of J, the field's part included.
    magnetization : array, shape (n_t,)
        Per site.
    dimension : int
        The system has L^d sites.
    """

    size: int
    temperature: float
    energy: Array
    magnetization: Array
    dimension: int = 2

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0, not {self.temperature:g}")
        if self.energy.ndim != 1 or self.energy.shape != self.magnetization.shape:
            raise ValueError(
                f"energy and magnetization must be series of one length, not of shapes "
                f"{self.energy.shape} and {self.magnetization.shape}"
            )

    @property
    def n_sites(self) -> int:
        """L^d."""
        return int(self.size**self.dimension)


def susceptibility(
    magnetization: ArrayLike, n_sites: int, temperature: float
) -> tuple[Array, Array]:
    """chi' = n / T (<m^2> - <|m|>^2) and its error, from samples of m per site, shape (n_t,)."""
    m = np.abs(np.asarray(magnetization, dtype=float))
    return jackknife(lambda a, b: n_sites / temperature * (b - a**2), m, m**2)


def specific_heat(energy: ArrayLike, n_sites: int, temperature: float) -> tuple[Array, Array]:
    """c = n / T^2 (<e^2> - <e>^2) and its error, from samples of e per site, shape (n_t,)."""
    e = np.asarray(energy, dtype=float)
    e = e - e.mean()
    return jackknife(lambda a, b: n_sites / temperature**2 * (b - a**2), e, e**2)


def quantities(
    run: CanonicalRun, weights: ArrayLike | None = None, temperature: float | None = None
) -> tuple[Array, Array]:
    """All of `QUANTITIES` and their errors.

    Parameters
    ----------
    run : CanonicalRun
    weights : array, shape (n_t,), optional
        Of the samples, as `reweighting.boltzmann_weights` gives them; default: all alike.
    temperature : float, optional
        That which the weights are for; default: the run's.

    Returns
    -------
    values, errors : arrays, shape (8,)
        <|m|>, <m^2>, <m^4>, chi', U, dU/dT, <e>, c.
    """
    n, T = run.n_sites, run.temperature if temperature is None else temperature
    shift = run.energy.mean()
    w = np.ones(len(run.energy)) if weights is None else np.asarray(weights, dtype=float)
    m2, e = run.magnetization**2, run.energy - shift
    series = np.stack([np.abs(run.magnetization), m2, m2**2, e, e**2, m2 * e, m2**2 * e], axis=1)

    def of_means(norm: Array, weighted: Array) -> Array:
        m_abs, m2, m4, e, e2, m2e, m4e = weighted / norm
        dm2, dm4 = n / T**2 * (m2e - m2 * e), n / T**2 * (m4e - m4 * e)
        slope = (2 * m4 * dm2 / m2 - dm4) / (3 * m2**2)
        chi, heat = n / T * (m2 - m_abs**2), n / T**2 * (e2 - e**2)
        return np.array([m_abs, m2, m4, chi, 1 - m4 / (3 * m2**2), slope, e + shift, heat])

    return jackknife(of_means, w, w[:, None] * series)
