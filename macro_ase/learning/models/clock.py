"""The unit of a model's time: the mean residence time against temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Array, finite_array


@dataclass(frozen=True)
class Clock:
    """Mean residence time against 1000 K / T, or whatever condition comes first."""

    x: Array
    log_tau: Array

    def __post_init__(self) -> None:
        x = finite_array(self.x, "the clock's x", None)
        log_tau = finite_array(self.log_tau, "the clock's log_tau", len(x))
        if not len(x) or np.any(np.diff(x) <= 0):
            raise ValueError(f"the clock's x must ascend, not be {x.tolist()}")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "log_tau", log_tau)

    def tau_w(self, temperature_K: float) -> float:
        """Mean residence time at a temperature."""
        if not temperature_K > 0:
            raise ValueError(f"the temperature must be above 0 K, not {temperature_K}")
        return self.tau_at(np.array([1000 / temperature_K]))

    def tau_at(self, condition: Array) -> float:
        """Mean residence time; log-linear between and beyond the points (Arrhenius)."""
        if len(self.x) == 1:
            return float(np.exp(self.log_tau[0]))
        if not len(condition):
            raise ValueError("a clock of several points needs a condition, 1000 K / T first")
        at = float(condition[0])
        k = int(np.clip(np.searchsorted(self.x, at) - 1, 0, len(self.x) - 2))
        slope = (self.log_tau[k + 1] - self.log_tau[k]) / (self.x[k + 1] - self.x[k])
        return float(np.exp(self.log_tau[k] + slope * (at - self.x[k])))

    def log_taus(self, x: Array) -> Array:
        """Logarithm of the mean residence time at values of the first condition, same shape."""
        if len(self.x) == 1:
            return np.full(x.shape, self.log_tau[0])
        k = np.clip(np.searchsorted(self.x, x) - 1, 0, len(self.x) - 2)
        slope = np.diff(self.log_tau) / np.diff(self.x)
        return np.asarray(self.log_tau[k] + slope[k] * (x - self.x[k]))
