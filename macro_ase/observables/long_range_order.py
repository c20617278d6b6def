"""Long-range order on a block of sites: order of sublattices and the structure factor.

`b2_order` sees one thing, different contents of the two simple cubic sublattices of bcc (B2,
the CsCl structure); `sublattice_order` the same of the four of fcc (L1_2, L1_0), without a sign.
`structure_factors` sees any stacking of (001) planes: a peak at k = 1 is
B2, one at k = 2/3 is C11_b (MoSi2 type, three planes to a period), one at k = 1/2 has a period
of four planes, and a broad hump is short-range order. Ordering with a wave vector off the
cubic axes, such as B32 at (1/2, 1/2, 1/2), is seen by neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array
from ..crystal import Crystal, as_atoms
from ..lattice import SiteGrid
from .bonds import require_codes


@dataclass(frozen=True)
class B2Order:
    """Order between the two sublattices of bcc.

    Attributes
    ----------
    signed : array, shape (..., S)
        c_A(corners) - c_A(centres) of each species: which sublattice it prefers.
    concentration : array, shape (..., S)
        Share of all sites that hold A.
    """

    signed: Array
    concentration: Array

    @property
    def magnitude(self) -> Array:
        """|signed|, shape (..., S); about (c (1 - c) / n)^1/2, not 0, in a random crystal."""
        return np.abs(self.signed)

    @property
    def normalized(self) -> Array:
        """Magnitude over the largest this composition allows, 2 min(c, 1 - c); in [0, 1].

        NaN for a species that fills no site or all of them.
        """
        largest = 2 * np.minimum(self.concentration, 1 - self.concentration)
        with np.errstate(invalid="ignore"):
            share: Array = self.magnitude / largest
            return share


def b2_order(occupation: ArrayLike, grid: SiteGrid, n_species: int) -> B2Order:
    """B2 order parameter of bcc sites.

    Parameters
    ----------
    occupation : int array, shape (..., n_sites)
        Species code of each site; leading axes are snapshots.
    grid : SiteGrid
    n_species : int
        Number of species S, the vacancy included.

    Raises
    ------
    ValueError
        If the lattice is not bcc, or the occupation does not fit the grid.
    """
    if grid.lattice.name != "bcc":
        raise ValueError(f"B2 order is defined on bcc, not on {grid.lattice.name}")
    holds = site_holds(occupation, grid, n_species)
    corners, centres = holds[..., 0::2].mean(axis=-1), holds[..., 1::2].mean(axis=-1)
    return B2Order(signed=corners - centres, concentration=(corners + centres) / 2)


def sublattice_order(occupation: ArrayLike, grid: SiteGrid, n_species: int) -> Array:
    """Order between the simple cubic sublattices of bcc or fcc.

        eta_A = [mean over sublattices of (c_A(sublattice) - c_A)^2 / (c_A (1 - c_A))]^1/2

    1 where each sublattice holds A alone or none of it (B2 of bcc; L1_2 and L1_0 of fcc), 0 where
    all hold as much; m sublattices of n sites at random have <eta^2> = (m - 1) / (n - 1).

    Parameters
    ----------
    occupation, grid, n_species
        As in `b2_order`; bcc or fcc.

    Returns
    -------
    array, shape (..., S)
        NaN for a species that fills no site or all of them.

    Raises
    ------
    ValueError
        If the lattice is neither, or the occupation does not fit the grid.
    """
    m = grid.lattice.n_basis
    if m < 2:
        raise ValueError(
            f"order of sublattices is defined on bcc and fcc, not on {grid.lattice.name}"
        )
    holds = site_holds(occupation, grid, n_species)
    shares = holds.reshape(*holds.shape[:-1], -1, m).mean(axis=-2)
    share = shares.mean(axis=-1)
    with np.errstate(invalid="ignore"):
        order: Array = np.sqrt(shares.var(axis=-1) / (share * (1 - share)))
        return order


@dataclass(frozen=True)
class StructureFactor:
    """Structure factor along one cubic axis.

    Attributes
    ----------
    k : array, shape (n_k,)
        Wave numbers m / L of the block, from 0 to 1, in units of 2 pi / a.
    values : array, shape (..., S, n_k)
        S_AA(k) of each species; 0 at k = 0.
    random : array, shape (..., S)
        c (1 - c), what a large random crystal has at every k > 0; in n sites of fixed
        composition the expectation is n / (n - 1) times this.
    """

    k: Array
    values: Array
    random: Array


def structure_factors(
    occupation: ArrayLike, grid: SiteGrid, n_species: int
) -> tuple[StructureFactor, StructureFactor, StructureFactor]:
    """Structure factors along the three cubic axes, (k,0,0), (0,k,0) and (0,0,k).

        S_AA(k) = |sum over sites s of (x_A(s) - c_A) exp(i k.r_s)|^2 / n

    with x_A(s) 1 where site s holds A. Perfect B2 of two species has S(1) = n / 4.

    Parameters
    ----------
    occupation, grid, n_species
        As in `b2_order`; any lattice.

    Raises
    ------
    ValueError
        If the occupation does not fit the grid.
    """
    holds = site_holds(occupation, grid, n_species)
    share = holds.mean(axis=-1, keepdims=True)
    random = (share * (1 - share))[..., 0]
    along = [_along(holds - share, grid, axis) for axis in range(3)]
    first, second, third = (StructureFactor(k, values, random) for k, values in along)
    return first, second, third


def _along(excess: Array, grid: SiteGrid, axis: int) -> tuple[Array, Array]:
    """Wave numbers and |Fourier sum|^2 / n of the 2 L planes across one axis."""
    plane = grid.coordinates[:, axis]
    n_planes = 2 * grid.size[axis]
    by_plane = excess @ (plane[:, None] == np.arange(n_planes)).astype(float)
    amplitudes = np.fft.rfft(by_plane, axis=-1)
    k = np.arange(grid.size[axis] + 1) / grid.size[axis]
    return k, np.abs(amplitudes) ** 2 / grid.n_sites


def site_holds(occupation: ArrayLike, grid: SiteGrid, n_species: int) -> Array:
    """1 where a site holds a species, else 0; shape (..., S, n_sites)."""
    if np.shape(occupation)[-1:] != (grid.n_sites,):
        raise ValueError(
            f"occupation of shape {np.shape(occupation)} must hold {grid.n_sites} codes"
        )
    codes = require_codes(occupation, "code", n_species)
    holds: Array = (codes[..., None, :] == np.arange(n_species)[:, None]).astype(float)
    return holds


@dataclass(frozen=True)
class LongRangeOrder:
    """Long-range order of one bcc crystal.

    Attributes
    ----------
    species : tuple of str
        Symbols of the S species, the vacancy last.
    b2 : B2Order
    structure_factors : three of StructureFactor
        Along (k,0,0), (0,k,0) and (0,0,k).
    """

    species: tuple[str, ...]
    b2: B2Order
    structure_factors: tuple[StructureFactor, StructureFactor, StructureFactor]

    def table(self) -> str:
        """By species: B2 order, and the highest structure factor over random with its k."""
        lines = ["long-range order (B2: 0 to 1; highest S(k) over random, k of the cubic axes)"]
        for code, name in enumerate(self.species[:-1]):
            peaks = [f.values[code] / f.random[code] for f in self.structure_factors]
            axis = int(np.argmax([p.max() for p in peaks]))
            where = self.structure_factors[axis].k[peaks[axis].argmax()]
            lines.append(
                f"{name:>8}  B2 {self.b2.normalized[code]:.3f}  "
                f"S/random {peaks[axis].max():8.1f} at k = {where:.2f} along {'xyz'[axis]}"
            )
        return "\n".join(lines)


def long_range_order(structure: Any) -> LongRangeOrder:
    """B2 order and structure factors of a bcc crystal.

    Parameters
    ----------
    structure : ase.Atoms or pymatgen Structure
        A block of conventional bcc cells with at least two species; sums over its sites ask for no
        neighbours, so that axes may be open.

    Raises
    ------
    ValueError
        If it is not bcc, or pure.
    """
    atoms = as_atoms(structure).copy()
    atoms.pbc = True
    crystal = Crystal.from_atoms(atoms)
    if np.count_nonzero(crystal.counts[:-1]) < 2:
        raise ValueError("long-range order needs atoms of at least two species")
    n_species = len(crystal.species)
    return LongRangeOrder(
        crystal.species,
        b2_order(crystal.occupation, crystal.grid, n_species),
        structure_factors(crystal.occupation, crystal.grid, n_species),
    )
