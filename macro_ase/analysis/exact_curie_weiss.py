"""The Curie-Weiss model exactly: its stationary law, and its birth-death chain in time.

    H = -M^2 / (2 n) - h M,    P(M) ~ n! / (n_up! n_down!) exp(-H / T),    k_B = 1.

Under Glauber dynamics n_up grows at rate n_down w and shrinks at rate n_up w, with
w = 1 / (1 + exp(dH / T)); the master equation of this chain has n + 1 states.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from scipy.special import gammaln

from ..arrays import Array
from ..kinetics.curie_weiss import birth_death_rates

TOLERANCE = 1e-9


@dataclass(frozen=True)
class ExactCurieWeiss:
    """n spins that all feel their mean.

    Attributes
    ----------
    n_sites : int
    temperature : float
    field : float
        h.
    """

    n_sites: int
    temperature: float
    field: float = 0.0

    def __post_init__(self) -> None:
        if self.n_sites != int(self.n_sites) or self.n_sites < 1:
            raise ValueError(f"n_sites must be a whole number of at least 1, not {self.n_sites}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature must be above 0, not {self.temperature}")

    @property
    def magnetisation(self) -> Array:
        """Mean spin of each state, shape (n_sites + 1,), from -1 to 1."""
        return (2 * np.arange(self.n_sites + 1) - self.n_sites) / self.n_sites

    @property
    def rates(self) -> tuple[Array, Array]:
        """Rates at which the number of up spins grows and shrinks, each (n_sites + 1,)."""
        births, deaths = birth_death_rates(self.n_sites, self.temperature, self.field)
        return births[0], deaths[0]

    def stationary(self) -> Array:
        """Equilibrium probability of each state, shape (n_sites + 1,)."""
        ups, m = np.arange(self.n_sites + 1), self.magnetisation
        entropy = -gammaln(ups + 1.0) - gammaln(self.n_sites - ups + 1.0)
        log_weight = entropy + self.n_sites * (m**2 / 2 + self.field * m) / self.temperature
        weight = np.exp(log_weight - log_weight.max())
        shares: Array = weight / weight.sum()
        return shares

    def stationary_moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the mean spin in equilibrium."""
        p, m = self.stationary(), self.magnetisation
        mean = float(p @ m)
        return mean, float(np.sqrt(p @ (m - mean) ** 2))

    def mean_time_of_flips(self) -> float:
        """Mean physical time of n flips in equilibrium."""
        births, deaths = self.rates
        return self.n_sites / float(self.stationary() @ (births + deaths))

    def mean_passage_time(self, start_m: float, end_m: float) -> float:
        """Mean time until the mean spin first reaches a value, from another one.

        A step up from state j takes t_j = (1 + deaths_j t_(j-1)) / births_j on average; downwards
        alike (N. G. van Kampen, *Stochastic Processes in Physics and Chemistry*, chapter XII).

        Parameters
        ----------
        start_m, end_m : float
            The nearest that n spins can have are taken.

        Raises
        ------
        ValueError
            If one does not lie between -1 and 1.
        """
        start, end = self._state(start_m), self._state(end_m)
        towards, back = self.rates
        if end < start:
            towards, back = back[::-1], towards[::-1]
            start, end = self.n_sites - start, self.n_sites - end
        steps, step = [], 0.0
        for forward, backward in zip(towards[:end].tolist(), back[:end].tolist()):
            step = (1 + backward * step) / forward
            steps.append(step)
        return math.fsum(steps[start:])

    def _state(self, m: float) -> int:
        """Number of up spins of the state nearest a mean spin."""
        if not -1 <= m <= 1:
            raise ValueError(f"a mean spin must lie in -1..1, not {m}")
        return round((1 + m) / 2 * self.n_sites)

    def distribution(self, initial: ArrayLike, times: ArrayLike) -> Array:
        """Probability of each state at given times, by integrating the master equation.

        The cost grows about as n_sites^2: a second for some thousands.

        Parameters
        ----------
        initial : array, shape (n_sites + 1,)
            Probability at time 0.
        times : array, shape (n_times,)
            Ascending, from 0.

        Returns
        -------
        array, shape (n_times, n_sites + 1)
            To an absolute error of about 1e-9.
        """
        start, ends = np.asarray(initial, dtype=float), np.atleast_1d(np.asarray(times, float))
        if start.shape != (self.n_sites + 1,) or not math.isclose(start.sum(), 1, abs_tol=1e-9):
            raise ValueError(f"initial must be {self.n_sites + 1} probabilities that add up to 1")
        if np.any(np.diff(ends, prepend=0.0) < 0):
            raise ValueError("times must ascend from 0")
        births, deaths = self.rates

        def change(_: float, p: Array) -> Array:
            up, down = births[:-1] * p[:-1], deaths[1:] * p[1:]
            flow = -(births + deaths) * p
            flow[1:] += up
            flow[:-1] += down
            return flow

        def banded(_: float, p: Array) -> Array:
            above, below = np.append(0.0, deaths[1:]), np.append(births[:-1], 0.0)
            return np.stack([above, -(births + deaths), below])

        solution = solve_ivp(
            change,
            (0.0, ends[-1] if ends[-1] > 0 else 1.0),
            start,
            method="LSODA",
            t_eval=ends,
            jac=banded,
            lband=1,
            uband=1,
            rtol=1e-7,
            atol=TOLERANCE,
        )
        found: Array = solution.y.T
        return found

    def moments(self, initial_m: float, times: ArrayLike) -> tuple[Array, Array]:
        """Mean and standard deviation of the mean spin, each (n_times,), from a sharp start.

        Parameters
        ----------
        initial_m : float
            Mean spin at time 0; the nearest that n spins can have is taken.
        times : array, shape (n_times,)
            Ascending, from 0.
        """
        start = np.zeros(self.n_sites + 1)
        start[self._state(initial_m)] = 1.0
        p, m = self.distribution(start, times), self.magnetisation
        mean = p @ m
        return mean, np.sqrt(np.maximum(p @ m**2 - mean**2, 0.0))
