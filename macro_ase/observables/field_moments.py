"""What means of fields do not say of tiles: moments and gradients.

Tiles are float arrays of shape (n, n_fields, *width). Every value is a mean over a tile's own
cells, or over the neighbours among them.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array


def tile_means(tiles: Array) -> Array:
    """Mean of every field, shape (n, n_fields)."""
    means: Array = tiles.mean(axis=tuple(range(2, tiles.ndim)))
    return means


def second_moments(tiles: Array) -> Array:
    """<u^2> and <u v> of a line, shape (n, 2): what the rates of prey and predators depend on."""
    u = tiles[:, 0]
    means: Array = (u[:, None] * tiles).mean(axis=-1)
    return means


def squared_gradients(tiles: Array) -> Array:
    """Mean squared differences of neighbours of every field, over all axes, shape (n, n_fields)."""
    axes = range(2, tiles.ndim)
    means: Array = sum((np.diff(tiles, axis=k) ** 2).mean(axis=tuple(axes)) for k in axes)
    return means


def third_moment(tiles: Array) -> Array:
    """<v^3> of every field, shape (n, n_fields): what the mean rate of v - v^3 needs."""
    means: Array = (tiles**3).mean(axis=tuple(range(2, tiles.ndim)))
    return means
