"""Effective formation energies against exact sums, with the mean over species as control."""

import numpy as np
import pytest
from ase.units import kB

from macro_ase.engines.vacancies.environments import (
    centred,
    effective_energy,
    effective_energy_error,
)

HALVES = np.array([0.5, 0.5])
COHESION = 1.5
CHAIN = [(0, 2)] * 5 + [(2, 0)] * 5 + [(1, 1)] * 6
RANDOM = [(0, 2), (2, 0), (1, 1), (1, 1)]


def of_chain(surroundings: list[tuple[int, int]], w: float, potential: float) -> np.ndarray:
    """Energies in a chain of A and B, from unlike bonds, worth w more, that either would have."""
    return 2 * COHESION - w * np.array(surroundings) + potential


def test_an_equilibrium_chain_is_exact() -> None:
    """exp(-w / kT) = 1/3; a transfer matrix gives surroundings, chemical potential and c_v."""
    kT, q = kB * 1500, 1 / 3
    w = -kT * np.log(q)
    potential = -COHESION - kT * np.log((1 + q) / 2)
    energies = of_chain(CHAIN, w, potential)
    exact = COHESION - kT * np.log(2 / (1 + q))
    assert effective_energy(energies, HALVES, 1500) == pytest.approx(exact, abs=1e-12)
    over_species = -kT * np.log(np.exp(-energies / kT).mean())
    assert exact - over_species > 0.4 * kT  # negative control


def test_a_random_chain_is_right_to_second_order_but_for_the_entropy_of_order() -> None:
    """ln c_v of exact theory, -1/8 (w / kT)^2; of random surroundings and energy, -1/4."""
    kT = kB * 3000
    for x in (0.05, 0.1):
        w = x * kT
        energies = of_chain(RANDOM, w, -COHESION + w / 2)
        plain = COHESION - w / 2
        second = (plain - effective_energy(energies, HALVES, 3000)) / kT / x**2
        over_species = (plain / kT + np.log(np.exp(-energies / kT).mean())) / x**2
        assert second == pytest.approx(-1 / 4, abs=0.01)
        assert over_species == pytest.approx(1 / 4, abs=0.01)  # negative control: wrong in sign


def test_one_species_is_the_mean_of_boltzmann_factors() -> None:
    energies = np.random.default_rng(0).normal(3, 0.2, (50, 1))
    found = effective_energy(energies, np.ones(1), 1000)
    exact = -kB * 1000 * np.log(np.exp(-energies / (kB * 1000)).mean())
    assert found == pytest.approx(exact, abs=1e-12) and found < energies.mean()


@pytest.mark.slow
def test_the_error_is_the_scatter_of_samples() -> None:
    """Over 700 samples of 40 surroundings, chemical potentials found from each sample."""
    rng, shares = np.random.default_rng(1), np.array([0.3, 0.7])
    spread = 3 + rng.normal(0, 0.15, (700, 40, 1)) + rng.normal(0, 0.15, (700, 40, 2))
    values = [effective_energy(centred(each, shares), shares, 2000) for each in spread]
    errors = [effective_energy_error(each, shares, 2000) for each in spread[:60]]
    rms = np.sqrt(np.mean(np.square(errors)))
    assert rms == pytest.approx(np.std(values), rel=0.12)
    assert np.isnan(effective_energy_error(spread[0, :1], shares, 2000))


def test_a_vacancy_does_not_know_what_was_there() -> None:
    energies = np.random.default_rng(0).normal(3, 0.2, (50, 3)) + [1.0, 0.0, -2.0]
    shares = np.array([0.2, 0.3, 0.5])
    means = centred(energies, shares).mean(axis=0)
    np.testing.assert_allclose(means, energies.mean(axis=0) @ shares)
