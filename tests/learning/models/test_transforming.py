"""Times to equilibrium and fictive temperatures of a linear model, against exact ones."""

import warnings

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.schedule import Schedule

from .linear_model import KAPPA, RANGE, equilibrium, linear_model, step_s

pytestmark = pytest.mark.learn
SITES, START = 1e5, np.array([1.15, 0.5])
HOT = np.array([1700.0, 2100.0, 2900.0])


@pytest.mark.slow
def test_times_to_equilibrium_are_those_of_the_clock_and_the_drift() -> None:
    """ln 10 relaxation times of each component; intervals hold them, and are short for n large."""
    for k, name in enumerate(("a", "b")):
        r = linear_model().time_to(HOT, START, n_sites=SITES, component=name)
        exact = np.log(10) / KAPPA[k] * step_s(HOT)
        np.testing.assert_allclose(r.of_mean, exact, rtol=2e-3)
        np.testing.assert_allclose(r.times, exact, rtol=0.1)
        assert np.all(r.interval_95[0] < exact) and np.all(exact < r.interval_95[1])
        assert np.all(r.interval_68[1] / r.interval_68[0] < 1.4)
        assert np.all(np.diff(r.interval_95, axis=0) >= np.diff(r.interval_68, axis=0))


@pytest.mark.slow
def test_less_must_be_left_for_longer_and_time_may_be_scaled() -> None:
    options = {"n_sites": SITES, "component": "a", "paths": 2}
    m = linear_model()
    tenth, hundredth = (m.time_to(2000.0, START, x, **options).of_mean[0] for x in (0.1, 0.01))
    assert hundredth / tenth == pytest.approx(2, rel=5e-3)
    slow = m.time_to(2000.0, START, time_scale=lambda t: t / 2, **options).of_mean[0]
    assert slow / tenth == pytest.approx(1000, rel=1e-3)


@pytest.mark.slow
def test_at_rest_it_has_arrived_and_beyond_the_training_intervals_are_wider() -> None:
    m = linear_model(shifts=(0.0, 0.02))
    at_rest = linear_model().time_to(2000.0, equilibrium(2000.0), n_sites=SITES)
    assert at_rest.times[0] == 0
    with pytest.warns(UserWarning, match="outside of training") as told:
        cold = m.time_to([1300.0, 2000.0], START, n_sites=SITES)
    assert len(told) == 1
    ratios = cold.interval_68[1] / cold.interval_68[0]
    assert ratios[0] > ratios[1]


@pytest.mark.slow
def test_the_fictive_temperature_of_a_frozen_order() -> None:
    """Slow to 1900 K, then a quench: what stays is the order of 1900 K; members give an error."""
    schedule = Schedule.parse("2800 K, 1 K/h to 1900 K, quench to 300 K, hold 1 us")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = linear_model(shifts=(0.0, 0.001))
        r = m.anneal(schedule, START, SITES, paths=0)
    value, error = m.fictive_temperature(r, SITES)
    assert value == pytest.approx(1900, abs=10) and 0 <= error < 10
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = m.anneal("1500 K, hold 1 s", START, SITES, paths=0)
    assert m.fictive_temperature(r, SITES)[0] == pytest.approx(1000 / RANGE[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], START), "temperatures must be above 0 K"),
        (([-1.0], START), "temperatures must be above 0 K"),
        ((2000.0, START, 1.5), "within must be between 0 and 1"),
        ((2000.0, START, 0.1, SITES, None, "c"), "component must be one of a, b, not 'c'"),
        ((2000.0, [1.0]), "z0 must have shape"),
    ],
)
def test_refusals(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        linear_model().time_to(*arguments, **({} if len(arguments) > 3 else {"n_sites": SITES}))
