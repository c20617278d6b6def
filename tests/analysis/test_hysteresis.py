"""Hysteresis against a linear relaxation, which is solved exactly under a triangular field."""

import numpy as np
import pytest

from macro_ase.analysis.hysteresis import HysteresisLoop, glauber_drive, hysteresis_loop
from macro_ase.engines.spins.models import CurieWeiss, Ising

TAU, AMPLITUDE = 2.0, 1.5


class Relaxing:
    """dm/dt = (h - m) / tau, exact for each constant field."""

    def __init__(self, m: float = 0.0) -> None:
        self.m, self.time = m, 0.0

    def __call__(self, field: float, duration: float) -> float:
        self.m = field + (self.m - field) * np.exp(-duration / TAU)
        self.time += duration
        return self.m


class Preisach:
    """A switch that follows the field when it passes +-threshold."""

    def __init__(self, threshold: float) -> None:
        self.threshold, self.m = threshold, 1.0

    def __call__(self, field: float, duration: float) -> float:
        if abs(field) > self.threshold:
            self.m = float(np.sign(field))
        return self.m


def exact_area(rate: float) -> float:
    """Over a falling branch m = h + r tau - C exp(-t / tau), which ends at minus its start."""
    period = 2 * AMPLITUDE / rate
    lag = rate * TAU
    decay = np.exp(-period / TAU)
    amount = 2 * lag / (1 + decay)
    return 2 * (lag * 2 * AMPLITUDE - amount * TAU * (1 - decay) * rate)


@pytest.mark.parametrize("rate", [0.05, 0.5, 5.0])
def test_area_of_a_linear_lag_is_exact(rate: float) -> None:
    loop = hysteresis_loop(Relaxing(), AMPLITUDE, rate, steps=4000, cycles=12)
    assert loop.area[-1] == pytest.approx(exact_area(rate), rel=5e-3)
    assert loop.area[-1] == pytest.approx(loop.area[-2], rel=1e-3)


def test_slow_loops_close_with_a_coercive_field_of_the_lag() -> None:
    rate = 0.01
    loop = hysteresis_loop(Relaxing(), AMPLITUDE, rate, steps=2000, cycles=2)
    assert loop.coercive_field[-1] == pytest.approx(rate * TAU, rel=0.1)
    assert loop.remanence[-1] == pytest.approx(rate * TAU, rel=0.1)


def test_a_switch_has_a_rectangle() -> None:
    loop = hysteresis_loop(Preisach(0.4), 1.0, 1.0, steps=400)
    assert loop.coercive_field[0] == pytest.approx(0.4, abs=0.01)
    assert loop.area[0] == pytest.approx(4 * 0.4, abs=0.03)
    assert loop.remanence[0] == 1


def test_a_loop_by_hand() -> None:
    """Neither branch has a point at h = 0 or m = 0; the two differ, so their mean is neither."""
    field = np.array([[[1.0, 0.4, -0.2, -1.0], [-1.0, -0.5, 0.5, 1.0]]])
    m = np.array([[[0.9, 0.6, 0.3, -0.8], [-0.8, -0.5, 0.1, 0.9]]])
    loop = HysteresisLoop(field, m, 1.0)
    assert loop.remanence == pytest.approx([(0.4 + 0.2) / 2])
    assert loop.coercive_field == pytest.approx([(0.2 + 0.8 * 3 / 11 - 0.5 + 5 / 6) / 2])
    assert loop.area == pytest.approx([0.45 + 0.27 - 0.2 + 0.325 + 0.2 - 0.25])


def test_the_rate_is_kept() -> None:
    system = Relaxing()
    loop = hysteresis_loop(system, AMPLITUDE, 0.3, steps=30, cycles=2)
    one_step = 2 * AMPLITUDE / 30 / 0.3
    assert system.time == pytest.approx(4 * 2 * AMPLITUDE / 0.3 + one_step)
    assert loop.field.shape == loop.magnetization.shape == (2, 2, 31)
    assert loop.field[1, 1, 0] == -AMPLITUDE and loop.field[1, 1, -1] == AMPLITUDE


def test_a_branch_that_never_turns_has_no_coercive_field() -> None:
    loop = hysteresis_loop(lambda field, duration: 0.5, 1.0, 1.0, steps=4)
    assert np.isnan(loop.coercive_field[0])
    assert loop.area[0] == pytest.approx(0)


def test_a_loop_run_backwards_has_negative_area() -> None:
    loop = hysteresis_loop(Preisach(0.4), 1.0, 1.0, steps=400)
    mirrored = HysteresisLoop(loop.field, -loop.magnetization, loop.rate)
    assert mirrored.area[0] == -loop.area[0]


@pytest.mark.slow
def test_curie_weiss_switches_at_its_spinodal() -> None:
    """Slow loops end at h_s = m_s - T atanh(m_s), m_s = sqrt(1 - T); faster ones overshoot it."""
    temperature = 0.6
    m_s = np.sqrt(1 - temperature)
    spinodal = m_s - temperature * np.arctanh(m_s)
    fields = []
    for rate in (4e-4, 4e-3):
        drive = glauber_drive(CurieWeiss(64**2), temperature, seed=0)
        loop = hysteresis_loop(drive, 0.4, rate, steps=200)
        fields.append(loop.coercive_field[0])
    assert 0 < fields[0] - spinodal < fields[1] - spinodal
    assert fields[0] == pytest.approx(spinodal, abs=0.02)


@pytest.mark.slow
def test_a_hot_ising_loop_has_no_area() -> None:
    model = Ising((24, 24))
    hot, cold = (
        hysteresis_loop(glauber_drive(model, T, seed=1, replicas=4), 1.0, 0.01, steps=60)
        for T in (6.0, 1.5)
    )
    assert abs(hot.area[0]) < 0.05
    assert cold.area[0] > 0.5 and cold.coercive_field[0] > 0.1


def test_a_drive_repeats_itself() -> None:
    model = Ising((8, 8))
    first, again = (
        [glauber_drive(model, 2.0, seed=3)(h, 2.0) for h in (0.1, -0.5)] for _ in range(2)
    )
    assert first == again


@pytest.mark.parametrize("name", ["amplitude", "rate", "steps", "cycles"])
def test_amounts_must_be_positive(name: str) -> None:
    amounts = {"amplitude": 1.0, "rate": 1.0, "steps": 4, "cycles": 1} | {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be above 0"):
        hysteresis_loop(Relaxing(), **amounts)
