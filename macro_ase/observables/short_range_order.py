"""Short-range order: which neighbours an atom prefers, as delta and as Warren-Cowley alpha.

    delta_AB = (mean number of B neighbours of an A atom) - z_A c_B
    alpha_AB = 1 - p_AB / c_B = -delta_AB / (z_A c_B)

with z_A the mean number of neighbour sites that A atoms have, p_AB the share of B among them, and
c_B the share of B among all sites, atoms and vacancies. The last species is the vacancy ``X``.
Sums over all B, of delta_AB and of c_B alpha_AB, are 0. In a periodic crystal every z_A is the
lattice's z, c_A delta_AB = c_B delta_BA, and alpha is symmetric; near surfaces an atom's own
neighbours are counted, so that an element which prefers the surface does not seem to avoid all.
J. M. Cowley, Phys. Rev. 77, 669 (1950).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..lattice import VACANCY
from .order_result import ShortRangeOrder
from .recognition import ideal_shells
from .shells import DistanceShells, SiteShells, count_around, find_shells

Ints = NDArray[np.int64]
FOREIGN_COORDINATION = 0.005


def _expected(counts: ArrayLike, coordination: ArrayLike) -> Array:
    """Neighbours z c_B, shape (..., 1, S), of an atom in an infinite random alloy."""
    sites = np.asarray(counts, dtype=float)
    share = sites / sites.sum(axis=-1, keepdims=True)
    z_c: Array = np.asarray(coordination, dtype=float)[..., None, None] * share[..., None, :]
    return z_c


def delta_from_bonds(bonds: ArrayLike, counts: ArrayLike, coordination: ArrayLike) -> Array:
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
    with np.errstate(invalid="ignore"):
        found: Array = np.asarray(bonds) / np.asarray(counts, dtype=float)[..., :, None]
    return found - _expected(counts, coordination)


def warren_cowley_from_bonds(bonds: ArrayLike, counts: ArrayLike, coordination: ArrayLike) -> Array:
    """Warren-Cowley parameters alpha_AB = 1 - p_AB / c_B = -delta_AB / (z c_B), symmetric.

    Below 0 A and B seek each other, above 0 they avoid each other. Parameters and shape as
    in `delta_from_bonds`; NaN where no site holds A or none holds B.
    """
    with np.errstate(invalid="ignore"):
        return -delta_from_bonds(bonds, counts, coordination) / _expected(counts, coordination)


def random_bonds(counts: ArrayLike, coordination: ArrayLike) -> Array:
    """Exact mean bond counts N[A, B] = z N_A (N_B - [A = B]) / (n - 1) of random alloys of n sites.

    With one A atom placed, n - 1 sites are left. Exact where no site neighbours its own image.
    Parameters and shape as in `delta_from_bonds`.
    """
    sites = np.asarray(counts, dtype=float)
    pairs = sites[..., :, None] * (sites[..., None, :] - np.eye(sites.shape[-1]))
    z = np.asarray(coordination, dtype=float)[..., None, None]
    mean: Array = z * pairs / (sites.sum(axis=-1)[..., None, None] - 1)
    return mean


def random_offset(counts: ArrayLike, coordination: ArrayLike) -> Array:
    """Exact expectation of delta_AB in a random alloy of fixed composition, by `random_bonds`.

    It is not 0 in a finite cell; that of alpha_AB is -1 / (z c_B) times it. Parameters, shape and
    NaN as in `delta_from_bonds`.
    """
    return delta_from_bonds(random_bonds(counts, coordination), counts, coordination)


def short_range_order(
    structure: Any,
    n_shells: int = 2,
    per_atom: bool = False,
    cutoffs_A: ArrayLike | None = None,
    species: Sequence[str] | None = None,
    indices: Any = None,
) -> ShortRangeOrder:
    """Short-range order of any crystal; see `neighbor_shells` for how shells are found.

    Parameters
    ----------
    structure : ase.Atoms or pymatgen Structure
        Any lattice, perfect or not; ``X`` marks vacancies.
    n_shells : int
    per_atom : bool
        Also keep the neighbours of each atom; attach them, in a form that extxyz files keep,
        by ``atoms.set_array("neighbors", result.per_atom.reshape(len(atoms), -1))``.
    cutoffs_A : array, shape (n_shells,), optional
        Outer radius of each shell, in A, instead of ``n_shells``.
    species : sequence of str, optional
        Symbols by code, without ``X``; default: those present, sorted.
    indices : int array, bool mask or slice, optional
        Atoms of a patch, negative ones from the end. Their bonds to all their neighbours, in
        the patch or not, are counted; shares c_B stay those of the whole structure, so 0 is a
        random alloy, and bonds of patches that share no atom add up. ``per_atom`` has a row for
        each chosen atom, ascending.

    Raises
    ------
    ValueError
        As `neighbor_shells`, or if a symbol is not among ``species``, or an index is none.

    Warns
    -----
    UserWarning
        If a periodic crystal has not the coordination of its lattice.

    Examples
    --------
    >>> from ase.build import bulk
    >>> short_range_order(bulk("CsCl", "cesiumchloride", a=4.1)).alpha[:, 0, 1]
    array([-1.,  1.])
    """
    shells = find_shells(structure, n_shells, cutoffs_A)
    result = measure(shells, species, per_atom, indices)
    warn_of_coordination(shells, result)
    return result


def measure(
    shells: SiteShells | DistanceShells,
    species: Sequence[str] | None,
    per_atom: bool = False,
    indices: Any = None,
) -> ShortRangeOrder:
    """`short_range_order` of shells that are known."""
    names = _names(shells.numbers, species)
    codes, n_species = _codes(shells.numbers, names), len(names)
    counts = np.bincount(codes, minlength=n_species)
    chosen = np.arange(len(codes)) if indices is None else chosen_atoms(indices, shells.n_atoms)
    if isinstance(shells, SiteShells) and indices is None and not per_atom:
        found = shells.count_all(codes, n_species)
    else:
        found = count_around(shells, codes, n_species, chosen, per_atom)
    centres = np.bincount(codes[chosen], minlength=n_species)
    bonds, share = found.bonds, counts / counts.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        own = bonds.sum(axis=2) / centres
        delta = bonds / centres[:, None] - own[..., None] * share
        alpha = 1 - bonds / bonds.sum(axis=2, keepdims=True) / share
    patch = () if indices is None else (f"bonds of {len(chosen)} chosen atoms of {len(codes)}",)
    return ShortRangeOrder(
        species=names,
        lattice=shells.lattice,
        radii_A=found.radii_A,
        cutoffs_A=shells.cutoffs_A,
        coordination=bonds.sum(axis=(1, 2)) / len(chosen),
        counts=counts,
        centres=centres,
        neighbors=own,
        bonds=bonds,
        delta=delta,
        alpha=alpha,
        notes=(*shells.notes, *patch),
        per_atom=None if found.around is None else found.around[: shells.n_atoms],
    )


def chosen_atoms(indices: Any, n_atoms: int) -> Ints:
    """Numbers of chosen atoms, ascending, each once.

    Parameters
    ----------
    indices : int array, bool mask or slice
    n_atoms : int

    Raises
    ------
    ValueError
        If it chooses none, is of another kind, or beyond the atoms.
    """
    given = np.arange(n_atoms)[indices] if isinstance(indices, slice) else np.atleast_1d(indices)
    if given.dtype == bool and given.shape == (n_atoms,):
        given = np.flatnonzero(given)
    if given.ndim != 1 or len(given) == 0 or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(
            f"indices must be whole numbers, a slice or {n_atoms} true or false, and choose an atom"
        )
    if given.min() < -n_atoms or given.max() >= n_atoms:
        raise ValueError(f"indices must be -{n_atoms} to {n_atoms - 1}, the atoms' numbers")
    return np.unique(given.astype(np.int64) % n_atoms)


def _names(numbers: NDArray[Any], species: Sequence[str] | None) -> tuple[str, ...]:
    present = {chemical_symbols[n] for n in np.flatnonzero(np.bincount(numbers))} - {VACANCY}
    given = sorted(present) if species is None else [s for s in species if s != VACANCY]
    if unknown := present - set(given):
        raise ValueError(f"species {', '.join(sorted(unknown))} not among {', '.join(given)}")
    return (*given, VACANCY)


def _codes(numbers: NDArray[Any], names: tuple[str, ...]) -> NDArray[np.int8]:
    table = np.zeros(len(chemical_symbols), dtype=np.int8)
    for code, name in enumerate(names):
        if name not in atomic_numbers or names.count(name) > 1:
            raise ValueError(f"species must be symbols of elements, each once, not {name}")
        table[atomic_numbers[name]] = code
    codes: NDArray[np.int8] = table[numbers]
    return codes


def warn_of_coordination(shells: SiteShells | DistanceShells, result: ShortRangeOrder) -> None:
    """Where shells by distance blur, or atoms are missing that nobody marked."""
    if isinstance(shells, SiteShells) or not shells.atoms.pbc.all():
        return
    found, name = result.neighbors[:, result.centres > 0], shells.lattice
    if name is not None:
        found = result.coordination[:, None]
    right = np.rint(found) if name is None else ideal_shells(name, len(found))[1][:, None]
    off = np.argwhere(np.abs(found - right) > FOREIGN_COORDINATION * found)
    if len(off):
        k, column = off[0]
        should = "no whole number" if name is None else f"where {name} has {right[k, 0]}"
        warnings.warn(
            f"{found[k, column]:.4g} neighbours in shell {k + 1}, {should}: atoms are missing or "
            "shells overlap, and holes are not seen as vacancies here",
            stacklevel=3,
        )
