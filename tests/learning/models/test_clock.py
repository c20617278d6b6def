"""The unit of a model's time."""

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.learning.models.clock import Clock

pytestmark = pytest.mark.learn


def test_the_clock_is_exact_for_an_arrhenius_law() -> None:
    activation, attempt = 1.7 / 8.617333e-5, 1e13
    temperatures = np.array([3000.0, 2000.0, 1500.0])
    clock = Clock(1000 / temperatures, activation / temperatures - np.log(attempt))
    for t in (5000.0, 3000.0, 2600.0, 2000.0, 1777.0, 1500.0, 900.0, 300.0):
        assert clock.tau_w(t) == pytest.approx(np.exp(activation / t) / attempt, rel=1e-9)


def test_the_clock_goes_through_its_points() -> None:
    x, log_tau = np.array([0.3, 0.5, 1.0]), np.array([-27.0, -26.0, -20.0])
    clock = Clock(x, log_tau)
    np.testing.assert_allclose([np.log(clock.tau_w(1000 / a)) for a in x], log_tau, rtol=1e-12)
    assert np.log(clock.tau_w(1000 / 0.4)) == pytest.approx(-26.5)
    one = Clock(np.array([0.5]), np.array([-26.0]))
    assert one.tau_w(777.0) == pytest.approx(np.exp(-26.0))


def test_one_point_needs_no_condition_and_several_do() -> None:
    assert Clock([1.0], [np.log(3)]).tau_at(np.zeros(0)) == pytest.approx(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a condition"):
        Clock(np.array([0.5, 1.0]), np.zeros(2)).tau_at(np.zeros(0))


@pytest.mark.parametrize(
    ("x", "log_tau", "message"),
    [
        ([], [], "x must ascend"),
        ([1.0, 0.5], [0.0, 0.0], "x must ascend, not be"),
        ([0.5, 0.5], [0.0, 0.0], "x must ascend"),
        ([0.5], [0.0, 0.0], r"log_tau must have shape \(1,\), not \(2,\)"),
        ([0.5], [-np.inf], "log_tau is not finite"),
    ],
)
def test_what_is_no_clock_is_refused(x: list[float], log_tau: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Clock(x, log_tau)  # type: ignore[arg-type]


def test_absolute_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0 K, not 0"):
        Clock(np.ones(1), np.zeros(1)).tau_w(0)


def test_logarithms_of_many_are_those_of_each() -> None:
    x = np.array([0.1, 0.4, 0.45, 0.6, 2.0])
    for clock in (
        Clock(np.array([0.4, 0.6]), np.log([1e-12, 1e-9])),
        Clock(np.ones(1), np.zeros(1)),
    ):
        own = [np.log(clock.tau_at(np.array([at]))) for at in x]
        np.testing.assert_allclose(clock.log_taus(x), own, rtol=1e-12)
