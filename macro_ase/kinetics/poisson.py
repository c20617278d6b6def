"""Poisson numbers inside compiled loops.

Small means by counting uniforms until their product falls below exp(-mean); large ones by
transformed rejection with squeeze (W. Hörmann, Insurance: Mathematics and Economics 12, 39,
1993), at a cost that does not grow with the mean.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .random import uniform

SMALL_MEAN = 10.0


@compiled
def _by_product(mean: float, rng: NDArray[np.uint64]) -> int:
    count, product, limit = 0, uniform(rng), math.exp(-mean)
    while product > limit:
        product *= uniform(rng)
        count += 1
    return count


@compiled
def _by_rejection(mean: float, rng: NDArray[np.uint64]) -> int:
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = 0.02483 * b - 0.059
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    squeeze = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u, v = uniform(rng) - 0.5, 1.0 - uniform(rng)
        edge = 0.5 - abs(u)
        if edge == 0.0:
            continue
        k = math.floor((2.0 * a / edge + b) * u + mean + 0.43)
        if edge >= 0.07 and v <= squeeze:
            return int(k)
        if k < 0 or (edge < 0.013 and v > edge):
            continue
        proposed = math.log(v * inverse_alpha / (a / edge**2 + b))
        if proposed <= k * math.log(mean) - mean - math.lgamma(k + 1.0):
            return int(k)


@compiled
def poisson(mean: float, rng: NDArray[np.uint64]) -> int:
    """A Poisson number of the given mean (0 or more, up to about 1e12)."""
    if mean < SMALL_MEAN:
        return _by_product(mean, rng)
    return _by_rejection(mean, rng)
