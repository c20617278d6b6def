"""Fluctuations and responses against exact enumeration."""

import numpy as np
import pytest

from macro_ase.analysis.response import (
    QUANTITIES,
    CanonicalRun,
    quantities,
    specific_heat,
    susceptibility,
)


@pytest.mark.parametrize("temperature", [1.6, 2.4, 5.0])
def test_quantities_are_exact_within_their_errors(ising, temperature: float) -> None:
    _, run = ising.draw(temperature, 20_000, seed=0)
    values, errors = quantities(run)
    exact = ising.quantities(temperature)
    assert len(values) == len(QUANTITIES)
    assert np.all(errors[:3] < 0.02) and np.all(errors > 0)
    assert np.abs((values - exact) / errors).max() < 4
    assert np.abs((values - ising.quantities(temperature + 0.1)) / errors).max() > 4


@pytest.mark.slow
def test_errors_are_calibrated(ising) -> None:
    found = [quantities(ising.draw(2.4, 1000, seed=s)[1]) for s in range(150)]
    values, errors = (np.array(part) for part in zip(*found))
    ratio = values.std(axis=0) / np.sqrt((errors**2).mean(axis=0))
    np.testing.assert_allclose(ratio, 1, atol=0.25)


def test_single_functions_agree_with_the_set(ising) -> None:
    _, run = ising.draw(2.4, 4000, seed=1)
    values, errors = quantities(run)
    chi, chi_error = susceptibility(run.magnetization, 16, 2.4)
    heat, heat_error = specific_heat(run.energy, 16, 2.4)
    assert [chi, heat] == pytest.approx(values[[3, 7]], rel=2e-3)
    assert [chi_error, heat_error] == pytest.approx(errors[[3, 7]], rel=0.3)


def test_two_level_system_has_its_schottky_heat() -> None:
    """Levels 0 and 1: c = e^x / (T (1 + e^x))^2, x = 1/T, exact for any proper mixture."""
    temperature = 0.5
    p = 1 / (1 + np.exp(1 / temperature))
    energy = (np.random.default_rng(0).random(40_000) < p).astype(float)
    heat, error = specific_heat(energy, 1, temperature)
    assert abs(heat - p * (1 - p) / temperature**2) < 4 * error


def test_bad_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="temperature must be above 0, not -1"):
        CanonicalRun(4, -1.0, np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="one length"):
        CanonicalRun(4, 1.0, np.zeros(3), np.zeros(4))
