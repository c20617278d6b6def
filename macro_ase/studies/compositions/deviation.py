"""Order of many compositions in one unit: bond densities against the scatter of a random crystal.

With y_AB the A-B bonds of shell k per site, z_k neighbours and c the composition,

    x_AB = (z_k c_A c_B - y_AB) / sqrt(z_k c_A c_B) = sqrt(z_k c_A c_B) alpha_AB.

In a random crystal of n sites n var(x_AB) = (1 - c_A) (1 - c_B) + c_A c_B, at most 1, where the
variance of alpha is this over z_k c_A c_B and has no bound. So one model of many compositions hears
each of them alike. x_AB goes to 0 where A or B is absent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arrays import Array
from ...systems.alloy_order import BondOrder

Pairs = Sequence[tuple[int, int]]


def scatter_scale(order: BondOrder, pairs: Pairs, shells: int) -> Array:
    """sqrt(z_k c_A c_B) of pairs by shell, shape (shells * pairs,); 0 where a species is absent."""
    first, second = np.array(pairs).T
    one = order.fractions[first] * order.fractions[second]
    return np.sqrt(np.outer(order.shell_sizes[:shells], one).ravel())


def deviation(order: BondOrder, z: Array, shells: int) -> Array:
    """x, shape (..., d), from the bond densities z of so many shells."""
    scale = scatter_scale(order, order.pairs, shells)
    return np.asarray(scale - z / scale)


def change_of_deviation(order: BondOrder, dz: Array, shells: int) -> Array:
    """Change of x, shape (..., d), as bond densities change by dz."""
    return np.asarray(-dz / scatter_scale(order, order.pairs, shells))


def delta_of_deviation(
    order: BondOrder, pairs: Pairs, x: Array, vacancy_neighbours: Array
) -> Array:
    """delta of all pairs that are there, shape (..., n_all), from x of unlike ones.

    Parameters
    ----------
    order : BondOrder
        Of the crystal, which may lack species.
    pairs : sequence of (int, int)
        Unlike pairs whose x come first in ``x``, shape (..., d).
    vacancy_neighbours : array, shape (..., S - 1)
    """
    columns = [pairs.index(pair) for pair in order.pairs]
    scale = scatter_scale(order, order.pairs, 1)
    return order.delta(scale * (scale - x[..., columns]), vacancy_neighbours)
