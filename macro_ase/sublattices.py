"""The four sublattices of bcc and of fcc, and who fills them in ordered phases.

fcc is four simple cubic lattices, numbered as the sites of its cell: corners, then the faces across
x, y and z. bcc is four fcc lattices of twice the period: (corner, centre, other corner, other
centre).

    phase   lattice   A on              B on
    B2      bcc       corners           centres
    D0_3    bcc       a centre lattice  the three others
    L1_2    fcc       corners           faces
    L1_0    fcc       planes along z, A and B by turns
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .lattice import SiteGrid

PHASES = {
    "B2": ("bcc", (0, 2)),
    "D0_3": ("bcc", (1,)),
    "L1_2": ("fcc", (0,)),
    "L1_0": ("fcc", (0, 3)),
}
"""The lattice of every phase, and the sublattices of A."""


def sublattices(grid: SiteGrid) -> NDArray[np.int64]:
    """Number of the sublattice of every site, 0 to 3, shape (n_sites,).

    Raises
    ------
    ValueError
        If the lattice is neither bcc nor fcc.
    """
    if grid.lattice.name == "fcc":
        return np.arange(grid.n_sites) % 4
    if grid.lattice.name != "bcc":
        raise ValueError(f"sublattices are those of bcc and fcc, not of {grid.lattice.name}")
    i, j, k = grid.coordinates.T
    centre = i % 2
    second = np.where(centre == 0, (i + j + k) // 2 % 2, (i + j + k) % 4 < 2)
    numbers: NDArray[np.int64] = centre + 2 * second
    return numbers


def two_cells_repeat(grid: SiteGrid) -> bool:
    """Whether the four fcc lattices of bcc go on across the boundaries."""
    return all(n % 2 == 0 for n in grid.size)
