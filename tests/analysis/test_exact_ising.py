"""Exact results of the Ising model against one another, and against sampling."""

import math

import numpy as np
import pytest

from macro_ase.analysis.exact_ising import (
    CRITICAL_TEMPERATURE,
    ExactThermodynamics,
    density_of_states,
    exact_chain,
    exact_torus,
    onsager_correlation_length,
    onsager_energy,
    onsager_magnetisation,
)
from macro_ase.engines.spins.ensemble import SpinEnsemble
from macro_ase.engines.spins.models import Ising
from macro_ase.kinetics.ising import BROKEN_BONDS, MAGNETISATION
from macro_ase.statistics import standard_error

TEMPERATURES = (0.5, 1.7, CRITICAL_TEMPERATURE, 2.5, 20.0)


def agree(one: ExactThermodynamics, two: ExactThermodynamics, tolerance: float = 1e-10) -> bool:
    return all(
        math.isclose(getattr(one, key), getattr(two, key), rel_tol=tolerance, abs_tol=tolerance)
        for key in ("energy", "specific_heat", "broken_bonds", "magnetisation")
    )


@pytest.mark.parametrize("size", [(4, 4), (3, 5), (5, 3), (3, 3)])
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_torus_equals_enumeration(size: tuple[int, int], temperature: float) -> None:
    exact = density_of_states(size).thermodynamics(temperature)
    assert agree(exact_torus(size, temperature), exact)
    assert not agree(exact_torus(size, 1.001 * temperature), exact, 1e-8)


def test_antiferromagnetic_torus() -> None:
    exact = density_of_states((4, 4)).thermodynamics(2.1, -0.7)
    assert agree(exact_torus((4, 4), 2.1, -0.7), exact)
    with pytest.raises(ValueError, match="even sizes"):
        exact_torus((4, 5), 2.1, -0.7)


@pytest.mark.parametrize(("coupling", "field"), [(0.8, 0.3), (-0.8, 0.3), (1.0, 0.0)])
@pytest.mark.parametrize("n_sites", [5, 8])
def test_chain_equals_enumeration(n_sites: int, coupling: float, field: float) -> None:
    exact = density_of_states((n_sites,)).thermodynamics(1.3, coupling, field)
    assert agree(exact_chain(n_sites, 1.3, coupling, field), exact, 1e-7)


@pytest.mark.parametrize("temperature", [1.5, 2.0, 2.6, 4.0])
def test_large_torus_is_the_infinite_lattice(temperature: float) -> None:
    large = exact_torus((200, 200), temperature)
    assert large.energy == pytest.approx(onsager_energy(temperature), abs=1e-9)
    slope = (onsager_energy(temperature + 1e-4) - onsager_energy(temperature - 1e-4)) / 2e-4
    assert large.specific_heat == pytest.approx(slope, abs=1e-5)


def test_energy_at_the_critical_point() -> None:
    assert onsager_energy(CRITICAL_TEMPERATURE) == pytest.approx(-math.sqrt(2), abs=1e-7)
    offsets = [
        exact_torus((size, size), CRITICAL_TEMPERATURE).energy + math.sqrt(2) for size in (64, 128)
    ]
    assert offsets[0] / offsets[1] == pytest.approx(2, abs=1e-3)
    assert exact_torus((16, 16), 0.05).specific_heat == pytest.approx(0, abs=1e-9)


def test_magnetisation_of_the_infinite_lattice() -> None:
    assert onsager_magnetisation(CRITICAL_TEMPERATURE + 1e-9) == 0
    assert onsager_magnetisation(1e-2) == 1
    near = CRITICAL_TEMPERATURE * (1 - np.array([1e-6, 1e-7]))
    one, two = onsager_magnetisation(near)
    assert math.log10(one / two) == pytest.approx(1 / 8, abs=1e-5)


@pytest.mark.slow
def test_wolff_samples_agree_with_both() -> None:
    temperature, size = 2.2, (24, 24)
    ensemble = SpinEnsemble(Ising(size), np.ones((20, 576)), temperature, rng=1)
    ensemble.wolff(interval=300)
    tally = ensemble.wolff(n_records=2000, interval=3)
    broken = np.moveaxis(tally[..., BROKEN_BONDS], 0, 1) / 1152
    error = math.hypot(*standard_error(broken)) / 20
    assert error < 5e-4
    assert abs(broken.mean() - exact_torus(size, temperature).broken_bonds) < 4 * error
    assert abs(broken.mean() - exact_torus(size, 2.21).broken_bonds) > 4 * error
    m = np.abs(tally[..., MAGNETISATION]).mean() / 576
    assert m == pytest.approx(onsager_magnetisation(temperature), abs=0.03)


def test_states_are_all_counted() -> None:
    levels = density_of_states((4, 4))
    assert levels.count.sum() == 2**16
    ground = levels.count[levels.broken_bonds == 0]
    assert ground.tolist() == [1, 1]
    assert levels.count @ levels.magnetisation == 0
    assert levels.count @ levels.broken_bonds == 2**16 * 16


def test_refusals() -> None:
    with pytest.raises(ValueError, match="at most 20 sites"):
        density_of_states((5, 5))
    with pytest.raises(ValueError, match="two whole numbers"):
        exact_torus((4, 4, 4), 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="temperature must be above 0"):
        onsager_energy(0.0)
    with pytest.raises(ValueError, match="coupling"):
        exact_torus((4, 4), 1.0, 0.0)


def strip_length(temperature: float, width: int) -> float:
    """Decay length along an endless strip, from the two largest eigenvalues of its matrix."""
    spins = 2 * (np.arange(2**width)[:, None] >> np.arange(width) & 1) - 1
    across = (spins * np.roll(spins, 1, axis=1)).sum(axis=1)
    bonds = spins @ spins.T + (across[:, None] + across) / 2
    largest = np.sort(np.abs(np.linalg.eigvalsh(np.exp(bonds / temperature))))[::-1]
    return float(1 / np.log(largest[0] / largest[1]))


def test_correlation_length_is_that_of_wide_strips() -> None:
    for temperature in (3.5, 5.0):
        exact = float(onsager_correlation_length(temperature))
        assert strip_length(temperature, 9) == pytest.approx(exact, rel=2e-3)
        assert strip_length(temperature, 3) != pytest.approx(exact, rel=2e-3)
    assert np.isinf(onsager_correlation_length(CRITICAL_TEMPERATURE))
    assert onsager_correlation_length(7.0, -2.0) == onsager_correlation_length(3.5)
    with pytest.raises(ValueError, match=r"above Tc = 2\.26919"):
        onsager_correlation_length([2.2, 2.5])
