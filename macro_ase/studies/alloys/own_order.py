"""Increments of patches, less what each does because its order is its own.

Patches of one state differ in their own order w_I, whose mean over patches is z, and each moves
towards where it would rest itself:

    dz_I = f(z) + B (w_I - z) + noise.

The middle term has no mean, and in the whole it cancels; left in, it counts as noise. B follows
from differences of w and dz within states. Where order relaxes linearly with the time tau, the
noise is too large by 2 / (1 + exp(-dt / tau)) with it, and right without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Array, Chunk
from ...systems.alloy_swap import SwapAlloy
from ...systems.patch_order import patch_order
from .design import Design

ENOUGH = 20
"""Differences within states for every component of w, at least."""


def without_own_order(
    d: Design, small: Sequence[Chunk], pairs: Mapping[str, NDArray[Any]]
) -> Array:
    """dz of the pairs of a temperature, shape (n, d), less B (w_I - z) where patches have an order.

    Parameters
    ----------
    small : sequence of mapping
        Small runs of the temperature, with the ``states`` that patches are of.
    pairs : mapping
        With ``dz``, shape (n, d), and ``snapshot`` and ``patch``, shape (n,), of all these runs.
    """
    if d.grow or not isinstance(d.sampled, SwapAlloy):
        return np.asarray(pairs["dz"])
    states = [state for run in small for state in run["states"]]
    order = np.array([patch_order(d.sampled, state) for state in states])
    own = (order - order.mean(axis=1, keepdims=True))[pairs["snapshot"], pairs["patch"]]
    return less_own_drift(np.asarray(pairs["dz"]), own, np.asarray(pairs["snapshot"]))


def less_own_drift(dz: Array, own: Array, snapshot: NDArray[np.int64]) -> Array:
    """dz, shape (n, d), less B w for w of the same shape, B by least squares within snapshots.

    Of few pairs nothing is taken away.
    """
    within_own, within_dz = _within(own, snapshot), _within(dz, snapshot)
    if len(dz) - len(np.unique(snapshot)) < ENOUGH * dz.shape[1]:
        return dz
    return dz - own @ np.linalg.lstsq(within_own, within_dz, rcond=None)[0]


def _within(x: Array, group: NDArray[np.int64]) -> Array:
    """Rows less the mean of their group."""
    n = np.bincount(group)
    sums = np.stack([np.bincount(group, column) for column in x.T], axis=1)
    return np.asarray(x - (sums / np.maximum(n, 1)[:, None])[group])
