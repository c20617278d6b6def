"""The choice of the step, on processes whose relaxation times are known."""

import numpy as np
import pytest
from scipy.signal import lfilter

from macro_ase.analysis.time_step import implied_times, scan_time_steps


def ar1(tau: float, n_t: int, n_series: int, seed: int) -> np.ndarray:
    """Stationary AR(1) of unit variance with relaxation time tau, shape (n_t, n_series)."""
    phi = np.exp(-1 / tau)
    noise = np.random.default_rng(seed).normal(size=(n_t, n_series)) * np.sqrt(1 - phi**2)
    noise[0] /= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=0)


def modes(taus: list[float], n_t: int, seed: int) -> np.ndarray:
    """Independent AR(1) series, shape (n_t, d)."""
    return np.hstack([ar1(tau, n_t, 1, 10 * seed + k) for k, tau in enumerate(taus)])


@pytest.mark.parametrize("lag", [1, 5, 20])
def test_implied_time_of_ar1(lag: int) -> None:
    runs = [ar1(20.0, 40_000, 1, seed) for seed in range(4)]
    assert implied_times(runs, lag)[0] == pytest.approx(20, rel=0.06)


@pytest.mark.parametrize("lag", [1, 3])
def test_implied_times_of_mixed_modes(lag: int) -> None:
    """Modes are found whatever the observables mix; relative error here about 3 %."""
    mixing = np.array([[1.0, 0.5, 0.2], [0.3, -1.0, 0.4], [0.1, 0.2, 2.0]])
    runs = [modes([50.0, 12.0, 4.0], 60_000, seed) @ mixing + [5, -3, 100] for seed in range(3)]
    np.testing.assert_allclose(implied_times(runs, lag), [50, 12, 4], rtol=0.12)


def test_modes_without_memory_have_no_time() -> None:
    white = [np.random.default_rng(seed).normal(size=(20_000, 2)) for seed in range(2)]
    assert np.all(implied_times(white, 5) < 2)


def test_runs_are_not_joined() -> None:
    """Many short runs give what one long run gives."""
    long = ar1(10.0, 40_000, 1, 0)
    times = implied_times(list(long.reshape(100, 400, 1)), 3)
    assert times[0] == pytest.approx(implied_times([long], 3)[0], rel=0.05)


def flickering(seed: int, n_t: int = 60_000, flicker: float = 0.2) -> np.ndarray:
    """A slow mode of time 60 with a fast memory of time 1.2 on top, shape (n_t, 1)."""
    slow, fast = ar1(60.0, n_t, 1, seed), ar1(1.2, n_t, 1, seed + 100)
    return slow + flicker * fast


def test_a_fast_memory_asks_for_a_longer_step() -> None:
    steps = [100, 400, 1600]
    memory = scan_time_steps([[flickering(s) for s in range(3)]], [900.0], 100, steps)
    clean = scan_time_steps([[flickering(s, flicker=0.0) for s in range(3)]], [900.0], 100, steps)
    assert clean.chosen == 100 and clean.disagreement.max() <= 0.1
    assert memory.chosen > 100 and memory.disagreement.max() <= 0.1
    assert memory.slowest[0, 0] < 0.6 * 6000  # negative control: the short step is wrong by much
    assert memory.slowest_chosen[0] == pytest.approx(6000, rel=0.15)


def test_every_temperature_must_agree() -> None:
    clean, memory = ([flickering(s, flicker=f) for s in range(3)] for f in (0.0, 0.2))
    scan = scan_time_steps([clean, memory], [900.0, 1000.0], 100, [100, 1600])
    assert scan.chosen == 1600
    assert scan.slowest.shape == scan.slowest_doubled.shape == (2, 2)
    assert scan.slowest_chosen.shape == (2,)


def test_without_agreement_the_best_is_chosen_and_said() -> None:
    scan = scan_time_steps([[flickering(0)]], [900.0], 100, [100, 200])
    apart = np.abs(1 - scan.slowest / scan.slowest_doubled)[0]
    assert scan.disagreement[0] == apart.min() > 0.1
    assert scan.chosen == (100, 200)[int(np.argmin(apart))]


def test_steps_come_sorted() -> None:
    scan = scan_time_steps([[flickering(0, 5000, 0.0)]], [900.0], 100, [800, 100, 400])
    assert scan.steps.tolist() == [100, 400, 800]


@pytest.mark.parametrize("steps", [[150], [100, 250], [0], [-100]])
def test_steps_between_the_samples_are_refused(steps: list[int]) -> None:
    with pytest.raises(ValueError, match=r"time steps \[.*\] are not multiples of 100 events"):
        scan_time_steps([[flickering(0, 2000)]], [900.0], 100, steps)


@pytest.mark.parametrize(("spacing", "steps"), [(0.1, [0.1, 0.3, 0.7]), (4.35, [435.0])])
def test_multiples_are_known_through_rounding(spacing: float, steps: list[float]) -> None:
    """.3 is three samples of .1: the same as 3 of 1."""
    run = [[flickering(0, 5000, 0.0)]]
    scan = scan_time_steps(run, [900.0], spacing, steps)
    whole = scan_time_steps(run, [900.0], 1, [round(h / spacing) for h in steps])
    np.testing.assert_allclose(scan.slowest, whole.slowest * spacing)
    np.testing.assert_allclose(scan.slowest_doubled, whole.slowest_doubled * spacing)


@pytest.mark.parametrize("steps", [[0.25], [0.1, 0.31], [np.nan], []])
def test_what_lies_between_is_still_refused(steps: list[float]) -> None:
    with pytest.raises(ValueError, match=r"are not multiples of 0\.1 events"):
        scan_time_steps([[flickering(0, 2000)]], [900.0], 0.1, steps)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (np.zeros((200, 1)), "an observable of the runs does not vary"),
        (np.random.default_rng(0).normal(size=(200, 1)) * [1.0, 2.0], "depends on the others"),
        (np.full((200, 1), np.nan), "runs must be finite"),
        (np.zeros(200), r"of shape \(n_t, d\) with n_t > 5, not \(200,\)"),
        (np.zeros((5, 1)), r"with n_t > 5, not \(5, 1\)"),
    ],
)
def test_runs_that_cannot_tell_are_refused(run: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        implied_times([run], 5)
