"""Large states of fields from small ones: interpolated or repeated, then relaxed in windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array
from ..rng import Seed, coerce_rng
from .field_patches import FieldPatches


def interpolate(fields: Array, factor: int, periodic: bool = False) -> Array:
    """Fields on cells ``factor`` times finer, linear between the centres of the coarse ones.

    Beyond the outermost centres they stay constant, as at a wall, unless the grid is periodic.

    Parameters
    ----------
    fields : array, shape (n_replicas, n_fields, *grid)
    factor : int
    periodic : bool

    Raises
    ------
    ValueError
        If the factor is below 1.
    """
    if factor < 1:
        raise ValueError(f"the factor must be at least 1, not {factor}")
    for axis in range(2, fields.ndim):
        n = fields.shape[axis]
        place = (np.arange(n * factor) + 0.5) / factor - 0.5
        if not periodic:
            place = np.clip(place, 0, n - 1)
        left = (
            np.floor(place).astype(np.int64) if periodic else np.minimum(place.astype(int), n - 2)
        )
        share = (place - left).reshape(-1, *(1,) * (fields.ndim - axis - 1))
        low, high = (np.take(fields, k, axis, mode="wrap") for k in (left, left + 1))
        fields = (1 - share) * low + share * high
    return fields


def repeat(fields: Array, factor: int, periodic: bool = False) -> Array:
    """Fields on a grid ``factor`` times as large: copies side by side, mirrored at walls.

    Parameters
    ----------
    fields : array, shape (n_replicas, n_fields, *grid)
    factor : int
    periodic : bool
    """
    for axis in range(2, fields.ndim):
        other = fields if periodic else np.flip(fields, axis)
        fields = np.concatenate([other if k % 2 else fields for k in range(factor)], axis=axis)
    return fields


def local_relax(
    patches: FieldPatches, fields: Array, time: float, sweep: float, dt: float, rng: Seed
) -> Array:
    """Short dynamics in windows that overlap, the rest frozen, of states; returns new ones.

    The windows are the patches and, every other sweep, patches shifted by half their width along
    every axis, with halves of them at the walls.

    Parameters
    ----------
    patches : FieldPatches
    fields : array, shape (n_replicas, n_fields, *grid)
    time : float
        That every cell evolves.
    sweep : float
        Time between two changes of the windows.
    dt : float
    rng : seed
    """
    generator, relaxed, system = coerce_rng(rng), fields, patches.system
    n_sweeps = int(np.ceil(time / sweep)) if time > 0 else 0
    for k in range(n_sweeps):
        fields, relaxed = relaxed, relaxed.copy()
        for windows in patches.windows(shifted=k % 2 == 1):
            moved = windows.evolve(system, fields, time / n_sweeps, dt, generator)
            where: Any = (slice(None), slice(None), *windows.cells(system))
            relaxed[where] = moved.swapaxes(1, 2)
    return relaxed
