"""Normal random numbers inside compiled loops, by the polar method.

G. Marsaglia and T. A. Bray, SIAM Review 6, 260 (1964): a point (x, y) uniform in the unit disc,
s = x^2 + y^2, gives two independent normals x f and y f with f = sqrt(-2 ln(s) / s).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .random import uniform


@compiled
def normal_pair(state: NDArray[np.uint64]) -> tuple[float, float]:
    """Two independent numbers of mean 0 and variance 1."""
    while True:
        x, y = 2.0 * uniform(state) - 1.0, 2.0 * uniform(state) - 1.0
        s = x * x + y * y
        if 0.0 < s < 1.0:
            factor = math.sqrt(-2.0 * math.log(s) / s)
            return x * factor, y * factor
