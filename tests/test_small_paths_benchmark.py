"""What `benchmarks/small_paths.py` says of paths whose law is known."""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from small_paths import LEVELS, ahead


def test_it_tells_how_far_a_quicker_path_is_ahead() -> None:
    rng, t = np.random.default_rng(0), np.arange(400)
    runs = 5 - 3 * np.exp(-t / 50) + 0.1 * rng.normal(size=(40, 1)) * (t > 0)
    times = -50 * np.log(1 - np.array(LEVELS))
    for tau in (50, 40):
        found, error = ahead(runs, 5.0, 5 - 3 * np.exp(-t / tau))
        expected = 1 - np.exp(-times / tau) - np.array(LEVELS)
        assert np.all(error > 0) and np.all(error < 0.01)
        np.testing.assert_allclose(found, expected, atol=4 * error.max())
    assert np.all(found > 3 * error)
