"""Paths of dx = b(x) dt + sigma(x) dW with drift and noise from tables, by Euler-Maruyama.

Between the points of the tables both are linear, and beyond them the last line goes on, so that no
path is cut or dropped.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .random import uniform

MOMENTS = 4


@compiled
def _normal_pair(rng: NDArray[np.uint64]) -> tuple[float, float]:
    """Two independent standard normal numbers (G. E. P. Box and M. E. Muller, 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(rng)))
    angle = 2.0 * math.pi * uniform(rng)
    return radius * math.cos(angle), radius * math.sin(angle)


@compiled
def _step(
    x: float, low: float, scale: float, drift: NDArray[np.float64], noise: NDArray[np.float64]
) -> tuple[float, float]:
    """Mean and noise of a step from x."""
    place = (x - low) * scale
    k = min(max(int(place), 0), drift.size - 2)
    share = place - k
    return (
        drift[k] + share * (drift[k + 1] - drift[k]),
        noise[k] + share * (noise[k + 1] - noise[k]),
    )


@compiled
def path_moments(
    start: NDArray[np.float64],
    low: float,
    spacing: float,
    drift: NDArray[np.float64],
    noise: NDArray[np.float64],
    dt: float,
    burn_in: int,
    steps: int,
    sums: NDArray[np.float64],
    rng: NDArray[np.uint64],
) -> None:
    """Means of |x|, x^2 and x^4 along paths, and the share of steps with |x| > 1.

    Parameters
    ----------
    start : float64 array, shape (n_paths,)
    low, spacing : float
        First point of the tables and the distance of points.
    drift, noise : float64 arrays, shape (n_points,)
        b and sigma.
    dt : float
    burn_in, steps : int
        Pairs of steps of each path before and while it is measured.
    sums : float64 array, shape (n_paths, 4)
        Takes the means.
    rng : uint64 array, shape (4,)
    """
    means, spreads, scale = drift * dt, noise * math.sqrt(dt), 1.0 / spacing
    for p in range(start.size):
        x, total = start[p], np.zeros(MOMENTS)
        for k in range(burn_in + steps):
            for xi in _normal_pair(rng):
                mean, spread = _step(x, low, scale, means, spreads)
                x += mean + spread * xi
                if k >= burn_in:
                    total[0] += abs(x)
                    total[1] += x * x
                    total[2] += x**4
                    total[3] += abs(x) > 1.0
        sums[p] = total / (2 * steps)
