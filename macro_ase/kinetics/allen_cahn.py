"""Rates of the Allen-Cahn equation on a grid.

v' = lap v - (v^3 - v) / eps^2
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .field_rates import register
from .stencils import five_point


class AllenCahnParameters(NamedTuple):
    """Numbers of the equation."""

    inverse_area: float  # 1 / h^2
    inverse_width_squared: float  # 1 / eps^2


@compiled
def allen_cahn_rates(
    parameters: AllenCahnParameters, padded: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Rates of the order parameter; see `field_rates`."""
    field = padded[0]
    for i in range(1, padded.shape[1] - 1):
        for j in range(1, padded.shape[2] - 1):
            v = field[i, j]
            reaction = (v - v * v * v) * parameters.inverse_width_squared
            out[0, i, j] = parameters.inverse_area * five_point(field, i, j) + reaction


register(AllenCahnParameters, allen_cahn_rates)
