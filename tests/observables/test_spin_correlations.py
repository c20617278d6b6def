"""Correlations inside tiles against sums over pairs, and on patterns that are known."""

import numpy as np
import pytest

from macro_ase.observables.spin_correlations import (
    FIRST_NEIGHBOURS,
    SECOND_NEIGHBOURS,
    THIRD_NEIGHBOURS,
    block_statistics,
    inner_statistics,
    next_correlations,
    tile_correlation,
)


def test_against_a_sum_over_pairs() -> None:
    rng, side = np.random.default_rng(0), 6
    tiles = rng.choice(np.array([-1, 1], dtype=np.int8), (3, side**2))
    for shifts in (FIRST_NEIGHBOURS, SECOND_NEIGHBOURS, THIRD_NEIGHBOURS):
        for tile, value in zip(tiles.reshape(3, side, side), tile_correlation(tiles, shifts)):
            means = []
            for i, j in shifts:
                pairs = [
                    tile[a, b] * tile[a + i, b + j]
                    for a in range(side)
                    for b in range(side)
                    if a + i < side and 0 <= b + j < side
                ]
                means.append(np.mean(pairs))
            assert value == pytest.approx(np.mean(means))


def test_patterns() -> None:
    up, board = np.ones((1, 64), np.int8), np.indices((8, 8)).sum(axis=0) % 2 * 2 - 1
    np.testing.assert_allclose(next_correlations(up), [[1, 1]])
    checkered = board.astype(np.int8).reshape(1, -1)
    assert tile_correlation(checkered, FIRST_NEIGHBOURS) == pytest.approx(-1)
    np.testing.assert_allclose(next_correlations(checkered), [[1, 1]])


def test_refusals() -> None:
    with pytest.raises(ValueError, match="does not fit a tile of side 4"):
        tile_correlation(np.ones((1, 16), np.int8), [(4, 0)])


def test_block_statistics() -> None:
    up = np.ones((1, 64), np.int8)
    np.testing.assert_allclose(block_statistics(up), [[1, 1, 1]])
    half = np.repeat([1, -1], 32).astype(np.int8)[None]
    np.testing.assert_allclose(block_statistics(half), [[1, 0, 1]])
    assert inner_statistics(np.concatenate([up, half])).shape == (2, 8)
