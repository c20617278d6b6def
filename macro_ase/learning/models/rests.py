"""Where an ensemble rests under many conditions at once: a(y, c) = 0, in scaled units.

Euler steps of the drift from the middle of the training states, as a path without noise takes them,
then Newton's, y <- y - (da/dy)^-1 a. A rest that the first way does not lead to is not looked for.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Array
from .stacked import Stacked

STEPS, NEWTON, APART = 600, 20, 1e-4
AT_REST, FARTHEST = 1e-8, 30.0


def rests_of(members: Stacked, conditions: Array) -> Array:
    """States of rest, shape (M, n, d), under scaled conditions, shape (n, c); nan without any."""
    m, d = len(members.arrays["start"]), members.d
    c = np.broadcast_to(conditions, (m, *conditions.shape))
    y = np.zeros((m, len(conditions), d))
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(STEPS):
            y = y + members.drift(y, c)
        lost = ~(np.abs(y).max(axis=2) < FARTHEST)
        y[lost] = 0.0
        for _ in range(NEWTON):
            y = y - np.linalg.solve(_slopes(members, y, c), members.drift(y, c)[..., None])[..., 0]
        still = np.abs(members.drift(y, c)).max(axis=2) < AT_REST
    return np.where((still & ~lost)[..., None], y, np.nan)


def _slopes(members: Stacked, y: Array, c: Array) -> Array:
    """da/dy, shape (M, n, d, d)."""
    m, n, d = y.shape
    ends = y[:, :, None] + APART * np.concatenate([np.eye(d), -np.eye(d)])
    values = members.drift(ends.reshape(m, -1, d), np.repeat(c, 2 * d, axis=1))
    values = values.reshape(m, n, 2, d, d)
    return np.asarray(np.swapaxes(values[:, :, 0] - values[:, :, 1], 2, 3) / (2 * APART))
