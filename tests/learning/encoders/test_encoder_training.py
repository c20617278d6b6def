"""Training of the patch encoder: what it is to rebuild, that it does so, the same every time."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.encoders.patch_encoder import (  # noqa: E402
    EncoderOptions,
    block_statistics,
    targets_of,
    train_encoder,
)
from macro_ase.rng import stream  # noqa: E402
from macro_ase.systems.ising import IsingSystem  # noqa: E402

pytestmark = pytest.mark.learn
ISING = IsingSystem(2.5, 0.1)


def tiles(n: int = 600, side: int = 8, seed: int = 0) -> np.ndarray:
    """Tiles of ages from random to relaxed."""
    rng = np.random.default_rng(seed)
    start = ISING.random_states(side, rng.uniform(-0.8, 0.8, n // 3), rng)
    _, states = ISING.run(start, side, [0.0, 1.0, 10.0], rng)
    return states.reshape(-1, side**2)


def test_training_explains_and_is_reproducible() -> None:
    spins = tiles()
    options = EncoderOptions(steps=150, channels=4, batch_size=128)
    results = [
        train_encoder(spins, ISING.observe(spins, 8), options, stream(0, "encoder"))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(results[0][0].encode(spins), results[1][0].encode(spins))
    assert results[0][1].shape == (8,) and results[0][1].mean() < 0.5


def test_targets() -> None:
    up = np.ones((1, 64), np.int8)
    np.testing.assert_allclose(block_statistics(up), [[1, 1, 1]])
    half = np.repeat([1, -1], 32).astype(np.int8)[None]
    np.testing.assert_allclose(block_statistics(half), [[1, 0, 1]])
    assert targets_of(tiles(9)).shape == (9, 8)
