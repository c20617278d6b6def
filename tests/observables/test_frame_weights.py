"""Means over time from frames every so many hops, against the law of a small Markov chain."""

import numpy as np
import pytest
from ase import Atoms

from macro_ase.observables.frame_weights import FrameClock
from macro_ase.statistics import weighted_mean

RATES = np.array([[0, 3.0, 0.2], [5.0, 0, 40.0], [0.1, 60.0, 0]])
OBSERVABLE = np.array([1.0, -0.5, 0.3])
HOPS, FIRST = 5, 20


def law():
    """Shares of time of the three states."""
    generator = RATES - np.diag(RATES.sum(axis=1))
    shares = np.linalg.svd(generator.T)[2][-1]
    return shares / shares.sum()


def walk(frames, hops, seed):
    """States, times and mean residence times of frames every so many hops."""
    rng, total = np.random.default_rng(seed), RATES.sum(axis=1)
    jump = np.cumsum(RATES / total[:, None], axis=1)
    n = frames * hops + FIRST
    states, state = np.empty(n, dtype=int), 0
    for step, u in enumerate(rng.random(n)):
        states[step] = state
        state = int(np.searchsorted(jump[state], u))
    times = np.cumsum(np.append(0.0, rng.exponential(size=n) / total[states]))[:-1]
    chosen = slice(FIRST, None, hops)
    return states[chosen], times[chosen], 1 / total[states[chosen]]


def clock(times=None, residence=None, how="auto"):
    made = FrameClock(how)
    for number in range(len(times if times is not None else residence)):
        atoms = Atoms()
        if times is not None and times[number] is not None:
            atoms.info["time_s"] = times[number]
        if residence is not None:
            atoms.info["residence_s"] = residence[number]
        made.look(atoms)
    return made.weights()


@pytest.mark.slow
def test_residence_times_give_the_law_and_frames_or_intervals_do_not() -> None:
    states, times, residence = walk(6000, HOPS, 0)
    exact = law() @ OBSERVABLE
    series = OBSERVABLE[states]
    weights, said = clock(times, residence)
    mean, error = weighted_mean(series, weights)
    assert "residence time (residence_s)" in said and 0 < error < 0.02
    assert abs(mean - exact) < 4 * error
    for how in ("time", "frames"):
        wrong, error = weighted_mean(series, clock(times, residence, how)[0])
        assert abs(wrong - exact) > 6 * error


def test_intervals_are_exact_where_every_hop_is_a_frame() -> None:
    states, times, _ = walk(3000, 1, 1)
    weights, said = clock(times)
    mean, _ = weighted_mean(OBSERVABLE[states], weights)
    integral = np.sum(OBSERVABLE[states][:-1] * np.diff(times)) / (times[-1] - times[0])
    assert "exact only if every hop is a frame" in said
    assert mean == pytest.approx(integral)
    assert weights[-1] == 0


@pytest.mark.slow
def test_errors_of_weighted_means_are_those_of_repeats() -> None:
    exact, pulls = law() @ OBSERVABLE, []
    for seed in range(80):
        states, times, residence = walk(400, HOPS, seed)
        mean, error = weighted_mean(OBSERVABLE[states], clock(times, residence)[0])
        pulls.append((mean - exact) / error)
    assert 0.8 < np.std(pulls) < 1.25
    assert abs(np.mean(pulls)) < 0.4


def test_a_few_heavy_frames_leave_the_standard_deviation() -> None:
    series, weights = np.arange(50.0), np.full(50, 1e-9)
    weights[7] = 1.0
    mean, error = weighted_mean(series, weights)
    assert mean == pytest.approx(7.0, abs=1e-5) and error == pytest.approx(series.std())


def test_frames_evenly_spaced_in_time_count_the_same() -> None:
    times, residence = 1e-9 * np.arange(7), np.linspace(1, 2, 7)
    weights, said = clock(times, residence)
    assert weights.tolist() == [1] * 7 and said == "evenly spaced in time (time_s)"
    assert clock(times, residence, "residence")[0].tolist() == residence.tolist()
    assert "no time_s" in clock([None] * 3)[1]
    assert clock([None] * 3, how=[1, 2, 0])[0].tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("times", "how", "message"),
    [
        ([None, 0.0, 1.0], "auto", "frame 0 has no time_s.*give weights, such as frames"),
        ([None, None], "time", "frame 0 has no time_s"),
        ([0.0, 1.0], "residence", "frame 0 has no residence_s"),
        ([0.0, 2.0, 1.0], "auto", "time_s of frame 2 is 1, and must not lie before"),
        ([0.0, np.nan], "auto", "time_s of frame 1 is nan"),
        ([0.0, 0.0, 0.0], "auto", "the same in all frames"),
        ([0.0, "soon"], "auto", "time_s of frame 1 is 'soon', no number"),
        ([0.0, 1.0], "hops", "weights must be auto, residence, time, frames, not hops"),
        ([0.0, 1.0], [1.0, 2.0, 3.0], "3 weights for 2 frames"),
        ([0.0, 1.0], [1.0, -2.0], "0 or more"),
        ([0.0, 1.0], [0.0, 0.0], "all 0"),
    ],
)
def test_what_gives_no_weights_is_refused(times, how, message) -> None:
    with pytest.raises(ValueError, match=message):
        clock(times, how=how)


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf])
def test_residence_times_must_be_positive(value: float) -> None:
    with pytest.raises(ValueError, match=r"residence_s of frame 1 is .*positive and finite"):
        clock([0.0, 1.0, 5.0], [1.0, value, 1.0])
