"""Closure variables that say of a tile what its mean spin and broken bonds do not say.

    phihat = W (g - B (m, c_1)),   z = (z*, mean of phihat over tiles)

g are features of a tile, each a mean over its own sites: chosen correlations or a trained
encoder. B and W take out what (m, c_1) say linearly and make the rest uncorrelated with spread 1,
which leaves means over tiles and keeps the training well conditioned. c_1 is the correlation of
neighbours inside the tile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Array
from ...observables.spin_correlations import FIRST_NEIGHBOURS, tile_correlation

Spins = NDArray[np.int8]
Features = Callable[[NDArray[Any]], Array]


def known_of(tiles: Spins) -> Array:
    """Mean spin and correlation of neighbours of tiles, shape (n, 2)."""
    return np.stack([tiles.mean(axis=1), tile_correlation(tiles, FIRST_NEIGHBOURS)], axis=1)


@dataclass(frozen=True)
class TileClosure:
    """Decorrelated features of tiles; a call takes tiles, (n, side**2), to values, (n, c)."""

    features: Features
    known_slope: Array
    offset: Array
    mix: Array
    known: Features = known_of

    @classmethod
    def fit(
        cls, features: Features, tiles: NDArray[Any], known_of: Features = known_of
    ) -> TileClosure:
        """B and W from tiles of relaxed large states."""
        values, known = features(tiles), known_of(tiles)
        x = np.column_stack([known, np.ones(len(known))])
        fit = np.linalg.lstsq(x, values, rcond=None)[0]
        variances, axes = np.linalg.eigh(np.cov((values - x @ fit).T).reshape(len(fit[0]), -1))
        mix = np.array(axes / np.sqrt(np.maximum(variances, 1e-12)), dtype=np.float64)
        return cls(features, np.array(fit[:-1], dtype=np.float64), fit[-1], mix, known_of)

    def __call__(self, tiles: NDArray[Any]) -> Array:
        """Values, shape (n, c)."""
        rest = self.features(tiles) - self.known(tiles) @ self.known_slope - self.offset
        return rest @ self.mix


@dataclass(frozen=True)
class SeveralClosures:
    """Closures side by side, so that one set of pairs serves to compare them."""

    closures: dict[str, TileClosure]

    def __call__(self, tiles: NDArray[Any]) -> Array:
        """Values of all, shape (n, c)."""
        values = [closure(tiles) for closure in self.closures.values()]
        return np.concatenate(values, axis=1) if values else np.zeros((len(tiles), 0))

    def columns(self, kind: str, n_observables: int) -> list[int]:
        """Columns of z = (z*, all closures) that belong to z* and one closure."""
        at, found = n_observables, list(range(n_observables))
        for name, closure in self.closures.items():
            width = closure.mix.shape[1]
            if name == kind:
                found += range(at, at + width)
            at += width
        return found
