"""Site lattices as data.

Coordinates are integers in half lattice constants, so a conventional cell spans two
units along each axis: bcc is {(0,0,0), (1,1,1)} + 2 Z^3. Site number

    s = ((ix * Ly + iy) * Lz + iz) * n_basis + b

names basis site b of the cell (ix, iy, iz).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

VACANCY = "X"
"""The symbol of a vacancy, in every crystal the last species."""


@dataclass(frozen=True)
class Lattice:
    """A Bravais lattice by the sites of its conventional cubic cell.

    Attributes
    ----------
    name : str
        ``"bcc"``, ``"fcc"`` or ``"cubic"``.
    basis : tuple of (int, int, int)
        Sites of the conventional cell in units of a/2.
    """

    name: str
    basis: tuple[tuple[int, int, int], ...]

    @property
    def n_basis(self) -> int:
        """Sites in a conventional cell."""
        return len(self.basis)

    @property
    def primitive(self) -> NDArray[np.int64]:
        """Vectors of a primitive cell as rows, shape (3, 3), units of a/2."""
        return np.array(PRIMITIVE[self.name], dtype=np.int64)

    def contains(self, coordinates: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether integer points, shape (..., 3), are lattice sites."""
        parity = np.mod(coordinates, 2)
        same = [np.all(parity == b, axis=-1) for b in self.basis]
        inside: NDArray[np.bool_] = np.any(same, axis=0)
        return inside

    def shells(self, n_shells: int) -> list[NDArray[np.int64]]:
        """Neighbour vectors by shell.

        Returns
        -------
        list of arrays, shape (z_k, 3)
            Vectors of shell k in units of a/2, in lexicographic order.
        """
        return [s.copy() for s in _shells(self, n_shells)]


PRIMITIVE = {
    "bcc": ((-1, 1, 1), (1, -1, 1), (1, 1, -1)),
    "fcc": ((0, 1, 1), (1, 0, 1), (1, 1, 0)),
    "cubic": ((2, 0, 0), (0, 2, 0), (0, 0, 2)),
}
BCC = Lattice("bcc", ((0, 0, 0), (1, 1, 1)))
FCC = Lattice("fcc", ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)))
CUBIC = Lattice("cubic", ((0, 0, 0),))
LATTICES = {lattice.name: lattice for lattice in (BCC, FCC, CUBIC)}


@lru_cache
def _shells(lattice: Lattice, n_shells: int) -> list[NDArray[np.int64]]:
    if n_shells < 1:
        raise ValueError(f"the number of shells must be at least 1, not {n_shells}")
    reach = 2
    while True:
        axis = np.arange(-reach, reach + 1)
        points = np.array(list(itertools.product(axis, repeat=3)))
        points = points[lattice.contains(points)]
        norms = (points**2).sum(axis=1)
        lengths = np.unique(norms[(norms > 0) & (norms <= reach**2)])
        if len(lengths) >= n_shells:
            return [points[norms == length] for length in lengths[:n_shells]]
        reach += 2


@dataclass(frozen=True)
class SiteGrid:
    """A periodic block of conventional cells.

    Attributes
    ----------
    lattice : Lattice
    size : (int, int, int)
        Conventional cells along each axis.
    """

    lattice: Lattice
    size: tuple[int, int, int]

    def __post_init__(self) -> None:
        if len(self.size) != 3 or any(int(n) != n or n < 1 for n in self.size):
            raise ValueError(f"size must be three whole numbers of at least 1, not {self.size}")
        object.__setattr__(self, "size", tuple(int(n) for n in self.size))

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return int(np.prod(self.size)) * self.lattice.n_basis

    @cached_property
    def coordinates(self) -> NDArray[np.int64]:
        """Integer coordinates of all sites, shape (n_sites, 3), units of a/2."""
        cells = np.stack(np.meshgrid(*map(np.arange, self.size), indexing="ij"), axis=-1)
        points = 2 * cells[..., None, :] + np.array(self.lattice.basis, dtype=np.int64)
        return points.reshape(-1, 3)

    def index(self, coordinates: ArrayLike) -> NDArray[np.int64]:
        """Site numbers of integer coordinates, shape (..., 3), periodic images folded in.

        Raises
        ------
        ValueError
            If a point is not a site of the lattice.
        """
        points = np.asarray(coordinates, dtype=np.int64)
        cells = np.floor_divide(points, 2) % np.array(self.size)
        parity = np.mod(points, 2)
        code = parity @ np.array([4, 2, 1])
        table = np.full(8, -1)
        for number, b in enumerate(self.lattice.basis):
            table[np.array(b) @ np.array([4, 2, 1])] = number
        if np.any(table[code] < 0):
            raise ValueError(f"not all points are {self.lattice.name} sites")
        _, ny, nz = self.size
        cell = (cells[..., 0] * ny + cells[..., 1]) * nz + cells[..., 2]
        sites: NDArray[np.int64] = cell * self.lattice.n_basis + table[code]
        return sites

    def neighbors(self, vectors: ArrayLike) -> NDArray[np.int64]:
        """Sites reached from every site by the given vectors.

        Parameters
        ----------
        vectors : array, shape (z, 3)
            Lattice vectors in units of a/2, such as one of ``lattice.shells(n)``.

        Returns
        -------
        array, shape (n_sites, z)
        """
        return self.index(self.coordinates[:, None, :] + np.asarray(vectors)[None, :, :])


@lru_cache(maxsize=32)
def shell_neighbors(grid: SiteGrid, shell: int = 1) -> NDArray[np.int64]:
    """Neighbours of every site in a shell, from 1, shape (n_sites, z), remembered by grid."""
    table = grid.neighbors(grid.lattice.shells(shell)[-1])
    table.setflags(write=False)
    return table
