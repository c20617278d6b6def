"""Short-range order: which neighbours an atom prefers, as delta and as Warren-Cowley alpha.

    delta_AB = (mean number of B neighbours of an A atom) - z c_B
    alpha_AB = 1 - p_AB / c_B = -delta_AB / (z c_B)

with p_AB the share of B among the z neighbour sites of an A atom, and c_B the share of B
among all sites, atoms and vacancies. The last species is the vacancy ``X``. Both follow
from ordered bond counts, which give c_A delta_AB = c_B delta_BA, and, where every site has
z neighbours, sum over atoms B of delta_AB = z c_X - v_A with v_A the mean number of vacancy
neighbours of an A atom. J. M. Cowley, Phys. Rev. 77, 669 (1950).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from macro_ase.observables.bonds import NeighborShells


def delta_from_bonds(
    bonds: ArrayLike, counts: ArrayLike, coordination: ArrayLike
) -> NDArray[np.float64]:
    """Excess neighbours delta_AB = N_AB / N_A - z c_B.

    Parameters
    ----------
    bonds : array, shape (..., S, S)
        Ordered bond counts N[A, B].
    counts : array, shape (..., S)
        Sites of each species.
    coordination : array, shape (...)
        Neighbours z of a site.

    Returns
    -------
    array, shape (..., S, S)
        Row A is NaN where no site holds A.
    """
    sites = np.asarray(counts, dtype=float)
    share = sites / sites.sum(axis=-1, keepdims=True)
    z = np.asarray(coordination, dtype=float)[..., None, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(bonds) / sites[..., :, None] - z * share[..., None, :]


def warren_cowley_from_bonds(
    bonds: ArrayLike, counts: ArrayLike, coordination: ArrayLike
) -> NDArray[np.float64]:
    """Warren-Cowley parameters alpha_AB = 1 - p_AB / c_B, symmetric.

    Below 0: A and B attract; above 0: they avoid each other. Parameters and shape as in
    `delta_from_bonds`; NaN where no site holds A or none holds B.
    """
    sites = np.asarray(counts, dtype=float)
    share = sites / sites.sum(axis=-1, keepdims=True)
    z = np.asarray(coordination, dtype=float)[..., None, None]
    with np.errstate(invalid="ignore"):
        return -delta_from_bonds(bonds, counts, coordination) / (z * share[..., None, :])


def random_offset(counts: ArrayLike, coordination: ArrayLike) -> NDArray[np.float64]:
    """Exact expectation of delta_AB in a random alloy of fixed composition.

    It is not 0 in a finite cell of n sites: with one A atom placed, n - 1 sites are left, so
    p_AB = N_B / (n - 1) and p_AA = (N_A - 1) / (n - 1). Exact where no site neighbours its own
    image; the offset of alpha_AB is -1 / (z c_B) times it.

    Parameters
    ----------
    counts : array, shape (..., S)
        Sites of each species.
    coordination : array, shape (...)
        Neighbours z of a site.

    Returns
    -------
    array, shape (..., S, S)
        Row A is NaN where no site holds A.
    """
    sites = np.asarray(counts, dtype=float)
    n_sites = sites.sum(axis=-1)[..., None, None]
    others = sites[..., None, :] - np.eye(sites.shape[-1])
    z = np.asarray(coordination, dtype=float)[..., None, None]
    offset = z * (others / (n_sites - 1) - sites[..., None, :] / n_sites)
    return np.where(sites[..., :, None] > 0, offset, np.nan)


@dataclass(frozen=True)
class ShortRangeOrder:
    """Short-range order of a structure, or its mean over a trajectory.

    Attributes
    ----------
    species : tuple of str
        Symbols by code; the last is ``X``, the vacancy.
    shells : NeighborShells
        Lattice, radii, cutoffs and pairs it was measured on (of the first frame).
    coordination : array, shape (n_shells,)
        Mean number of neighbour sites of a site; a whole number on a lattice, less at
        surfaces.
    counts : array, shape (S,)
        Sites of each species.
    bonds : array, shape (n_shells, S, S)
        Ordered bond counts.
    delta, alpha : array, shape (n_shells, S, S)
    per_atom : int array, shape (n_atoms, n_shells, S), or None
        Neighbours of each species around each atom, in the order of the atoms.
    delta_error, alpha_error : array, shape (n_shells, S, S), or None
        Standard errors of means over frames.
    n_frames : int
    """

    species: tuple[str, ...]
    shells: NeighborShells
    coordination: NDArray[np.float64]
    counts: NDArray[np.float64]
    bonds: NDArray[np.float64]
    delta: NDArray[np.float64]
    alpha: NDArray[np.float64]
    per_atom: NDArray[np.int64] | None = None
    delta_error: NDArray[np.float64] | None = None
    alpha_error: NDArray[np.float64] | None = None
    n_frames: int = 1

    @property
    def radii_A(self) -> NDArray[np.float64]:
        """Mean distance in each shell, shape (n_shells,), in A."""
        return self.shells.radii_A

    @property
    def row_sum_error(self) -> NDArray[np.float64]:
        """Sum over atoms B of delta_AB, less z c_X - v_A; shape (n_shells, S).

        Zero (to rounding) where every A atom has z neighbour sites; elsewhere, at surfaces
        or with cutoffs, how many neighbour sites an A atom has beyond the mean.
        """
        return self.delta.sum(axis=2)
