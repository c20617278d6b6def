"""Correlations of spins on square tiles, from pairs that lie inside the tile.

c_r = mean over pairs (i, i + r) of s_i s_(i+r).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Shift = tuple[int, int]
FIRST_NEIGHBOURS: tuple[Shift, ...] = ((1, 0), (0, 1))
SECOND_NEIGHBOURS: tuple[Shift, ...] = ((1, 1), (1, -1))
THIRD_NEIGHBOURS: tuple[Shift, ...] = ((2, 0), (0, 2))
FARTHER = (((2, 1), (2, -1), (1, 2), (1, -2)), ((2, 2), (2, -2)), ((3, 0), (0, 3)))
BLOCK = 4


def tile_correlation(tiles: NDArray[np.int8], shifts: Sequence[Shift]) -> NDArray[np.float64]:
    """Correlation of spins some shifts apart.

    Parameters
    ----------
    tiles : int8 array, shape (n, side**2)
        1 or -1, sites in C order.
    shifts : sequence of (int, int)
        Rows (0 or more) and columns to the partner; all must fit into the tile.

    Returns
    -------
    array, shape (n,)
        Mean over shifts of the mean over pairs inside the tile.

    Raises
    ------
    ValueError
        If a shift does not fit, tiles are not square, or spins are not 1 or -1.
    """
    side = round(np.sqrt(tiles.shape[1]))
    if side**2 != tiles.shape[1] or not np.all(np.abs(tiles) == 1):
        raise ValueError(f"tiles must be squares of spins 1 or -1, not {tiles.shape[1]} numbers")
    squares = tiles.reshape(-1, side, side)
    means = []
    for down, right in shifts:
        if not (0 <= down < side and abs(right) < side):
            raise ValueError(f"a shift of {(down, right)} does not fit a tile of side {side}")
        left, first = max(-right, 0), max(right, 0)
        a = squares[:, : side - down, left : side - first]
        b = squares[:, down:, first : side - left]
        means.append(1 - 2 * (a != b).mean(axis=(1, 2)))
    mean: NDArray[np.float64] = np.mean(means, axis=0)
    return mean


def next_correlations(tiles: NDArray[np.int8]) -> NDArray[np.float64]:
    """Second- and third-neighbour correlations of tiles, shape (n, 2)."""
    return np.stack(
        [tile_correlation(tiles, SECOND_NEIGHBOURS), tile_correlation(tiles, THIRD_NEIGHBOURS)],
        axis=1,
    )


def block_statistics(tiles: NDArray[np.int8]) -> NDArray[np.float64]:
    """What block averages of 4 x 4 say about tiles, shape (n, 3).

    Their variance, their mean product between neighbouring blocks, and their fourth moment.
    """
    side = round(np.sqrt(tiles.shape[1]))
    n = side // BLOCK
    cut = tiles.reshape(-1, side, side)[:, : n * BLOCK, : n * BLOCK]
    blocks = cut.reshape(len(tiles), n, BLOCK, n, BLOCK).mean(axis=(2, 4))
    across = (blocks[:, 1:] * blocks[:, :-1]).mean(axis=(1, 2))
    along = (blocks[:, :, 1:] * blocks[:, :, :-1]).mean(axis=(1, 2))
    squares = blocks**2
    moments = [squares.mean(axis=(1, 2)), (across + along) / 2, (squares**2).mean(axis=(1, 2))]
    return np.stack(moments, axis=1)


def inner_statistics(tiles: NDArray[np.int8]) -> NDArray[np.float64]:
    """What tiles look like inside: block statistics and correlations, shape (n, 8)."""
    farther = np.stack([tile_correlation(tiles, shifts) for shifts in FARTHER], axis=1)
    return np.concatenate([block_statistics(tiles), next_correlations(tiles), farther], axis=1)
