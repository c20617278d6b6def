"""Cross-validation of a barrier fit: over vacancy sites, frames and whole compositions."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from .linear_fit import Problem, normal_equations, prior_of, solve

ORBIT_STRENGTHS = (1.0, 3.0, 10.0, 30.0)
PAIR_STRENGTHS = (1.0, 3.0, 10.0)
N_FOLDS, N_REPEATS = 8, 5


class Fold(NamedTuple):
    """Rows that are left out in a partition, and the normal equations of all others."""

    repeat: int
    hops: NDArray[np.bool_]
    frames: NDArray[np.bool_]
    matrix: Array
    right: Array


def cross_validate(
    problem: Problem, prior: Array, seed: int, repeats: int = N_REPEATS
) -> tuple[Array, Array]:
    """Errors on left-out vacancy sites and frames; frames with equal rows are left out together.

    Returns
    -------
    barrier_error, formation_error : arrays, shape (repeats, n_hops) and (repeats, n_frames)
        Predicted minus given, eV; each row is one partition into folds.
    """
    return _errors(problem, prior, _folds(problem, seed, repeats))


def _folds(problem: Problem, seed: int, repeats: int) -> list[Fold]:
    sites, site_number = np.unique(problem.site, return_inverse=True)
    rows, row_number = np.unique(np.round(problem.frames, 9), axis=0, return_inverse=True)
    folds = []
    for r in range(repeats):
        rng = np.random.default_rng([seed, r])
        hop_fold = rng.permutation(np.arange(len(sites)) % N_FOLDS)[site_number]
        frame_fold = rng.permutation(np.arange(len(rows)) % N_FOLDS)[row_number.ravel()]
        for k in range(N_FOLDS):
            hops, frames = hop_fold == k, frame_fold == k
            folds.append(Fold(r, hops, frames, *normal_equations(problem, ~hops, ~frames)))
    return folds


def _errors(problem: Problem, prior: Array, folds: list[Fold]) -> tuple[Array, Array]:
    repeats = folds[-1].repeat + 1
    barrier = np.zeros((repeats, len(problem.barrier_eV)))
    formation = np.zeros((repeats, len(problem.formation_eV)))
    for r, hops, frames, matrix, right in folds:
        w = np.linalg.solve(matrix + np.diag(prior), right)
        barrier[r, hops] = problem.hops[hops] @ w - problem.barrier_eV[hops]
        formation[r, frames] = problem.frames[frames] @ w - problem.formation_eV[frames]
    return barrier, formation


def leave_out_compositions(problem: Problem, prior: Array) -> Array:
    """Errors of barriers when all hops of their composition are left out, shape (n_hops,).

    Predicted minus given, eV; nan where no other composition has a hop of the species. Frames are
    kept: they say nothing of barriers but the energy change.
    """
    error = np.full(len(problem.barrier_eV), np.nan)
    for composition in np.unique(problem.composition):
        out = problem.composition == composition
        known = out & np.isin(problem.hopping, problem.hopping[~out])
        if known.any():
            w = solve(problem, prior, ~out, slice(None))
            error[known] = problem.hops[known] @ w - problem.barrier_eV[known]
    return error


def choose_prior(problem: Problem, seed: int) -> tuple[float, float]:
    """Strengths (orbit, pair) with the least cross-validated barrier error."""
    candidates = list(itertools.product(ORBIT_STRENGTHS, PAIR_STRENGTHS))
    folds = _folds(problem, seed, repeats=2)
    errors = [
        np.abs(_errors(problem, prior_of(problem.n_species, *c), folds)[0]).mean()
        for c in candidates
    ]
    return candidates[int(np.argmin(errors))]
