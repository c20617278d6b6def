"""Order parameters of single phases of bcc and fcc, from what their four sublattices hold.

With c_s the share of a species on sublattice s (`sublattices`), c that on all sites, and the parts

    fcc   p_k  = (c_s signed by planes across axis k)^2 / 16,    k = x, y, z
    bcc   p_H  = (corners - centres)^2 / 16,
          p_1  = (corner - other corner)^2 / 8,   p_2 the same of the centres

of the variance of c_s over sublattices, whose largest possible value is c (1 - c), the squares are

    L1_2  3 min p_k / c (1 - c)                  B2    p_H / c (1 - c)
    L1_0  (max p_k - middle p_k) / c (1 - c)     B32   2 min(p_1, p_2) / c (1 - c)
                                                 D0_3  3/2 |p_1 - p_2| / c (1 - c)

and of any phase, the sum of all three over c (1 - c).

1 in the perfect phase of two species. L1_2 and L1_0 are 0 in each other, B32 and D0_3 in B2 and in
each other; D0_3 has 1/3 of B2's square, as its reflections say. In n random sites a part has the
mean c (1 - c) / (n - 1) and, n large, the law of a squared normal number, hence `RANDOM`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array
from ..lattice import SiteGrid
from ..sublattices import sublattices, two_cells_repeat
from .long_range_order import site_holds

PLANES = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 4
HALVES = (
    np.array([[1, -1, 1, -1], [math.sqrt(2), 0, -math.sqrt(2), 0], [0, 2**0.5, 0, -(2**0.5)]]) / 4
)
RANDOM = {
    "any": 3.0,
    "L1_2": 3 * (1 + (2 * math.sqrt(3) - 6) / math.pi),
    "L1_0": 6 * (math.sqrt(3) - 1) / math.pi,
    "B2": 1.0,
    "B32": 2 * (1 - 2 / math.pi),
    "D0_3": 6 / math.pi,
}
"""Mean squares in random crystals of n sites, times n - 1: of any and B2 exact, else n large."""


def phase_order(occupation: ArrayLike, grid: SiteGrid, n_species: int) -> dict[str, Array]:
    """Squares of the order parameters by phase, shape (..., S) each.

    Parameters
    ----------
    occupation : int array, shape (..., n_sites)
        Species code of each site; leading axes are snapshots.
    grid : SiteGrid
        bcc or fcc; of bcc with an odd number of cells along an axis only B2 is known.
    n_species : int
        Number of species S, the vacancy included.

    Returns
    -------
    dict of arrays
        NaN for a species that fills no site or all of them.

    Raises
    ------
    ValueError
        If the lattice is neither, or the occupation does not fit the grid.
    """
    parts = _parts(occupation, grid, n_species)
    if grid.lattice.name == "fcc":
        least, middle, most = np.sort(parts, axis=0)
        return {"any": parts.sum(axis=0), "L1_2": 3 * least, "L1_0": most - middle}
    b2, first, second = parts
    if not two_cells_repeat(grid):
        return {"B2": b2}
    whole = {"any": parts.sum(axis=0)}
    return whole | {
        "B2": b2,
        "B32": 2 * np.minimum(first, second),
        "D0_3": 1.5 * np.abs(first - second),
    }


def half_peak(occupation: ArrayLike, grid: SiteGrid, n_species: int) -> Array:
    """S_AA of bcc at k = (1/2, 1/2, 1/2), where B32 and D0_3 reflect, over c (1 - c).

    See `structure_factors`; shape (..., S). NaN where `phase_order` is, or where these do not fit.
    """
    _, first, second = _parts(occupation, grid, n_species)
    share = 1.0 if two_cells_repeat(grid) else np.nan
    peak: Array = share * grid.n_sites * (first + second) / 2
    return peak


def _parts(occupation: ArrayLike, grid: SiteGrid, n_species: int) -> Array:
    """Parts of the variance over c (1 - c), shape (3, ..., S)."""
    own = sublattices(grid)[:, None] == np.arange(4)
    holds = site_holds(occupation, grid, n_species)
    shares = holds @ (own / own.sum(axis=0))
    c = holds.mean(axis=-1)
    modes = PLANES if grid.lattice.name == "fcc" else HALVES
    with np.errstate(invalid="ignore"):
        return np.moveaxis((shares @ modes.T) ** 2 / (c * (1 - c))[..., None], -1, 0)
