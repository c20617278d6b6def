"""Squared maximum mean discrepancy of two sets of paths.

    MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y),
    k(x, y) = mean over s of exp(-|x - y|^2 / (2 s^2)),   s = .25, .5, 1, 2, 4, 8

with all pairs in the means, equal ones included: the biased V-statistic of A. Gretton, K. M.
Borgwardt, M. J. Rasch, B. Schölkopf and A. Smola, J. Mach. Learn. Res. 13, 723 (2012). It is taken
at every time and averaged over times. The average over times of the kernel, one matrix for all
paths, therefore holds all that is needed: MMD^2 = w^T K w with w = 1/n for true and -1/m for
predicted paths; and resampling paths only changes w.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Array
from ..rng import Seed, coerce_rng

BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def mean_kernel(paths: Array, bandwidths: Sequence[float] = BANDWIDTHS) -> Array:
    """Kernel of all pairs of paths, averaged over times and bandwidths.

    Parameters
    ----------
    paths : array, shape (n, n_t, d)
        In units of their spread.
    bandwidths : sequence of float

    Returns
    -------
    array, shape (n, n)
    """
    kernel = np.zeros((len(paths), len(paths)))
    for x in paths.swapaxes(0, 1):
        squares = (x**2).sum(axis=1)
        distances = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0.0)
        np.fill_diagonal(distances, 0.0)
        for s in bandwidths:
            kernel += np.exp(distances / (-2 * s**2))
    kernel /= len(bandwidths) * paths.shape[1]
    return kernel


def squared_mmd(true: Array, predicted: Array, bandwidths: Sequence[float] = BANDWIDTHS) -> float:
    """MMD^2, averaged over times.

    Parameters
    ----------
    true, predicted : arrays, shapes (n, n_t, d) and (m, n_t, d)
        In units of the truth's spread.
    bandwidths : sequence of float

    Raises
    ------
    ValueError
        If times or dimensions differ, or there are no paths.
    """
    return float(_quadratic(*_weighted_kernel(true, predicted, bandwidths)))


def squared_mmd_with_error(
    true: Sequence[Array],
    predicted: Sequence[Array],
    resamples: int = 200,
    rng: Seed = 0,
    bandwidths: Sequence[float] = BANDWIDTHS,
) -> tuple[float, float]:
    """Mean over sets of paths of MMD^2, and its error.

    Parameters
    ----------
    true, predicted : sequences of arrays, shapes (n, n_t, d) and (m, n_t, d)
        One pair for each set, in units of the truth's spread.
    resamples : int
        Bootstrap samples of the paths, drawn within each set.
    rng : seed
    bandwidths : sequence of float

    Raises
    ------
    ValueError
        As `squared_mmd`, or if the numbers of sets differ.
    """
    if len(true) != len(predicted):
        raise ValueError(f"{len(true)} sets of true paths and {len(predicted)} of predicted ones")
    generator = coerce_rng(rng)
    values, samples = [], np.zeros(resamples)
    for x, y in zip(true, predicted):
        kernel, weights = _weighted_kernel(x, y, bandwidths)
        values.append(_quadratic(kernel, weights))
        counts = [
            generator.multinomial(len(z), np.full(len(z), 1 / len(z)), resamples) for z in (x, y)
        ]
        samples += _quadratic(kernel, np.concatenate(counts, axis=1) * weights)
    return float(np.mean(values)), float((samples / len(true)).std(ddof=1))


def standardise(true: Array, *others: Array) -> tuple[Array, ...]:
    """All in units of the truth: mean 0 and spread 1 of each component over all of ``true``.

    Arrays have components on the last axis.
    """
    axes = tuple(range(true.ndim - 1))
    mean, spread = true.mean(axis=axes), true.std(axis=axes)
    return tuple((x - mean) / spread for x in (true, *others))


def _weighted_kernel(
    true: Array, predicted: Array, bandwidths: Sequence[float]
) -> tuple[Array, Array]:
    if true.shape[1:] != predicted.shape[1:] or not len(true) or not len(predicted):
        raise ValueError(f"paths of shapes {true.shape} and {predicted.shape} cannot be compared")
    n, m = len(true), len(predicted)
    weights = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])
    return mean_kernel(np.concatenate([true, predicted]), bandwidths), weights


def _quadratic(kernel: Array, weights: Array) -> Array:
    """w^T K w for weights of shape (..., n)."""
    forms: Array = np.einsum("...i,ij,...j->...", weights, kernel, weights, optimize=True)
    return forms
