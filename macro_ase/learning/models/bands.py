"""Bands of one system around the mean of an ensemble, wider where the model extrapolates.

The band of a share p holds the quantiles of all paths of all members, around the mean. Where the
conditions or the order are outside of what was trained, by a distance g, half widths w become

    sqrt(w^2 + (x g S)^2),   x = 1 for 68 %, 1.96 for 95 %,

S the standard deviation of the members' means.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Array

NORMAL = {0.68: 1.0, 0.95: 1.96}


class Bands:
    """Bands of means of shape (n, d), from members (M, n, d) and paths (M, paths, n, d).

    ``outside``, shape (n,), is g; a subclass gives the attributes.
    """

    mean: Array
    members: Array
    paths: Array
    outside: Array

    @property
    def band_68(self) -> Array:
        """Lower and upper limit, shape (2, n, d)."""
        return self._band(0.68)

    @property
    def band_95(self) -> Array:
        """Lower and upper limit, shape (2, n, d)."""
        return self._band(0.95)

    def _band(self, share: float) -> Array:
        m = len(self.members)
        apart = self.members.std(axis=0, ddof=1) if m > 1 else np.zeros_like(self.mean)
        if self.paths.shape[1]:
            pooled = self.paths.reshape(-1, *self.mean.shape)
            limits = np.quantile(pooled, [(1 - share) / 2, (1 + share) / 2], axis=0)
            width = np.maximum((self.mean - limits) * np.array([1, -1])[:, None, None], 0.0)
        else:
            width = np.stack([NORMAL[share] * apart] * 2)
        wider = np.sqrt(width**2 + (NORMAL[share] * self.outside[:, None] * apart) ** 2)
        return np.stack([self.mean - wider[0], self.mean + wider[1]])
