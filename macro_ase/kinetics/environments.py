"""Means over atoms of functions of pair distances, their rates, and the gradients of both.

    S_k = (1 / 2n) sum_ij R_k(r_ij),      dS_k/dt = (1 / 2n) sum_ij R'_k u . w,
    R_k(r) = exp(-(r - r_k)^2 / (2 s^2)) (1 + cos(pi r / r_c)) / 2,   r < r_c,

with u the direction from i to j and w = v_j - v_i. By the position and velocity of atom i,

    n dS_k/dx_i = n d(dS_k/dt)/dv_i = - sum_j R'_k u
    n d(dS_k/dt)/dx_i = - sum_j [R''_k (u . w) u + R'_k (w - (u . w) u) / r].
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..compiled import compiled, inlined
from .cell_list import Cells, cell_image, cell_range

Vector = tuple[float, float, float]


class Sums(NamedTuple):
    """Sums over the pairs of n atoms for K centres."""

    density: Array  # (K,) 2 n S
    rate: Array  # (K,) 2 n dS/dt
    pull: Array  # (n, K, 3) n dS/dx_i
    turn: Array  # (n, K, 3) n d(dS/dt)/dx_i


@compiled
def pair_functions(
    r: float, centres: Array, width: float, cutoff: float, out: NDArray[np.float64]
) -> None:
    """R_k, R'_k and R''_k at a distance below the cutoff, into ``out`` of shape (3, K)."""
    c = math.pi / cutoff
    fall, slope = (1 + math.cos(c * r)) / 2, -c * math.sin(c * r) / 2
    bend = -c * c * math.cos(c * r) / 2
    for k in range(len(centres)):
        x = (r - centres[k]) / width
        peak = math.exp(-x * x / 2)
        first, second = -x / width * peak, (x * x - 1) / (width * width) * peak
        out[0, k] = peak * fall
        out[1, k] = first * fall + peak * slope
        out[2, k] = second * fall + 2 * first * slope + peak * bend


@inlined
def _add_pair(sums: Sums, values: Array, i: int, r: float, u: Vector, w: Vector) -> None:
    """Add a pair as atom i sees it; ``values``, shape (3, K), are those of `pair_functions`."""
    (ux, uy, uz), (wx, wy, wz) = u, w
    closing = ux * wx + uy * wy + uz * wz
    px, py, pz = wx - closing * ux, wy - closing * uy, wz - closing * uz
    for k in range(values.shape[1]):
        slope = values[1, k]
        along, across = values[2, k] * closing, slope / r
        sums.density[k] += values[0, k]
        sums.rate[k] += slope * closing
        sums.pull[i, k, 0] -= slope * ux
        sums.pull[i, k, 1] -= slope * uy
        sums.pull[i, k, 2] -= slope * uz
        sums.turn[i, k, 0] -= along * ux + across * px
        sums.turn[i, k, 1] -= along * uy + across * py
        sums.turn[i, k, 2] -= along * uz + across * pz


@compiled
def environment_sums(
    cells: Cells, velocities: Array, centres: Array, width: float, cutoff: float
) -> tuple[Array, Array, Array, Array]:
    """Sums over pairs, seen from each atom.

    Parameters
    ----------
    cells : Cells
    velocities : array, shape (n, 3)
        In the order of the atoms.
    centres : array, shape (K,)
        r_k.
    width, cutoff : float
        s and r_c.

    Returns
    -------
    density, rate : arrays, shape (K,)
        S and dS/dt.
    pull, turn : arrays, shape (n, K, 3)
        n dS/dx_i and n d(dS/dt)/dx_i.
    """
    n, number = len(velocities), len(centres)
    density, rate = np.zeros(number), np.zeros(number)
    sums = Sums(density, rate, np.zeros((n, number, 3)), np.zeros((n, number, 3)))
    span, f, values = np.empty((3, 2), dtype=np.int64), np.empty(3), np.empty((3, number))
    for at in range(n):
        i = cells.order[at]
        x, y, z = cells.places[at, 0], cells.places[at, 1], cells.places[at, 2]
        for k in range(3):
            f[k] = x * cells.inverse[0, k] + y * cells.inverse[1, k] + z * cells.inverse[2, k]
        cell_range(cells, f, f, cutoff, span)
        for a in range(span[0, 0], span[0, 1] + 1):
            for b in range(span[1, 0], span[1, 1] + 1):
                for c in range(span[2, 0], span[2, 1] + 1):
                    cell, sx, sy, sz = cell_image(cells, a, b, c)
                    for other in range(cells.starts[cell], cells.starts[cell + 1]):
                        dx = cells.places[other, 0] + sx - x
                        dy = cells.places[other, 1] + sy - y
                        dz = cells.places[other, 2] + sz - z
                        r2 = dx * dx + dy * dy + dz * dz
                        if not 0.0 < r2 < cutoff * cutoff:
                            continue
                        j, r = cells.order[other], math.sqrt(r2)
                        wx = velocities[j, 0] - velocities[i, 0]
                        wy = velocities[j, 1] - velocities[i, 1]
                        wz = velocities[j, 2] - velocities[i, 2]
                        pair_functions(r, centres, width, cutoff, values)
                        _add_pair(sums, values, i, r, (dx / r, dy / r, dz / r), (wx, wy, wz))
    return density / (2 * n), rate / (2 * n), sums.pull, sums.turn
