"""Principal components of states: the first, fixed layer of an encoder.

    s = U F (x - <x>)

U holds the orthonormal directions in which F x varies most, found from as many states as are given
(the method of snapshots: their Gram matrix, never the covariance of all N coordinates). F are
chosen features, all coordinates by default. Components of a moving front wind around each other;
those of features that see long waves best hardly do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arrays import Array


@dataclass(frozen=True)
class PrincipalComponents:
    """A linear projection of states."""

    mean: Array
    directions: Array
    scale: Array
    left_out: float

    @classmethod
    def fit(
        cls,
        states: NDArray[np.floating],
        width: int,
        features: Array | None = None,
        raised: float = 1.0,
    ) -> PrincipalComponents:
        """The leading components of states, shape (n, N).

        Parameters
        ----------
        states : array, shape (n, N)
        width : int
            Components that are kept, fewer if the states span fewer.
        features : array, shape (n_features, N), optional
            F.
        raised : float
            scale^2 is the variance of a component and ``raised``^2 times that of the first: with 1
            small components stay small, with 0 all become alike.

        Raises
        ------
        ValueError
            If there are fewer than two states, or they do not differ.
        """
        if len(states) < 2:
            raise ValueError("principal components need at least two states")
        mean = states.mean(axis=0, dtype=np.float64)
        centred = np.asarray(states, dtype=np.float64) - mean
        centred = centred if features is None else centred @ features.T
        variances, modes = np.linalg.eigh(centred @ centred.T / len(states))
        variances, modes = variances[::-1], modes[:, ::-1]
        if variances[0] <= 0:
            raise ValueError("principal components need states that differ")
        keep = min(width, int(np.sum(variances > 1e-12 * variances[0])))
        directions = modes[:, :keep].T @ centred
        directions = np.linalg.qr(directions.T)[0].T
        directions = directions if features is None else directions @ features
        left_out = max(0.0, 1 - variances[:keep].sum() / variances.sum())
        scale = np.sqrt(variances[:keep] + raised**2 * variances[0])
        return cls(mean, np.ascontiguousarray(directions), scale, float(left_out))

    def __call__(self, states: NDArray[np.floating]) -> Array:
        """Components of states, (n, N) to (n, w)."""
        return np.array((states - self.mean) @ self.directions.T, dtype=np.float64)
