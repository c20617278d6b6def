"""The encoder of fields: any width, covariant, learns what its decoder lacks, saved as data."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.encoders.field_encoder import FieldEncoder, targets_of, train_field_encoder  # noqa: E402
from macro_ase.learning.options import EncoderOptions  # noqa: E402

pytestmark = pytest.mark.learn


def waves(n: int, width: int = 24) -> np.ndarray:
    """Tiles of waves of random size with a little noise."""
    rng = np.random.default_rng(0)
    x = np.cos(2 * np.pi * (np.arange(width) / width + rng.random((n, 1))))
    u = 0.5 + rng.uniform(0.02, 0.2, (n, 1)) * x
    v = 0.5 - rng.uniform(0.02, 0.2, (n, 1)) * x
    return np.stack([u, v], axis=1) + 0.005 * rng.normal(size=(n, 2, width))


def test_any_width_and_features_move_with_the_pattern() -> None:
    torch.manual_seed(0)
    net = FieldEncoder(2, 4).eval()
    line = torch.rand(1, 2, 30)
    with torch.no_grad():
        whole, part = net.maps(line), net.maps(line[:, :, 6:20])
    torch.testing.assert_close(part, whole[..., 6:16])
    for width in (5, 17):
        assert net.encode(np.random.default_rng(0).random((3, 2, width))).shape == (3, 2)


def test_targets_do_not_say_what_means_say() -> None:
    tiles = waves(500)
    assert np.abs(np.corrcoef(targets_of(tiles).T, tiles.mean(axis=-1).T)[:4, 4:]).max() < 1e-6


@pytest.mark.slow
def test_it_learns_what_means_do_not_say(tmp_path: Path) -> None:
    tiles = waves(3000)
    net, left = train_field_encoder(tiles, EncoderOptions(2, 8, 500), np.random.SeedSequence(0))
    values = net.encode(tiles)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-3)
    assert left.shape == (4,) and left.max() < 0.15
    net.save(tmp_path)
    np.testing.assert_array_equal(FieldEncoder.load(tmp_path).encode(tiles), values)
