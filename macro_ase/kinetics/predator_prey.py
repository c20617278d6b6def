"""Rates of the predator-prey equations on a grid: logistic prey u, predators v that live on it.

u' = u (1 - u - v) + D_u lap u,    v' = a v (u - b) + D_v lap v
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .field_rates import register
from .stencils import five_point


class PredatorPreyParameters(NamedTuple):
    """Numbers of the equations; diffusion constants divided by the cell's area h^2."""

    a: float
    b: float
    diffusion_u: float
    diffusion_v: float


@compiled
def predator_prey_rates(
    parameters: PredatorPreyParameters, padded: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Rates of prey u and predators v; see `field_rates`."""
    prey, predators = padded[0], padded[1]
    a, b = parameters.a, parameters.b
    for i in range(1, padded.shape[1] - 1):
        for j in range(1, padded.shape[2] - 1):
            u, v = prey[i, j], predators[i, j]
            out[0, i, j] = u * (1.0 - u - v) + parameters.diffusion_u * five_point(prey, i, j)
            spread = parameters.diffusion_v * five_point(predators, i, j)
            out[1, i, j] = a * v * (u - b) + spread


register(PredatorPreyParameters, predator_prey_rates)
