"""The past of a state, as a part of what its drift depends on.

    dm = (z - m) dt / theta,    m = z at the beginning:

m is the average of z over its past, with weights exp(-age / theta). Of two systems with the same z
one may be on its way and the other may only fluctuate; z - m tells them apart, and with it a drift
can take the one on and the other back. A state with its past is the row (z, m).
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array


def past_of(z: Array, memory: float) -> Array:
    """m at every record of a series, shape (n_t, d) as z; ``memory`` is theta in records."""
    from scipy.signal import lfilter

    kept = np.exp(-1 / memory)
    later = lfilter([1 - kept], [1, -kept], z[:-1], axis=0, zi=kept * z[:1])[0]
    return np.concatenate([z[:1], later])


def unmoved(z: Array, remembers: bool) -> Array:
    """States, shape (..., d), with a past in which they were the same, if it is remembered."""
    return np.concatenate([z, z], axis=-1) if remembers else z
