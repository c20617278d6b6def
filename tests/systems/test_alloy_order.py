"""Bond densities, delta and alpha against the short-range order of the same crystal."""

import numpy as np
import pytest

from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.lattice import shell_neighbors
from macro_ase.observables import short_range_order
from macro_ase.observables.bonds import bond_counts
from macro_ase.systems.alloy_order import BondOrder

SPECIES = ("Nb", "Mo", "Ta")
CASES = ["NbMoTa", "Nb0.6Mo0.3Ta0.1", "Mo0.5Ta0.5"]


def crystal_of(composition: str, vacancies: int = 3, seed: int = 0) -> Crystal:
    atoms = build_crystal("bcc", composition, (4, 5, 6), vacancies, None, 3.24, seed)
    return Crystal.from_atoms(atoms, species=SPECIES)


def measured(crystal: Crystal) -> tuple[BondOrder, np.ndarray, np.ndarray]:
    """Order, densities and vacancy neighbours of a crystal."""
    order = BondOrder(SPECIES, crystal.counts)
    bonds = bond_counts(crystal.occupation, shell_neighbors(crystal.grid), 4)
    return order, order.densities(bonds, crystal.grid.n_sites), order.vacancy_neighbours(bonds)


@pytest.mark.parametrize("composition", CASES)
def test_delta_and_alpha_are_those_of_the_crystal(composition: str) -> None:
    crystal = crystal_of(composition)
    order, z, v = measured(crystal)
    exact = short_range_order(crystal.to_atoms(), 1, species=SPECIES)
    delta = order.delta(z, v)
    for name, d, alpha in zip(order.all_names, delta, order.alpha(delta), strict=True):
        a, b = (SPECIES.index(s) for s in name.split("-"))
        assert d == pytest.approx(exact.delta[0, a, b], abs=1e-12)
        assert alpha == pytest.approx(exact.alpha[0, a, b], abs=1e-12)


@pytest.mark.parametrize("composition", CASES)
def test_sum_rule_and_symmetry(composition: str) -> None:
    crystal = crystal_of(composition)
    order, z, v = measured(crystal)
    delta, c = order.delta_matrix(z, v), order.fractions
    np.testing.assert_allclose(delta.sum(axis=1), 8 * c[-1] - v, atol=1e-12)
    weighted = c[:-1, None] * delta
    np.testing.assert_allclose(weighted, weighted.T, atol=1e-12)
    assert order.row_sum_residual(z, v) < 1e-12


def test_negative_control_another_vacancy_term_breaks_the_diagonal() -> None:
    crystal = crystal_of("NbMoTa")
    order, z, _ = measured(crystal)
    exact = short_range_order(crystal.to_atoms(), 1, species=SPECIES).delta[0]
    wrong = order.delta_matrix(z, np.zeros(3))
    assert np.abs(np.diag(wrong) - np.diag(exact)[:3]).max() > 0.01
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(wrong[off], exact[:3, :3][off], atol=1e-12)


def test_vacancy_neighbours_by_hand() -> None:
    crystal = crystal_of("NbMoTa")
    _, _, v = measured(crystal)
    around = crystal.occupation[shell_neighbors(crystal.grid)]
    expected = [(around[crystal.occupation == a] == 3).sum(axis=1).mean() for a in range(3)]
    np.testing.assert_allclose(v, expected, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("composition", CASES)
def test_random_state_is_the_mean_of_random_crystals(composition: str) -> None:
    """To 4 errors in both shells; that of crystals without end is not."""
    crystal, rng, number = crystal_of(composition), np.random.default_rng(1), 2000
    neighbours = [shell_neighbors(crystal.grid, k) for k in (1, 2)]
    order, n, z = BondOrder(SPECIES, crystal.counts), crystal.grid.n_sites, []
    for _ in range(number):
        state = rng.permutation(crystal.occupation)
        z.append(order.state(np.array([bond_counts(state, x, 4) for x in neighbours]), n))
    error = np.std(z, axis=0) / np.sqrt(number)
    found, endless = np.mean(z, axis=0), order.random_state(2) * (n - 1) / n
    assert np.all(np.abs(found - order.random_state(2)) < 4 * error)
    assert np.any(np.abs(found - endless) > 4 * error)  # negative control


def test_leading_axes() -> None:
    crystals = [crystal_of("NbMoTa", seed=s) for s in range(6)]
    order = BondOrder(SPECIES, crystals[0].counts)
    bonds = np.array([bond_counts(c.occupation, shell_neighbors(c.grid), 4) for c in crystals])
    stacked = bonds.reshape(2, 3, 4, 4)
    z, v = order.densities(stacked, 240), order.vacancy_neighbours(stacked)
    assert z.shape == (2, 3, 3) and v.shape == (2, 3, 3)
    delta = order.delta(z, v)
    assert delta.shape == order.alpha(delta).shape == (2, 3, 6)
    np.testing.assert_array_equal(delta[1, 2], order.delta(z[1, 2], v[1, 2]))


def test_names() -> None:
    order = BondOrder(SPECIES, np.array([10, 10, 10, 1]))
    assert order.pair_names == ("Nb-Mo", "Nb-Ta", "Mo-Ta")
    assert order.all_names == ("Nb-Nb", "Nb-Mo", "Nb-Ta", "Mo-Mo", "Mo-Ta", "Ta-Ta")


def test_a_species_without_atoms_has_no_components() -> None:
    crystal = crystal_of("Mo0.5Ta0.5")
    order, z, v = measured(crystal)
    assert order.pair_names == ("Mo-Ta",) and z.shape == (1,)
    assert order.all_names == ("Mo-Mo", "Mo-Ta", "Ta-Ta")
    assert v[0] == 0 and np.all(np.isfinite(order.delta(z, v)))


def test_b2_is_the_extreme() -> None:
    atoms = build_crystal("bcc", "Mo0.5Ta0.5", (4, 4, 4), 0, "B2", 3.24)
    order, z, v = measured(Crystal.from_atoms(atoms, species=SPECIES))
    np.testing.assert_allclose(order.alpha(order.delta(z, v)), [1, -1, 1], atol=1e-12)
