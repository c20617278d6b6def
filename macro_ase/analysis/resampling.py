"""Errors of functions of means, by resampling blocks of successive samples.

A block holds B samples with B^3 >= 2 n_t (2 tau_int)^2, which balances the bias of short blocks
against the noise of few (R. M. Lee et al., Phys. Rev. E 83, 066706, 2011): so ratios, cumulants
and fits get errors that know the autocorrelation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..rng import Seed, coerce_rng
from ..statistics import integrated_autocorrelation_time

FEWEST_BLOCKS = 8


@dataclass(frozen=True)
class Blocking:
    """Error of a mean against the length of the blocks that it was estimated from.

    Attributes
    ----------
    lengths : int array, shape (n_levels,)
        1, 2, 4, ... samples a block, as long as there are two blocks.
    errors, error_of_errors : arrays, shape (n_levels,)
        Standard error of the mean at each length, and how well it is known.
    level : int
        The chosen level: the first in the plateau, or the last if there is none.
    plateau : bool
        Whether the rule was met. If not, the series is shorter than its memory allows, and
        ``error`` is a lower bound.
    """

    lengths: NDArray[np.int64]
    errors: NDArray[np.float64]
    error_of_errors: NDArray[np.float64]
    level: int
    plateau: bool

    @property
    def error(self) -> float:
        """The standard error at the chosen level."""
        return float(self.errors[self.level])

    @property
    def error_of_error(self) -> float:
        """How well it is known."""
        return float(self.error_of_errors[self.level])


def blocking(series: ArrayLike) -> Blocking:
    """Standard error of the mean by averaging neighbours pairwise, again and again.

    At level k there are n_k blocks of 2^k samples; their variance s_k^2 (divided by n_k - 1)
    gives the error s_k / sqrt(n_k), known to the part 1 / sqrt(2 (n_k - 1)) of itself
    (H. Flyvbjerg and H. G. Petersen, J. Chem. Phys. 91, 461, 1989). The plateau begins at the
    first length B with B^3 > 2 n_t (error_B / error_1)^4 (Lee et al. 2011).

    Parameters
    ----------
    series : array, shape (n_t,)
        Equally spaced samples of a stationary process.

    Returns
    -------
    Blocking

    Raises
    ------
    ValueError
        If the series is not one of at least two samples.
    """
    values = np.asarray(series, dtype=float)
    n_t = len(values) if values.ndim == 1 else 0
    if n_t < 2:
        raise ValueError(f"blocking needs one series of 2 samples or more, not {values.shape}")
    errors, counts = [], []
    while len(values) >= 2:
        errors.append(values.std(ddof=1) / math.sqrt(len(values)))
        counts.append(len(values))
        values = values[: len(values) // 2 * 2].reshape(-1, 2).mean(axis=1)
    error, lengths = np.array(errors), 2 ** np.arange(len(errors))
    inefficiency = (error / (error[0] or 1.0)) ** 2
    long_enough = np.flatnonzero(lengths.astype(float) ** 3 > 2 * n_t * inefficiency**2)
    level = int(long_enough[0]) if len(long_enough) else len(error) - 1
    uncertain = error / np.sqrt(2 * (np.array(counts) - 1))
    return Blocking(lengths, error, uncertain, level, bool(len(long_enough)))


def block_count(*series: ArrayLike) -> int:
    """Number of blocks into which series of one length are cut for resampling.

    Parameters
    ----------
    series : arrays, shape (n_t, ...)
        The one with the longest memory decides.

    Returns
    -------
    int
        n_t / B with B^3 >= 2 n_t (2 tau_int)^2, at least 8, at most n_t.

    Raises
    ------
    ValueError
        If there is no series or their lengths differ.
    """
    n_t = _common_length(series)
    tau = max(float(np.max(integrated_autocorrelation_time(values))) for values in series)
    length = math.ceil(math.pow(2 * n_t * (2 * tau) ** 2, 1 / 3))
    return min(n_t, max(FEWEST_BLOCKS, n_t // length))


def jackknife(
    function: Callable[..., Any], *series: ArrayLike, n_blocks: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A function of means, free of bias to first order, and its error.

    With f_j the function of the means over all but block j of b, and f that of all samples,
    the value is b f - (b - 1) <f_j> and the error sqrt((b - 1) / b sum_j (f_j - <f_j>)^2)
    (B. Efron, *The Jackknife, the Bootstrap and Other Resampling Plans*, SIAM 1982).

    Parameters
    ----------
    function : callable
        Takes the mean of each series and returns a number or an array.
    series : arrays, shape (n_t, ...)
        Sampled at the same times.
    n_blocks : int, optional
        Default: `block_count`, which knows the autocorrelation.

    Returns
    -------
    value, error : arrays of the shape that ``function`` returns
        One sample gives the plain value and the error nan.

    Raises
    ------
    ValueError
        If the lengths of the series differ, or ``n_blocks`` is not between 2 and n_t.

    Examples
    --------
    Ratio of two means:

    >>> a, b = np.arange(10.0) % 3, 1 + np.arange(10.0) % 2
    >>> value, error = jackknife(lambda a, b: a / b, a, b)
    >>> f"{value:.2f} +- {error:.2f}"
    '0.60 +- 0.14'
    """
    sums, counts = _block_sums(series, n_blocks)
    total = [s.sum(axis=0) for s in sums]
    plain = np.asarray(function(*[t / counts.sum() for t in total]), dtype=float)
    b = len(counts)
    if b == 1:
        return plain, np.full_like(plain, np.nan)
    without = np.array(
        [
            function(*[(t - s[j]) / (counts.sum() - counts[j]) for t, s in zip(total, sums)])
            for j in range(b)
        ],
        dtype=float,
    )
    value = b * plain - (b - 1) * without.mean(axis=0)
    return value, np.sqrt(b - 1) * without.std(axis=0)


def bootstrap(
    function: Callable[..., Any],
    *series: ArrayLike,
    resamples: int = 400,
    rng: Seed = 0,
    n_blocks: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A function of means and its error, from blocks drawn with replacement.

    The error is the standard deviation over resamples of b blocks, times sqrt(b / (b - 1))
    (H. R. Kuensch, Ann. Stat. 17, 1217, 1989, with blocks that do not overlap). It needs no
    smooth function, as `jackknife` does: medians, roots and maxima are in order.

    Parameters
    ----------
    function, series, n_blocks
        As in `jackknife`.
    resamples : int
        The error is known to the part 1 / sqrt(2 resamples).
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    value, error : arrays of the shape that ``function`` returns
    """
    sums, counts = _block_sums(series, n_blocks)
    value = np.asarray(function(*[s.sum(axis=0) / counts.sum() for s in sums]), dtype=float)
    b = len(counts)
    if b == 1:
        return value, np.full_like(value, np.nan)
    drawn = coerce_rng(rng).integers(b, size=(resamples, b))
    again = [function(*[s[d].sum(axis=0) / counts[d].sum() for s in sums]) for d in drawn]
    return value, np.std(again, axis=0) * math.sqrt(b / (b - 1))


def _common_length(series: Sequence[ArrayLike]) -> int:
    lengths = {len(np.atleast_1d(values)) for values in series}
    if len(lengths) != 1:
        raise ValueError(f"series must have one length, not {sorted(lengths)}")
    return lengths.pop()


def _block_sums(
    series: tuple[ArrayLike, ...], n_blocks: int | None
) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Sums over blocks of each series, and the samples in each block, which differ by 1 at most."""
    arrays = [np.asarray(values, dtype=float) for values in series]
    n_t = _common_length(arrays)
    if n_blocks is None:
        n_blocks = block_count(*arrays)
    elif not 2 <= n_blocks <= n_t:
        raise ValueError(f"n_blocks must be from 2 to {n_t}, not {n_blocks}")
    edges = np.linspace(0, n_t, n_blocks + 1).astype(np.int64)
    return [np.add.reduceat(a, edges[:-1], axis=0) for a in arrays], np.diff(edges)
