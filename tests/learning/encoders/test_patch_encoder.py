"""The patch encoder: any size, covariant, trained the same every time, saved as data."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.encoders.patch_encoder import PatchEncoder, train_encoder  # noqa: E402
from macro_ase.learning.options import EncoderOptions  # noqa: E402
from macro_ase.rng import stream  # noqa: E402
from macro_ase.systems.ising import IsingSystem  # noqa: E402

pytestmark = pytest.mark.learn
ISING = IsingSystem(2.5, 0.1)


def encoder(seed: int = 0) -> PatchEncoder:
    torch.manual_seed(seed)
    return PatchEncoder(2, 4).eval()


@pytest.mark.parametrize("side", [5, 8, 16, 32])
def test_any_size(side: int) -> None:
    spins = ISING.random_states(side, [0.1, -0.3, 0.5], 0)
    assert encoder().encode(spins).shape == (3, 2)


def test_translation() -> None:
    """Features move with the pattern; of a periodic pattern every cut of a period is alike."""
    net, rng = encoder(), np.random.default_rng(1)
    big = torch.as_tensor(rng.choice([-1.0, 1.0], (1, 20, 20)), dtype=torch.float32)
    with torch.no_grad():
        whole, part = net.maps(big), net.maps(big[:, 3:15, 5:17])
    torch.testing.assert_close(part, whole[:, :, 3:11, 5:13])
    stripes = np.tile(np.array([1, 1, -1, -1], np.int8), 4)
    patterns = [np.tile(np.roll(stripes, k), (16, 1)).ravel() for k in range(4)]
    values = net.encode(np.array(patterns))
    np.testing.assert_allclose(values, np.tile(values[0], (4, 1)), atol=1e-5)


@pytest.mark.slow
def test_training_explains_and_is_reproducible() -> None:
    """Of tiles of ages from random to relaxed."""
    rng = np.random.default_rng(0)
    start = ISING.random_states(8, rng.uniform(-0.8, 0.8, 200), rng)
    spins = ISING.run(start, 8, [0.0, 1.0, 10.0], rng)[1].reshape(-1, 64)
    options = EncoderOptions(steps=150, channels=4, batch_size=128)
    results = [
        train_encoder(spins, ISING.observe(spins, 8), options, stream(0, "encoder"))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(results[0][0].encode(spins), results[1][0].encode(spins))
    assert results[0][1].shape == (8,) and results[0][1].mean() < 0.5


def test_saved_and_loaded(tmp_path: Path) -> None:
    net, spins = encoder(), ISING.random_states(8, np.linspace(-0.8, 0.8, 30), 0)
    net.save(tmp_path)
    np.testing.assert_array_equal(PatchEncoder.load(tmp_path).encode(spins), net.encode(spins))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="side of at least 5, not 4"):
        encoder().encode(np.ones((1, 16), np.int8))
