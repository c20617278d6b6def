"""A periodic site grid with a halo of images, so that every neighbour is one fixed offset.

The species of a site with cell (x, y, z) and basis b lies at

    p = (((x + h) * Py + (y + h)) * Pz + (z + h)) * n_basis + b,    P = size + 2 h,

and its periodic images fill a halo of ``h = HALO`` cells. Reading the environment of a
site is then a gather at constant offsets that depend on b alone, without any wrapping;
only a write visits the images.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..compiled import compiled
from ..lattice import SiteGrid

HALO = 3


class Geometry(NamedTuple):
    """Sizes of a padded grid, as kernels take them."""

    nx: int
    ny: int
    nz: int
    n_basis: int


def geometry_of(grid: SiteGrid) -> Geometry:
    """Geometry of a grid.

    Raises
    ------
    ValueError
        If an edge is shorter than three cells: a vacancy would then see itself.
    """
    if min(grid.size) < HALO:
        raise ValueError(
            f"the crystal is {' x '.join(map(str, grid.size))} cells; "
            f"vacancy hops need at least {HALO} along each axis"
        )
    return Geometry(*grid.size, grid.lattice.n_basis)


Values = TypeVar("Values", bound=np.generic)


def pad(grid: SiteGrid, values: NDArray[Values]) -> NDArray[Values]:
    """Padded copy, flat, of species codes, or other values, of shape (n_sites,)."""
    size = geometry_of(grid)
    padded = np.empty((*(n + 2 * HALO for n in size[:3]), size.n_basis), dtype=values.dtype)
    padded[(slice(HALO, -HALO),) * 3] = values.reshape(size)
    for axis in range(3):
        before = (slice(None),) * axis
        padded[(*before, slice(HALO))] = padded[(*before, slice(-2 * HALO, -HALO))]
        padded[(*before, slice(-HALO, None))] = padded[(*before, slice(HALO, 2 * HALO))]
    return padded.ravel()


def unpad(grid: SiteGrid, padded: NDArray[np.int8]) -> NDArray[np.int8]:
    """Species codes, shape (n_sites,), of a padded array."""
    shape = (*(n + 2 * HALO for n in grid.size), grid.lattice.n_basis)
    inner = (slice(HALO, -HALO),) * 3
    return np.ascontiguousarray(padded.reshape(shape)[inner]).ravel()


def cells_of(grid: SiteGrid, sites: ArrayLike) -> NDArray[np.int64]:
    """Cell and basis site of site numbers, shape (..., 4)."""
    shape = (*grid.size, grid.lattice.n_basis)
    return np.stack(np.unravel_index(np.asarray(sites, dtype=np.int64), shape), axis=-1)


def padded_sites(grid: SiteGrid, sites: ArrayLike) -> NDArray[np.int64]:
    """Padded positions of site numbers, same shape."""
    _, py, pz = (n + 2 * HALO for n in grid.size)
    x, y, z, b = np.moveaxis(cells_of(grid, sites), -1, 0)
    linear = ((x + HALO) * py + y + HALO) * pz + z + HALO
    return np.asarray(linear * grid.lattice.n_basis + b)


def linear_offsets(grid: SiteGrid, vectors: ArrayLike) -> NDArray[np.int32]:
    """Padded offsets of lattice vectors, from each basis site.

    Parameters
    ----------
    vectors : int array, shape (..., 3)
        In units of a/2, no longer than the halo.

    Returns
    -------
    int32 array, shape (n_basis, ...)
    """
    basis = np.array(grid.lattice.basis)
    vectors = np.asarray(vectors, dtype=np.int64)
    _, py, pz = (n + 2 * HALO for n in grid.size)
    result = []
    for number, origin in enumerate(basis):
        points = vectors + origin
        target = np.argmax(np.all(np.mod(points, 2)[..., None, :] == basis, axis=-1), axis=-1)
        cell = np.floor_divide(points, 2)
        linear = (cell[..., 0] * py + cell[..., 1]) * pz + cell[..., 2]
        result.append(linear * len(basis) + target - number)
    return np.array(result, dtype=np.int32)


@compiled
def padded_index(geometry: Geometry, x: int, y: int, z: int, b: int) -> int:
    """Padded position of a site."""
    py, pz = geometry.ny + 2 * HALO, geometry.nz + 2 * HALO
    return (((x + HALO) * py + (y + HALO)) * pz + (z + HALO)) * geometry.n_basis + b


@compiled
def _folded(x: int, n: int) -> int:
    """A cell counted from the beginning of the halo, folded into an edge of n cells."""
    if x < HALO:
        return x + n - HALO
    return x - HALO if x < n + HALO else x - n - HALO


@compiled
def locate(geometry: Geometry, p: int) -> tuple[int, int, int, int]:
    """Cell (folded into the box) and basis site of a padded position."""
    n_basis = np.uint32(geometry.n_basis)
    py, pz = np.uint32(geometry.ny + 2 * HALO), np.uint32(geometry.nz + 2 * HALO)
    position = np.uint32(p)
    cell = position // n_basis
    row = cell // pz
    plane = row // py
    x, y, z, b = plane, row - plane * py, cell - row * pz, position - cell * n_basis
    return (
        _folded(int(x), geometry.nx),
        _folded(int(y), geometry.ny),
        _folded(int(z), geometry.nz),
        int(b),
    )


@compiled
def fold(geometry: Geometry, p: int) -> int:
    """Padded position of the site itself, given any of its images."""
    x, y, z, b = locate(geometry, p)
    return padded_index(geometry, x, y, z, b)


@compiled
def put_at(
    geometry: Geometry, padded: NDArray[np.int8], x0: int, y0: int, z0: int, b: int, species: int
) -> None:
    """Write a species at a site and at all its images in the halo.

    No edge is shorter than the halo, so that the first image lies at most one edge behind.
    """
    nx, ny, nz = geometry.nx, geometry.ny, geometry.nz
    x = x0 - nx if x0 >= nx - HALO else x0
    while x < nx + HALO:
        y = y0 - ny if y0 >= ny - HALO else y0
        while y < ny + HALO:
            z = z0 - nz if z0 >= nz - HALO else z0
            while z < nz + HALO:
                padded[padded_index(geometry, x, y, z, b)] = species
                z += nz
            y += ny
        x += nx


@compiled
def put(geometry: Geometry, padded: NDArray[np.int8], p: int, species: int) -> None:
    """Write a species at a site, given by any of its images, and at all images in the halo."""
    x, y, z, b = locate(geometry, p)
    put_at(geometry, padded, x, y, z, b, species)
