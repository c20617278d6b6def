"""Means of short-range order over the frames of a run, with errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from ..arrays import Array
from ..crystal import as_atoms
from ..statistics import weighted_mean
from .frame_weights import FrameClock, Weighting
from .order_result import ShortRangeOrder
from .shells import DistanceShells, SiteShells, find_shells
from .short_range_order import measure, warn_of_coordination


def short_range_order_trajectory(
    frames: Iterable[Any],
    n_shells: int = 2,
    cutoffs_A: ArrayLike | None = None,
    species: Sequence[str] | None = None,
    weights: Weighting | ArrayLike = "auto",
) -> ShortRangeOrder:
    """Mean short-range order over a stationary run; its errors know autocorrelation.

    Parameters
    ----------
    frames : iterable of ase.Atoms or pymatgen Structure
        In order of time. The lattice is recognised in the first, whose radii are given; where
        it has no sites, its cutoffs serve all frames, scaled as the edge of a periodic cell.
    n_shells, cutoffs_A, species
        As in `short_range_order`; ``species`` defaults to those of the first frame.
    weights : {"auto", "residence", "time", "frames"} or array, shape (n_frames,)
        What a frame counts; see `frame_weights`. Frames of kinetic Monte Carlo every so many
        hops are not evenly spaced in time, and long-lived states are rare among them.

    Raises
    ------
    ValueError
        If there are fewer than two frames, the lattice changes, or weights cannot be had.
    """
    results: list[ShortRangeOrder] = []
    clock = FrameClock(weights)
    for number, frame in enumerate(frames):
        atoms = as_atoms(frame)
        clock.look(atoms)
        if number == 0:
            shells = find_shells(atoms, n_shells, cutoffs_A)
        else:
            shells = _next(shells, atoms, number)
        results.append(measure(shells, species))
        species = results[0].species[:-1]
    if len(results) < 2:
        raise ValueError(f"errors need at least two frames, not {len(results)}")
    warn_of_coordination(shells, results[-1])
    share, weighting = clock.weights()

    def mean(name: str) -> tuple[Array, Array]:
        return _known_mean(np.stack([getattr(r, name) for r in results]), share)

    (delta, delta_error), (alpha, alpha_error) = mean("delta"), mean("alpha")
    return replace(
        results[0],
        coordination=mean("coordination")[0],
        counts=mean("counts")[0],
        centres=mean("centres")[0],
        neighbors=mean("neighbors")[0],
        bonds=mean("bonds")[0],
        delta=delta,
        alpha=alpha,
        delta_error=delta_error,
        alpha_error=alpha_error,
        n_frames=len(results),
        weighting=weighting,
    )


def _next(
    shells: SiteShells | DistanceShells, atoms: Atoms, number: int
) -> SiteShells | DistanceShells:
    """Shells of the next frame, on the lattice of the first."""
    try:
        return shells.again(atoms)
    except ValueError as error:
        raise ValueError(
            f"frame {number} is not on the lattice of frame 0 ({shells.lattice}): {error}; give "
            "the shells' outer radii as cutoffs_A"
        ) from error


def _known_mean(series: Array, share: Array) -> tuple[Array, Array]:
    """Weighted means and errors over frames, NaN for species that some frame lacks."""
    known = np.isfinite(series).all(axis=0)
    mean, error = np.full(known.shape, np.nan), np.full(known.shape, np.nan)
    mean[known], error[known] = weighted_mean(series[:, known], share)
    return mean, error
