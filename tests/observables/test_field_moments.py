"""Moments of tiles against their definitions."""

import numpy as np

from macro_ase.observables.field_moments import (
    second_moments,
    squared_gradients,
    tile_means,
)

TILES = np.random.default_rng(0).random((5, 2, 12))


def test_definitions() -> None:
    u, v = TILES[3]
    np.testing.assert_allclose(tile_means(TILES)[3], [u.mean(), v.mean()])
    np.testing.assert_allclose(second_moments(TILES)[3], [(u * u).mean(), (u * v).mean()])
    gradients = [((x[1:] - x[:-1]) ** 2).mean() for x in (u, v)]
    np.testing.assert_allclose(squared_gradients(TILES)[3], gradients)


def test_gradients_do_not_see_means() -> None:
    shifted = TILES + np.array([0.3, -0.1])[:, None]
    np.testing.assert_allclose(squared_gradients(shifted), squared_gradients(TILES))
    assert not squared_gradients(np.ones((1, 2, 6))).any()
