"""What `benchmarks/small_paths.py` says of paths whose law is known."""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from small_paths import LEVELS, ahead, rows


def test_it_tells_how_far_a_quicker_path_is_ahead() -> None:
    rng, t = np.random.default_rng(0), np.arange(400)
    runs = 5 - 3 * np.exp(-t / 50) + 0.1 * rng.normal(size=(40, 1)) * (t > 0)
    times = -50 * np.log(1 - np.array(LEVELS))
    for tau in (50, 40):
        found, error = ahead(runs, 5.0, np.tile(5 - 3 * np.exp(-t / tau), (40, 1)))
        expected = 1 - np.exp(-times / tau) - np.array(LEVELS)
        assert np.all(error > 0) and np.all(error < 0.01)
        np.testing.assert_allclose(found, expected, atol=4 * error.max())
    assert np.all(found > 3 * error)


def test_runs_that_come_from_above_and_below_count_by_how_far_they_have_to_go() -> None:
    rng, t = np.random.default_rng(1), np.arange(400)
    way = np.concatenate([np.full(20, -3.0), np.full(20, 1.0)])[:, None]
    exact = 5 + way * np.exp(-t / 50)
    runs = exact + 0.1 * rng.normal(size=(40, 1)) * (t > 0)
    found, error = ahead(runs, 5.0, exact)
    assert np.all(np.abs(found) < 4 * error) and np.all(error < 0.02)
    quicker, _ = ahead(runs, 5.0, 5 + way * np.exp(-t / 40))
    assert np.all(quicker > found + 3 * error)


def test_there_is_nothing_where_runs_do_not_get() -> None:
    t = np.arange(50)
    runs = np.tile(5 - 3 * np.exp(-t / 50), (4, 1)) + 0.01 * np.arange(4)[:, None] * (t > 0)
    found, _ = ahead(runs, 5.0, runs)
    assert list(np.isnan(found)) == [False, False, True, True]


def test_the_mean_square_is_of_what_is_known() -> None:
    off, error = np.array([0.1, np.nan, -0.2]), np.array([0.05, np.nan, 0.2])
    line, _, square = rows([(1600.0, 15630.0, off, error)])
    assert line == "| 1600 | 15,630 | +0.100 ± 0.050 | – | -0.200 ± 0.200 |"
    assert square == "mean square, in errors: 2.50"
