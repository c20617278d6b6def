"""Reweighting against exact enumeration, in temperature and in field."""

import warnings

import numpy as np
import pytest

from macro_ase.analysis.response import CanonicalRun, quantities
from macro_ase.analysis.reweighting import (
    SMALLEST_OVERLAP,
    boltzmann_weights,
    overlap,
    reweight,
    reweighted_quantities,
    temperature_reach,
)

SAMPLES = 20_000


@pytest.mark.parametrize("target", [2.1, 2.3, 2.9])
def test_quantities_elsewhere_are_exact_within_their_errors(ising, target: float) -> None:
    _, run = ising.draw(2.5, SAMPLES, seed=0)
    values, errors, part = reweighted_quantities(run, target)
    assert part > SMALLEST_OVERLAP
    assert np.abs((values - ising.quantities(target)) / errors).max() < 4
    assert np.abs((quantities(run)[0] - ising.quantities(target)) / errors).max() > 4


def test_at_home_nothing_changes(ising) -> None:
    _, run = ising.draw(2.5, 3000, seed=1)
    values, errors, part = reweighted_quantities(run, 2.5)
    np.testing.assert_array_equal([values, errors], quantities(run))
    assert part == 1


def test_fields_are_reached_too(ising) -> None:
    """From (T, h) = (3, .05) to (2.9, .15): m is exact, and the wrong sign of h is refused."""
    _, run = ising.draw(3.0, SAMPLES, seed=2, field=0.05)
    found = reweight(lambda m: m, (run.magnetization,), run, 2.9, 0.1)
    exact = ising.probabilities(2.9, 0.15) @ ising.magnetization
    wrong = reweight(lambda m: m, (run.magnetization,), run, 2.9, -0.1)
    assert abs(found.value[0] - exact) < 4 * found.error[0]
    assert abs(wrong.value[0] - exact) > 10 * wrong.error[0]


@pytest.mark.slow
def test_errors_are_calibrated(ising) -> None:
    runs = [ising.draw(2.5, 1000, seed=s)[1] for s in range(200)]
    found = [reweight(lambda e: e, (run.energy,), run, 2.2) for run in runs]
    values = np.array([f.value[0] for f in found])
    errors = np.array([f.error[0] for f in found])
    assert values.std() / np.sqrt((errors**2).mean()) == pytest.approx(1, abs=0.2)


def test_a_curve_has_a_point_a_target(ising) -> None:
    _, run = ising.draw(2.5, 2000, seed=3)
    targets = np.linspace(2.3, 2.7, 5)
    curve = reweight(lambda a, b: np.array([a, b]), (run.energy, run.energy**2), run, targets)
    assert curve.value.shape == curve.error.shape == (5, 2)
    assert np.all(np.diff(curve.value[:, 0]) > 0)
    assert curve.overlap[2] == 1 and np.all(curve.overlap[[0, 4]] < 1)


def test_too_little_overlap_warns_once(ising) -> None:
    _, run = ising.draw(6.0, 2000, seed=4)
    with pytest.warns(UserWarning, match=r"L = 4 from T = 6 to 1.5 leaves no more .*") as record:
        reweight(lambda e: e, (run.energy,), run, [5.5, 2.0, 1.5])
    assert len(record) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reweight(lambda e: e, (run.energy,), run, [5.5, 6.5])


@pytest.mark.parametrize("temperature", [1.55, 2.0, 3.0])
def test_states_that_a_cold_run_hardly_visits_are_warned_of(ising, temperature: float) -> None:
    """The overlap of what was visited seems fine where the exact one is .085, 1e-4 and 2e-7."""
    exact = ising.probabilities(temperature) ** 2 / ising.probabilities(1.0)
    assert 1 / exact.sum() < SMALLEST_OVERLAP
    for seed in range(20):
        _, run = ising.draw(1.0, 9000, seed=seed)
        with pytest.warns(UserWarning, match=f"from T = 1 to {temperature:g} leaves"):
            reweight(lambda e: e, (run.energy,), run, temperature)


@pytest.mark.parametrize(("home", "temperature"), [(1.0, 1.2), (2.5, 2.0), (2.5, 2.9), (2.5, 2.5)])
@pytest.mark.parametrize("samples", [100, 2000])
def test_what_was_visited_is_not_warned_of(
    ising, home: float, temperature: float, samples: int
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(5):
            _, run = ising.draw(home, 9000 if home == 1 else samples, seed=seed)
            reweight(lambda e: e, (run.energy,), run, temperature)


def test_the_overlap_is_that_of_gaussian_energies() -> None:
    """Normal E of spread s, moved by db: <w>^2 / <w^2> = exp(-(db s)^2), 1/e at the reach."""
    energy = np.random.default_rng(0).normal(-1.5, 0.05, size=200_000)
    run = CanonicalRun(10, 2.0, energy, np.zeros_like(energy))
    for edge in temperature_reach(run):
        assert overlap(boltzmann_weights(run, edge)) == pytest.approx(np.exp(-1), abs=0.02)


def test_weights_do_not_overflow() -> None:
    run = CanonicalRun(100, 2.0, np.linspace(-2, 2, 50), np.zeros(50))
    weights = boltzmann_weights(run, 0.01)
    assert weights[0] == pytest.approx(50) and np.all(weights[1:] == 0)  # the ground state alone


def test_absolute_zero_is_refused(ising) -> None:
    with pytest.raises(ValueError, match="above 0, not 0"):
        boltzmann_weights(ising.draw(2.0, 10, seed=0)[1], 0.0)
