"""Binder's cumulant and its crossings against enumeration and synthetic curves."""

import numpy as np
import pytest
from scipy.optimize import brentq

from macro_ase.analysis.binder import (
    Crossing,
    binder_cumulant,
    crossing,
    crossing_by_reweighting,
    crossings,
    extrapolated_crossing,
)
from macro_ase.analysis.sweep_table import SweepTable

TRUTH = 2.27
TEMPERATURES = np.linspace(2.15, 2.35, 9)


def exact_crossing(tiny_ising, ising) -> float:
    """Of L = 3 and 4, by enumeration: 2.12."""
    return brentq(lambda T: tiny_ising.cumulant(T) - ising.cumulant(T), 1.9, 2.4)


def synthetic(seed: int, noise: float = 0.002) -> tuple[np.ndarray, np.ndarray]:
    """Curves 0.61 - s tanh(t) / 4 of slopes 1 and 2, which cross at T = 2.27, U = .61."""
    slopes = np.array([[1.0], [2.0]])
    exact = 0.61 - 0.25 * np.tanh(slopes * (TEMPERATURES - TRUTH))
    errors = np.full_like(exact, noise)
    return exact + np.random.default_rng(seed).normal(size=exact.shape) * errors, errors


def test_cumulant_of_order_and_of_none() -> None:
    normal = np.random.default_rng(0).normal(size=50_000)
    value, error = binder_cumulant(normal)
    assert abs(value) < 4 * error
    two_thirds, nothing = binder_cumulant(np.tile([1.0, -1.0], 50))
    assert two_thirds == pytest.approx(2 / 3) and nothing == pytest.approx(0, abs=1e-12)


def test_cumulant_is_exact_within_its_error(ising) -> None:
    _, run = ising.draw(2.3, 20_000, seed=0)
    value, error = binder_cumulant(run.magnetization)
    assert abs(value - ising.cumulant(2.3)) < 4 * error
    assert abs(value - ising.cumulant(2.4)) > 4 * error


@pytest.mark.slow
def test_crossing_errors_cover_the_truth() -> None:
    found = [crossing(TEMPERATURES, *synthetic(s), (8, 16), resamples=150) for s in range(200)]
    temperature = np.array([(c.temperature, c.temperature_error) for c in found]).T
    cumulant = np.array([(c.cumulant, c.cumulant_error) for c in found]).T
    for (value, error), truth in ((temperature, TRUTH), (cumulant, 0.61)):
        covered = np.mean(np.abs(value - truth) < error)
        assert covered == pytest.approx(0.683, abs=4 * np.sqrt(0.22 / 200))
        assert abs(value.mean() - truth) < error.mean() / 2


def test_negative_control_errors_too_small_do_not_cover() -> None:
    found = []
    for s in range(60):
        values, errors = synthetic(s)
        found.append(crossing(TEMPERATURES, values, errors / 4, (8, 16), resamples=100))
    covered = np.mean([abs(c.temperature - TRUTH) < c.temperature_error for c in found])
    assert covered < 0.4


def test_a_polynomial_that_does_not_hold_shows() -> None:
    found = [crossing(TEMPERATURES, *synthetic(s), (8, 16), resamples=20) for s in range(60)]
    assert np.mean([c.p_value for c in found]) == pytest.approx(0.5, abs=0.15)
    sharp = 0.61 - 0.25 * np.tanh(np.array([[3.0], [20.0]]) * (TEMPERATURES - TRUTH + 0.05))
    straight = crossing(TEMPERATURES, sharp, np.full_like(sharp, 0.002), (8, 16), degree=1)
    assert straight.p_value < 1e-3


@pytest.mark.slow
def test_crossing_of_a_sweep_is_exact(tiny_ising, ising) -> None:
    runs = [
        model.draw(T, 20_000, seed=i)[1]
        for i, T in enumerate(np.linspace(1.9, 2.4, 7))
        for model in (tiny_ising, ising)
    ]
    (found,) = crossings(SweepTable.from_runs(runs))
    assert found.sizes == (3, 4)
    assert abs(found.temperature - exact_crossing(tiny_ising, ising)) < 4 * found.temperature_error
    assert found.temperature_error < 0.1


@pytest.mark.slow
def test_crossing_by_reweighting_is_exact(tiny_ising, ising) -> None:
    pairs = [
        (tiny_ising.draw(2.2, 10_000, seed=s)[1], ising.draw(2.2, 10_000, seed=100 + s)[1])
        for s in range(12)
    ]
    found = [crossing_by_reweighting(*pair, reach=0.4) for pair in pairs]
    off = np.array([c.temperature for c in found]) - exact_crossing(tiny_ising, ising)
    errors = np.array([c.temperature_error for c in found])
    assert np.abs(off / errors).max() < 4
    assert off.std() / np.sqrt((errors**2).mean()) == pytest.approx(1, abs=0.6)


def test_curves_that_do_not_cross_are_refused(tiny_ising, ising) -> None:
    values, errors = synthetic(0)
    with pytest.raises(ValueError, match=r"L = 8 and 16 do not cross .* 2.15 and 2.35"):
        crossing(TEMPERATURES, values + [[0.0], [0.2]], errors, (8, 16))
    runs = tiny_ising.draw(4.0, 500, seed=0)[1], ising.draw(4.0, 500, seed=0)[1]
    with pytest.raises(ValueError, match="L = 3 and 4 do not cross"):
        crossing_by_reweighting(*runs, reach=0.1)
    one, errors = (part[:1].repeat(2, axis=0) for part in synthetic(0))
    for apart in (0.0, 0.1):
        with pytest.raises(ValueError, match="do not cross"):
            crossing(TEMPERATURES, one + [[0.0], [apart]], errors, (8, 16), degree=1)


def test_too_few_temperatures_are_refused() -> None:
    with pytest.raises(ValueError, match="degree 2 needs more than 2 temperatures"):
        crossing([2.2, 2.3], np.zeros((2, 2)), np.ones((2, 2)), (8, 16))


@pytest.mark.slow
def test_far_runs_are_warned_of(tiny_ising, ising) -> None:
    for seed in range(20):
        runs = tiny_ising.draw(2.1, 9000, seed=seed)[1], ising.draw(1.0, 9000, seed=seed)[1]
        with (
            pytest.warns(UserWarning, match=r"reweighting L = 4 from T = 1 to 1\.55"),
            pytest.raises(ValueError, match="do not cross"),
        ):
            crossing_by_reweighting(*runs, reach=0.1)


def test_extrapolation_is_exact_and_calibrated() -> None:
    small, errors = np.array([8, 16, 32]), np.array([4e-3, 2e-3, 1e-3])
    exact = TRUTH + 3.0 * small**-2.75

    def found(noise: np.ndarray) -> tuple[float, float]:
        values = exact + noise * errors
        return extrapolated_crossing(
            [Crossing((L, 2 * L), T, e, 0.61, 0.01) for L, T, e in zip(small, values, errors)]
        )

    assert found(np.zeros(3))[0] == pytest.approx(TRUTH)
    normals = np.random.default_rng(0).normal(size=(400, 3))
    values, claimed = np.array([found(noise) for noise in normals]).T
    assert values.std() / claimed[0] == pytest.approx(1, abs=0.15)
    with pytest.raises(ValueError, match="2 crossings or more, not 1"):
        extrapolated_crossing([Crossing((8, 16), 2.3, 0.1, 0.6, 0.1)])


def test_pairs_of_any_ratio_are_extrapolated_together() -> None:
    inverse_nu, omega = 1.6, 0.8

    def crossing_of(L: int, M: int) -> Crossing:
        """Where U* + .3 (T - T_c) L^1.6 + .2 L^-.8 of two sizes meet, exactly."""
        shift = 0.2 * (L**-omega - M**-omega) / (0.3 * (M**inverse_nu - L**inverse_nu))
        return Crossing((L, M), TRUTH + shift, 1e-3, 0.6, 0.01)

    found = [crossing_of(*pair) for pair in ((8, 12), (12, 16), (16, 40))]
    value, _ = extrapolated_crossing(found, inverse_nu, omega)
    assert value == pytest.approx(TRUTH, abs=1e-9)
    assert extrapolated_crossing(found)[0] != pytest.approx(TRUTH, abs=1e-5)
    with pytest.raises(ValueError, match="must be above 0"):
        extrapolated_crossing(found, 1.0, 0.0)
