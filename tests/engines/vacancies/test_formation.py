"""Formation energies of a lattice alloy against enumeration of all surroundings."""

import numpy as np
import pytest
from scipy.stats import binom

from macro_ase.engines.vacancies.environments import effective_energy, effective_energy_error
from macro_ase.engines.vacancies.formation import FormationEnergies
from macro_ase.lattice import BCC, SiteGrid, shell_neighbors

PAIR = np.array([[-0.60, -0.72], [-0.72, -0.75]])
TO_VACANCY = np.array([-0.05, -0.10])
SHARES = np.array([0.4, 0.6])
KELVIN = 1500


def exact() -> tuple[np.ndarray, float, float]:
    """Chemical potentials, mean E_f and effective E_f of the infinite random alloy."""
    energy = 4 * SHARES @ PAIR @ SHARES
    potentials = 8 * PAIR @ SHARES - energy
    n = np.arange(9)
    around = np.stack([n, 8 - n], axis=1)
    energies = (around @ TO_VACANCY)[:, None] - around @ PAIR + potentials
    weight = binom.pmf(n, 8, SHARES[0])
    factor = weight @ (1 / (np.exp(energies / (8.617333e-5 * KELVIN)) @ SHARES))
    mean = 8 * TO_VACANCY @ SHARES - energy
    return potentials, float(mean), float(-8.617333e-5 * KELVIN * np.log(factor))


def sampled(sites: int = 400) -> FormationEnergies:
    """Of a random crystal of 8,192 sites."""
    grid, rng = SiteGrid(BCC, (16, 16, 16)), np.random.default_rng(0)
    counts = np.rint(grid.n_sites * SHARES).astype(int)
    state = rng.permutation(np.repeat([0, 1], counts))
    neighbours = state[shell_neighbors(grid)]
    energy = PAIR[state[:, None], neighbours].sum() / 2
    chosen = rng.permutation(grid.n_sites)[:sites]
    around = np.stack([(neighbours[chosen] == s).sum(axis=1) for s in (0, 1)], axis=1)
    without = energy - (around @ PAIR)[np.arange(sites), state[chosen]]
    vacant, occupied = without + around @ TO_VACANCY, without[:, None] + around @ PAIR
    return FormationEnergies.of(vacant, occupied, float(energy), counts)


def misses(found: FormationEnergies) -> np.ndarray:
    """Mean by species and effective energy less the exact ones, in standard errors."""
    _, mean, effective = exact()
    energies, error = found.energies_eV, found.mean[1]
    own = effective_energy(energies, found.shares, KELVIN) - effective
    scale = effective_energy_error(energies, found.shares, KELVIN)
    return np.abs([*((energies.mean(axis=0) - mean) / error), own / scale])


def test_a_random_alloy_has_the_energies_of_enumeration() -> None:
    found = sampled()
    assert misses(found).max() < 3
    assert np.all(np.abs(found.potentials_eV - exact()[0]) < 3 * found.potential_errors_eV)
    assert found.potentials_eV @ found.shares == pytest.approx(4 * SHARES @ PAIR @ SHARES, abs=5e-3)


def test_potentials_of_the_pure_elements_are_noticed() -> None:
    """Negative control: the same energies with E/N of each pure element as chemical potential."""
    found = sampled()
    pure = 4 * np.diag(PAIR)
    wrong = FormationEnergies(
        found.energies_eV - found.potentials_eV + pure, found.shares, pure, np.zeros(2)
    )
    assert misses(wrong).max() > 10


def test_errors_of_potentials_are_their_scatter() -> None:
    rng = np.random.default_rng(0)
    occupied = -100 + rng.normal(0, 0.3, (500, 30, 3))
    counts = np.array([10, 20, 70])
    made = [FormationEnergies.of(np.full(30, -97.0), own, -100.0, counts) for own in occupied]
    scatter = np.std([m.potentials_eV for m in made], axis=0)
    np.testing.assert_allclose(np.mean([m.potential_errors_eV for m in made], 0), scatter, rtol=0.1)
    assert np.std([m.mean[0] for m in made]) == pytest.approx(made[0].mean[1], rel=0.3)


def test_a_pure_metal_has_the_plain_energy() -> None:
    found = FormationEnergies.of(np.array([-96.0]), np.array([[-100.0]]), -100.0, np.array([25]))
    assert found.energies_eV[0, 0] == -96 + 100 * 24 / 25
    assert found.mean == (found.energies_eV[0, 0], 0.0) and found.deviations_eV[0, 0] == 0
    one = FormationEnergies.of(
        np.array([-96.0]), np.array([[-100, -99.0]]), -100.0, np.array([5, 5])
    )
    assert np.isnan(one.mean[1]) and np.isnan(one.potential_errors_eV).all()
