"""The law that `benchmarks/patch_noise.py` tells, in patches that relax linearly and alone."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from patch_noise import Evolved, ratios, with_errors


@pytest.mark.parametrize("step", [0.1, 1.0])
def test_scatter_of_drifts_is_what_patches_have_too_much(step: float) -> None:
    rng, kept = np.random.default_rng(0), np.exp(-step)
    n, k, d = 1000, 8, 1
    noise = np.sqrt(1 - kept**2)

    def later(x: np.ndarray) -> np.ndarray:
        return kept * x + noise * rng.normal(size=x.shape)

    def run() -> Evolved:
        local = rng.normal(size=(n, k, d))
        alone, all_of_them = (later(local) - local for _ in range(2))
        return Evolved(local, alone[:, None], local.mean(axis=1), all_of_them.mean(axis=1))

    runs = [run() for _ in range(6)]
    (given_z, error), (given_both, error_both) = with_errors(runs, rng)
    assert 0 < error < 0.04 and 0 < error_both < 0.04
    assert given_z == pytest.approx((1 + kept) / 2, abs=0.05)
    assert given_both == pytest.approx(1, abs=0.05)
    assert (given_z, given_both) == ratios(runs)
