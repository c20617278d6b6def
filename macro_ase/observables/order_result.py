"""What a measurement of short-range order gives: numbers, a table, a CSV file."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..files import replacing


@dataclass(frozen=True)
class ShortRangeOrder:
    """Short-range order of a structure, of some of its atoms, or its mean over a trajectory.

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
        Sites of each species, whose shares are c_B.
    centres : array, shape (S,)
        Those from which bonds were counted: all, or the chosen ones.
    neighbors : array, shape (n_shells, S)
        Mean number z_A of neighbour sites of a centre of each species.
    bonds, delta, alpha : array, shape (n_shells, S, S)
        Ordered bond counts, and the two measures of order.
    notes : tuple of str
        What a reader of the numbers should know.
    per_atom : int array, shape (n_atoms, n_shells, S), or None
        Neighbours of each species around each atom, or chosen atom, in the order of the atoms.
    delta_error, alpha_error : array, shape (n_shells, S, S), or None
        Standard errors of means over frames.
    n_frames : int
    weighting : str or None
        How frames were weighted.
    """

    species: tuple[str, ...]
    lattice: str | None
    radii_A: Array
    cutoffs_A: Array | None
    coordination: Array
    counts: NDArray[Any]
    centres: NDArray[Any]
    neighbors: Array
    bonds: NDArray[Any]
    delta: Array
    alpha: Array
    notes: tuple[str, ...] = ()
    per_atom: NDArray[np.int64] | None = None
    delta_error: Array | None = None
    alpha_error: Array | None = None
    n_frames: int = 1
    weighting: str | None = None

    @property
    def row_sum_error(self) -> Array:
        """Sum over all B of delta_AB, shape (n_shells, S): zero to rounding."""
        sums: Array = self.delta.sum(axis=2)
        return sums

    def table(self) -> str:
        """Text: for each shell one line a pair, alpha first and delta beside it.

        Where A has another number of neighbours than B, alpha_AB is not alpha_BA, and each has
        its line.
        """
        how = "atoms assigned to lattice sites" if self.cutoffs_A is None else "shells by distance"
        content = (f"{s} {n:g}" for s, n in zip(self.species, self.counts, strict=True) if n)
        lines = [f"{self.lattice or 'lattice unknown'}, {how}: {', '.join(content)}"]
        if self.n_frames > 1:
            lines.append(f"means and standard errors of {self.n_frames} frames, {self.weighting}")
        lines += self.notes
        for k, radius_A in enumerate(self.radii_A):
            lines += ["", f"shell {k + 1}: {radius_A:.3f} A, {self.coordination[k]:.4g} neighbours"]
            lines.append(f"{'pair':>8}  {'alpha (Warren-Cowley)':<24}delta")
            for a, b in self._rows(k):
                alpha = _with_error(self.alpha, self.alpha_error, (k, a, b))
                delta = _with_error(self.delta, self.delta_error, (k, a, b))
                lines.append(f"{self.species[a] + '-' + self.species[b]:>8}  {alpha:<24}{delta}")
        return "\n".join(lines)

    def _rows(self, shell: int) -> list[tuple[int, int]]:
        there = np.flatnonzero(self.counts).tolist()
        alpha = self.alpha[shell][np.ix_(there, there)]
        if np.allclose(alpha, alpha.T, atol=1e-9, equal_nan=True):
            return list(itertools.combinations_with_replacement(there, 2))
        return [(a, b) for a in there for b in there if self.centres[a]]

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


def _with_error(values: Array, errors: Array | None, at: tuple[Any, ...]) -> str:
    error = f" +- {errors[at]:.5f}" if errors is not None else ""
    return f"{round(values[at], 5) + 0.0:+.5f}{error}"
