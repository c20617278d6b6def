"""What means of fields do not say of tiles of a line: moments and gradients.

Tiles are float arrays of shape (n, 2, width) of fields u and v. Every value is a mean over a
tile's own cells, or over the neighbours among them.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array


def tile_means(tiles: Array) -> Array:
    """Mean u and mean v, shape (n, 2)."""
    return tiles.mean(axis=-1)


def second_moments(tiles: Array) -> Array:
    """<u^2> and <u v>, shape (n, 2): what the rates of the mean prey and predators depend on."""
    u = tiles[:, 0]
    return (u[:, None] * tiles).mean(axis=-1)


def squared_gradients(tiles: Array) -> Array:
    """Mean squared differences of neighbours of u and of v, shape (n, 2)."""
    return (np.diff(tiles, axis=-1) ** 2).mean(axis=-1)
