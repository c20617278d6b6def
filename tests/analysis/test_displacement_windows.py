"""Ratios over windows: a walk whose steps are undone has a known limit that errors cover."""

import numpy as np

from macro_ase.analysis.displacement_windows import (
    joined,
    longest_level,
    middle_level,
    ratio_of_sums,
    windowed_ratio,
)

RUNS, STEPS, BACK = 400, 2**13, -0.6
LIMIT = (1 + BACK) / (1 - BACK)
"""<|R|^2> / (n <step^2>) of long walks whose steps have correlation BACK with the one before."""


def steps(rng: np.random.Generator) -> np.ndarray:
    """Steps of walks, shape (RUNS, STEPS): each is plus or minus 1, and 80 % undo the last."""
    turns = np.where(rng.random((RUNS, STEPS)) < (1 + BACK) / 2, 1, -1)
    return np.cumprod(turns, axis=1)


def windows(walk: np.ndarray, length: int) -> np.ndarray:
    """Squared displacements over windows that follow one another."""
    return (walk.reshape(-1, length).sum(axis=1) ** 2).astype(float)


def scores(length: int) -> np.ndarray:
    """(estimate - limit) / error of all runs."""
    found = []
    for walk in steps(np.random.default_rng(5)):
        weights = np.full(STEPS // length, float(length))
        ratio = windowed_ratio(windows(walk, length // 2), windows(walk, length), weights)
        found.append((ratio.value - LIMIT) / ratio.error)
    return np.array(found)


def test_errors_cover_the_exact_limit() -> None:
    found = scores(128)
    assert 0.63 < (np.abs(found) < 1).mean() < 0.85
    assert 0.92 < (np.abs(found) < 2).mean()


def test_too_short_a_window_is_seen() -> None:
    settled = []
    for walk in steps(np.random.default_rng(6))[:50]:
        weights = np.full(STEPS // 4, 4.0)
        ratio = windowed_ratio(windows(walk, 2), windows(walk, 4), weights)
        settled.append(ratio.settled)
        assert abs(ratio.value - LIMIT) < 3 * ratio.error
    assert not any(settled)


def test_overlapping_windows_taken_as_independent_do_not_cover() -> None:
    """Negative control: the same walks, a window from every step on."""
    found = []
    for walk in steps(np.random.default_rng(5)):
        places = np.concatenate([[0], np.cumsum(walk)])
        squares = (places[128:] - places[:-128]) ** 2 / 128
        error = squares.std() / np.sqrt(len(squares))
        found.append((squares.mean() - LIMIT) / error)
    assert (np.abs(found) < 1).mean() < 0.3


def test_a_ratio_knows_that_both_of_its_sums_fluctuate() -> None:
    rng = np.random.default_rng(0)
    times = rng.exponential(size=(300, 200))
    squares = 3 * times + 0.1 * rng.normal(size=times.shape)
    found = np.array([ratio_of_sums(y, x) for y, x in zip(squares, times)])
    assert np.abs(found[:, 0].mean() - 3) < 0.002
    assert np.std(found[:, 0]) / found[:, 1].mean() - 1 < 0.15
    assert found[:, 1].mean() < 0.02


def test_levels() -> None:
    assert [longest_level(n) for n in (64, 127, 128, 1000)] == [2, 2, 3, 5]
    assert [middle_level(n) for n in (64, 1024, 10000)] == [1, 3, 4]
    assert joined(np.arange(8.0), 2).tolist() == [6, 22]
