"""One temperature-conditioned model a size, and its members.

The increment that pairs hold is the mean over all K patches of a snapshot, whose covariance is
that of the likelihood with lambda = K / j, j = K: nothing is tuned. Snapshots of the same m and T
have the same likelihood, so they enter through sums over narrow bins of |m|; a reversed snapshot
with reversed increments is as good as the snapshot. Members are fitted to blocks of chains drawn
with replacement: their spread is the bootstrap error of the whole procedure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Array
from ...rng import coerce_rng, stream
from ..kept import load_or_make
from .law import GRID, Table

if TYPE_CHECKING:
    from ...learning.models.symmetric_model import SymmetricModel
    from ...learning.options import FitOptions
    from ..stages import Chunk

BINS = 128
VALIDATION_SHARE = 0.2
COUNT, M, DRIFT, SQUARE = range(4)


@dataclass(frozen=True)
class BinnedPairs:
    """Pairs of one temperature as sums over bins of |m|, by block of chains.

    Attributes
    ----------
    temperature : float
    sums : array, shape (n_blocks, BINS + 1, 4)
        Number of snapshots, sums of |m|, of the drift towards larger |m|, of dm^2 / dt.
    """

    temperature: float
    sums: Array

    @classmethod
    def of(cls, temperature: float, rows: Chunk, chains: int, dt: float) -> BinnedPairs:
        """From arrays of shape (n_chains, rounds), so many neighbouring chains a block."""
        n_blocks = len(rows["m"]) // chains
        m, mean, dm = (rows[k].astype(float).reshape(n_blocks, -1) for k in ("m", "mean", "dm"))
        values = np.ones_like(m), np.abs(m), np.where(m < 0, -mean, mean) / dt, dm**2 / dt
        place = (np.abs(m) * BINS).astype(np.int64)
        sums = [
            [np.bincount(at, v[block], BINS + 1) for v in values] for block, at in enumerate(place)
        ]
        return cls(temperature, np.array(sums).transpose(0, 2, 1))


def drawn_blocks(n_blocks: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """How often each block is trained on and validated on, shape (n_blocks,)."""
    held_out = np.zeros(n_blocks, dtype=bool)
    held_out[rng.permutation(n_blocks)[: max(1, int(VALIDATION_SHARE * n_blocks))]] = True
    times = np.bincount(rng.integers(n_blocks, size=n_blocks), minlength=n_blocks).astype(float)
    if not times[~held_out].any():
        times[~held_out] = 1.0
    return times * ~held_out, np.where(held_out, np.maximum(times, 1.0), 0.0)


def means_of_bins(pairs: Sequence[BinnedPairs], times: Sequence[Array]) -> Array:
    """Rows (count, m, condition, drift, D) of all bins that hold anything, shape (n, 5)."""
    rows = []
    for own, weight in zip(pairs, times):
        total = np.tensordot(weight, own.sums, axes=1)
        total = total[total[:, COUNT] > 0]
        means = total[:, M:] / total[:, :1]
        condition = np.full(len(total), 1000 / own.temperature)
        rows.append(np.column_stack([total[:, COUNT], means[:, 0], condition, means[:, 1:]]))
    return np.concatenate(rows)


def fit_member(
    folder: Path, pairs: Sequence[BinnedPairs], options: FitOptions, seed: int, *item: int
) -> SymmetricModel:
    """Fit one member to blocks drawn with replacement, or load it if it was fitted already."""
    from ...learning.models.symmetric_model import SymmetricModel, fit_symmetric

    def make() -> SymmetricModel:
        rng = coerce_rng(stream(seed, "critical-member", *item))
        drawn = [drawn_blocks(len(own.sums), rng) for own in pairs]
        training, validation = (means_of_bins(pairs, times) for times in zip(*drawn))
        model = fit_symmetric(training, validation, options, int(rng.integers(2**31)))
        model.save(folder)
        return model

    return load_or_make(lambda: SymmetricModel.load(folder), make)


def tabulated(model: SymmetricModel, temperature: float, reach: float) -> Table:
    """b and D of a model on `GRID`."""
    return Table(*model.network.moments(GRID, 1000 / temperature), reach)
