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

import csv
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..files import replacing
from ..lattice import VACANCY
from .shells import neighbor_shells

Floats = NDArray[np.float64]


def _expected(counts: ArrayLike, coordination: ArrayLike) -> Floats:
    """Neighbours z c_B, shape (..., 1, S), of an atom in an infinite random alloy."""
    sites = np.asarray(counts, dtype=float)
    share = sites / sites.sum(axis=-1, keepdims=True)
    return np.asarray(coordination, dtype=float)[..., None, None] * share[..., None, :]


def delta_from_bonds(bonds: ArrayLike, counts: ArrayLike, coordination: ArrayLike) -> Floats:
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
        found = np.asarray(bonds) / np.asarray(counts, dtype=float)[..., :, None]
    return found - _expected(counts, coordination)


def warren_cowley_from_bonds(
    bonds: ArrayLike, counts: ArrayLike, coordination: ArrayLike
) -> Floats:
    """Warren-Cowley parameters alpha_AB = 1 - p_AB / c_B = -delta_AB / (z c_B), symmetric.

    Below 0 A and B seek each other, above 0 they avoid each other. Parameters and shape as
    in `delta_from_bonds`; NaN where no site holds A or none holds B.
    """
    with np.errstate(invalid="ignore"):
        return -delta_from_bonds(bonds, counts, coordination) / _expected(counts, coordination)


def random_offset(counts: ArrayLike, coordination: ArrayLike) -> Floats:
    """Exact expectation of delta_AB in a random alloy of fixed composition.

    It is not 0 in a finite cell of n sites: with one A atom placed, n - 1 sites are left, so
    p_AB = N_B / (n - 1) and p_AA = (N_A - 1) / (n - 1). Exact where no site neighbours its own
    image; the expectation of alpha_AB is -1 / (z c_B) times that of delta_AB.

    Parameters, shape and NaN as in `delta_from_bonds`.
    """
    sites = np.asarray(counts, dtype=float)
    others = sites[..., None, :] - np.eye(sites.shape[-1])
    z = np.asarray(coordination, dtype=float)[..., None, None]
    offset = z * others / (sites.sum(axis=-1)[..., None, None] - 1) - _expected(sites, coordination)
    return np.where(sites[..., :, None] > 0, offset, np.nan)


@dataclass(frozen=True)
class ShortRangeOrder:
    """Short-range order of a structure, or its mean over the frames of a trajectory.

    Attributes
    ----------
    species : tuple of str
        Symbols by code; the last is ``X``, the vacancy.
    lattice : str or None
        The lattice, where it was recognised.
    radii_A : array, shape (n_shells,)
        Mean distance in each shell, in A.
    cutoffs_A : array, shape (n_shells,), or None
        Outer radius of each shell, in A; None if the atoms were assigned to lattice sites.
    coordination : array, shape (n_shells,)
        Mean number of neighbour sites of a site: whole on a lattice, less with surfaces.
    counts : array, shape (S,)
        Sites of each species.
    bonds, delta, alpha : array, shape (n_shells, S, S)
        Ordered bond counts, and the two measures of order.
    per_atom : int array, shape (n_atoms, n_shells, S), or None
        Neighbours of each species around each atom, in the order of the atoms.
    delta_error, alpha_error : array, shape (n_shells, S, S), or None
        Standard errors of means over frames.
    n_frames : int
    """

    species: tuple[str, ...]
    lattice: str | None
    radii_A: Floats
    cutoffs_A: Floats | None
    coordination: Floats
    counts: NDArray[Any]
    bonds: NDArray[Any]
    delta: Floats
    alpha: Floats
    per_atom: NDArray[np.int64] | None = None
    delta_error: Floats | None = None
    alpha_error: Floats | None = None
    n_frames: int = 1

    @property
    def row_sum_error(self) -> Floats:
        """Sum over atoms B of delta_AB, less z c_X - v_A, shape (n_shells, S).

        Zero to rounding where all sites have z neighbours; else what A has beyond the mean.
        """
        return self.delta.sum(axis=2)

    def table(self) -> str:
        """Text: for each shell one line a pair, alpha first and delta beside it."""
        how = "atoms assigned to lattice sites" if self.cutoffs_A is None else "shells by distance"
        content = (f"{s} {n:g}" for s, n in zip(self.species, self.counts, strict=True) if n)
        lines = [f"{self.lattice or 'lattice not recognised'}, {how}: {', '.join(content)}"]
        if self.n_frames > 1:
            lines.append(f"means and standard errors of {self.n_frames} frames")
        for k, radius_A in enumerate(self.radii_A):
            lines += ["", f"shell {k + 1}: {radius_A:.3f} A, {self.coordination[k]:.4g} neighbours"]
            lines.append(f"{'pair':>8}  {'alpha (Warren-Cowley)':<24}delta")
            for a, b in itertools.combinations_with_replacement(np.flatnonzero(self.counts), 2):
                alpha = _with_error(self.alpha, self.alpha_error, (k, a, b))
                delta = _with_error(self.delta, self.delta_error, (k, a, b))
                lines.append(f"{self.species[a] + '-' + self.species[b]:>8}  {alpha:<24}{delta}")
            worst = np.nanmax(np.abs(self.row_sum_error[k]))
            lines.append(f"   check: sum over atoms B of delta_AB = z c_X - v_A within {worst:.1g}")
        return "\n".join(lines)

    def to_csv(self, path: str | Path) -> None:
        """Write one row for each shell and ordered pair of species."""
        columns = {"alpha": self.alpha, "delta": self.delta, "bonds": self.bonds}
        if self.alpha_error is not None and self.delta_error is not None:
            columns |= {"alpha_error": self.alpha_error, "delta_error": self.delta_error}
        with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["shell", "radius_A", "coordination", "A", "B", *columns])
            for k, a, b in np.ndindex(self.alpha.shape):
                shell = (k + 1, float(self.radii_A[k]), float(self.coordination[k]))
                numbers = [float(values[k, a, b]) for values in columns.values()]
                writer.writerow([*shell, self.species[a], self.species[b], *numbers])


def _with_error(values: Floats, errors: Floats | None, at: tuple[Any, ...]) -> str:
    error = f" +- {errors[at]:.5f}" if errors is not None else ""
    return f"{round(values[at], 5) + 0.0:+.5f}{error}"


def short_range_order(
    structure: Any,
    n_shells: int = 2,
    per_atom: bool = False,
    cutoffs_A: ArrayLike | None = None,
    species: Sequence[str] | None = None,
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

    Raises
    ------
    ValueError
        As `neighbor_shells`, or if a symbol is not among ``species``.

    Examples
    --------
    >>> from ase.build import bulk
    >>> short_range_order(bulk("CsCl", "cesiumchloride", a=4.1)).alpha[:, 0, 1]
    array([-1.,  1.])
    """
    shells = neighbor_shells(structure, n_shells, cutoffs_A)
    present = set(shells.symbols.tolist()) - {VACANCY}
    names = (*(sorted(present) if species is None else species), VACANCY)
    if unknown := present - set(names):
        raise ValueError(f"species {', '.join(sorted(unknown))} not among {', '.join(names[:-1])}")
    codes = np.array([names.index(symbol) for symbol in shells.symbols])
    n_sites, n_species = len(codes), len(names)
    cells = [first * n_species + codes[second] for first, second in shells.pairs]
    around = np.stack([np.bincount(c, minlength=n_sites * n_species) for c in cells])
    around = around.reshape(-1, n_sites, n_species)
    counts = np.bincount(codes, minlength=n_species)
    bonds = (codes == np.arange(n_species)[:, None]).astype(np.int64) @ around
    coordination = bonds.sum(axis=(1, 2)) / n_sites
    return ShortRangeOrder(
        species=names,
        lattice=shells.lattice,
        radii_A=shells.radii_A,
        cutoffs_A=shells.cutoffs_A,
        coordination=coordination,
        counts=counts,
        bonds=bonds,
        delta=delta_from_bonds(bonds, counts, coordination),
        alpha=warren_cowley_from_bonds(bonds, counts, coordination),
        per_atom=around[:, : len(structure)].transpose(1, 0, 2) if per_atom else None,
    )


def short_range_order_trajectory(
    frames: Iterable[Any],
    n_shells: int = 2,
    cutoffs_A: ArrayLike | None = None,
    species: Sequence[str] | None = None,
) -> ShortRangeOrder:
    """Mean short-range order over a stationary run; its errors know autocorrelation.

    Parameters
    ----------
    frames : iterable of ase.Atoms or pymatgen Structure
        In order of time, evenly spaced. Radii are those of the first; where it is no
        recognised lattice, its cutoffs serve all frames.
    n_shells, cutoffs_A, species
        As in `short_range_order`; ``species`` defaults to those of the first frame.

    Raises
    ------
    ValueError
        If there are fewer than two frames, or the lattice, or the way it was found, changes.
    """
    results: list[ShortRangeOrder] = []
    for number, frame in enumerate(frames):
        result = short_range_order(frame, n_shells, False, cutoffs_A, species)
        first = results[0] if results else result
        if (result.lattice, result.cutoffs_A is None) != (first.lattice, first.cutoffs_A is None):
            raise ValueError(
                f"frame {number} is not on the lattice of frame 0 ({first.lattice}), or some of "
                "its atoms share a site; give the shells' outer radii as cutoffs_A"
            )
        species = first.species[:-1]
        cutoffs_A = cutoffs_A if first.lattice else first.cutoffs_A
        results.append(result)
    if len(results) < 2:
        raise ValueError(f"errors need at least two frames, not {len(results)}")
    return replace(
        results[0],
        coordination=np.mean([r.coordination for r in results], axis=0),
        counts=np.mean([r.counts for r in results], axis=0),
        bonds=np.mean([r.bonds for r in results], axis=0),
        delta=np.mean([r.delta for r in results], axis=0),
        alpha=np.mean([r.alpha for r in results], axis=0),
        delta_error=_errors([r.delta for r in results]),
        alpha_error=_errors([r.alpha for r in results]),
        n_frames=len(results),
    )


def _errors(values: list[Floats]) -> Floats:
    """Standard errors over frames, NaN for species that some frame lacks."""
    from ..statistics import standard_error

    series = np.stack(values)
    known = np.isfinite(series).all(axis=0)
    errors = np.full(known.shape, np.nan)
    errors[known] = standard_error(series[:, known])
    return errors
