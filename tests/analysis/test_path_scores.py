"""Scores of paths: a shift is seen as a shift, a spread as a spread."""

import numpy as np
import pytest

from macro_ase.analysis.path_scores import score_paths

RNG = np.random.default_rng(0)
TIMES = np.linspace(0, 6, 40)


def paths(shift: float = 0.0, spread: float = 0.2) -> np.ndarray:
    """Three sets of 60 paths around cosines, with noise that has a memory."""
    means = np.cos(TIMES + np.arange(3)[:, None])[:, None, :, None] + shift
    own = RNG.normal(size=(3, 60, 1, 2)) * np.cos(TIMES)[:, None]
    other = RNG.normal(size=(3, 60, 1, 2)) * np.sin(TIMES)[:, None]
    return means + spread * (own + other)


def test_truth_against_itself() -> None:
    score = score_paths(paths(), paths(), paths())
    assert score.mean_error < 0.06 and score.mmd < 0.01
    assert np.all(np.abs(score.spread - 1) < 4 * score.spread_error)


@pytest.mark.slow
def test_a_shift_and_a_spread_are_told_apart() -> None:
    true, second = paths(), paths()
    scale = true.std(axis=(0, 1, 2)).mean()
    moved = score_paths(paths(shift=0.3), true, second)
    assert moved.mean_error == pytest.approx(0.3 / scale, rel=0.15)
    assert moved.mmd > 10 * moved.centred
    assert np.all(np.abs(moved.spread - 1) < 4 * moved.spread_error)
    wide = score_paths(paths(spread=0.4), true, second)
    assert np.all(np.abs(wide.spread - 2) < 4 * wide.spread_error)
    assert wide.centred == pytest.approx(wide.mmd, rel=0.4) and wide.mean_error < 0.12
