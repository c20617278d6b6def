"""The past of a state, as a part of what its drift depends on.

    dm = (z - m) dt / theta,    m = z at the beginning:

m is the average of z over its past, with weights exp(-age / theta). Of two systems with the same z
one may be on its way and the other may only fluctuate; z - m tells them apart, and with it a drift
can take the one on and the other back. A state with its past is the row (z, m). What relaxes more
slowly when it is cold remembers for longer: theta = theta_0 exp(growth x), x = 1000 K / T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Array


@dataclass(frozen=True)
class Memory:
    """theta at x: ``at_0`` exp(``growth`` x)."""

    at_0: float
    growth: float = 0.0

    @classmethod
    def through(cls, x: Sequence[float], theta: Sequence[float]) -> Memory:
        """That whose logarithm is nearest to those of theta at some x; of one theta the same."""
        if len(set(theta)) == 1:
            return cls(float(theta[0]))
        growth, at_0 = np.polyfit(x, np.log(theta), 1)
        return cls(float(np.exp(at_0)), float(growth))

    def __call__(self, x: float) -> float:
        """theta."""
        return self.at_0 * float(np.exp(self.growth * x))


def past_of(z: Array, memory: float, first: Array | None = None) -> Array:
    """m at every record of a series, shape (n_t, d) as z; ``memory`` is theta in records.

    ``first``, shape (d,), is m at the beginning, where z has been something else before.
    """
    from scipy.signal import lfilter

    kept, begin = np.exp(-1 / memory), z[:1] if first is None else first[None]
    later = lfilter([1 - kept], [1, -kept], z[:-1], axis=0, zi=kept * begin)[0]
    return np.concatenate([begin, later])


def unmoved(z: Array, remembers: bool) -> Array:
    """States, shape (..., d), with a past in which they were the same, if it is remembered."""
    return np.concatenate([z, z], axis=-1) if remembers else z
