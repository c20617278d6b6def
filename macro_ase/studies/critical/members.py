"""One temperature-conditioned model a size, and its members.

The increment that pairs hold is the mean over all K patches of a snapshot, whose covariance is
that of the likelihood with lambda = K / j, j = K: nothing is tuned. Snapshots of the same m and T
have the same likelihood, so they enter through sums over narrow bins of |m|; a reversed snapshot
with reversed increments is as good as the snapshot. Members are fitted to blocks of chains drawn
with replacement: their spread is the bootstrap error of the whole procedure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Array
from ...learning.options import FitOptions

if TYPE_CHECKING:
    from ...learning.models.symmetric_model import SymmetricModel

BINS = 128
VALIDATION_SHARE = 0.2


def binned(rows: tuple[Array, Array, Array], chains: int, dt: float) -> Array:
    """Sums over bins of |m| by block of so many neighbouring chains, of their m, mean and dm.

    Shape (n_blocks, BINS + 1, 4): number of snapshots, |m|, drift towards larger |m|, dm^2 / dt.
    """
    m, mean, dm = (x.astype(float).reshape(len(x) // chains, -1) for x in rows)
    values = np.ones_like(m), np.abs(m), np.where(m < 0, -mean, mean) / dt, dm**2 / dt
    place = (np.abs(m) * BINS).astype(np.int64)
    sums = [[np.bincount(at, v[k], BINS + 1) for v in values] for k, at in enumerate(place)]
    return np.array(sums).transpose(0, 2, 1)


def drawn_blocks(n_blocks: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """How often each block is trained on and validated on, shape (n_blocks,)."""
    held_out = np.zeros(n_blocks, dtype=bool)
    held_out[rng.permutation(n_blocks)[: max(1, int(VALIDATION_SHARE * n_blocks))]] = True
    times = np.bincount(rng.integers(n_blocks, size=n_blocks), minlength=n_blocks).astype(float)
    if not times[~held_out].any():
        times[~held_out] = 1.0
    return times * ~held_out, np.where(held_out, np.maximum(times, 1.0), 0.0)


def means_of_bins(sums: Mapping[float, Array], times: Sequence[Array]) -> Array:
    """Rows (count, m, condition, drift, D) of all bins that hold anything, shape (n, 5)."""
    rows = []
    for (T, own), weight in zip(sums.items(), times):
        total = np.tensordot(weight, own, axes=1)
        count, *values = total[total[:, 0] > 0].T
        m, drift, square = (x / count for x in values)
        rows.append(np.column_stack([count, m, np.full_like(m, 1000 / T), drift, square]))
    return np.concatenate(rows)


def fit_member(
    sums: Mapping[float, Array], options: FitOptions, rng: np.random.Generator
) -> SymmetricModel:
    """Fit one member to blocks drawn with replacement from what is `binned` by temperature."""
    from ...learning.models.symmetric_model import fit_symmetric

    drawn = [drawn_blocks(len(own), rng) for own in sums.values()]
    training, validation = (means_of_bins(sums, times) for times in zip(*drawn))
    return fit_symmetric(training, validation, options, int(rng.integers(2**31)))
