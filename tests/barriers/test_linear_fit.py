"""The linear problem: known parameters come back, in the gauge that the energy documents."""

from typing import Any

import numpy as np
import pytest

from macro_ase.barriers.linear_fit import assemble, prior_of, solve, unpack


@pytest.mark.slow
@pytest.mark.parametrize(("n", "crystals"), [(1, 1), (2, 1), (5, 2)])
def test_known_parameters_are_recovered(synthetic: Any, n: int, crystals: int) -> None:
    truth = synthetic.true_model(n)
    tables = [synthetic.table(truth, seed) for seed in range(crystals)]
    energies = synthetic.frames(truth, 40 * n) if n > 1 else None
    problem = assemble(tables, energies, n)
    w = solve(problem, 1e-9 * prior_of(n, 1.0, 1.0), slice(None), slice(None))
    found = unpack(w, truth.species, truth.compositions)
    unseen = synthetic.table(truth, 99)
    np.testing.assert_allclose(synthetic.table(found, 99).barrier_eV, unseen.barrier_eV, atol=2e-5)
    if n > 1:
        other = synthetic.frames(truth, 20, seed=1)
        got = synthetic.frames(found, 20, seed=1).energy_eV
        np.testing.assert_allclose(got, other.energy_eV, atol=1e-6)
        np.testing.assert_allclose(found.energy.pair_eV, truth.energy.pair_eV, atol=2e-4)
        np.testing.assert_allclose(found.activation_eV, truth.activation_eV, atol=2e-4)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_two_vacancies_do_not_interact_in_the_zero_mean_gauge(synthetic: Any, n: int) -> None:
    """V less its means over atoms, by rows and columns, is 0 for X-X; V(X, A) has no mean."""
    w = np.random.default_rng(n).normal(0, 0.1, len(prior_of(n, 1.0, 1.0)))
    pair = unpack(w, synthetic.SPECIES[:n], np.full((1, n), 1 / n)).energy.pair_eV
    means = pair[:, :, :n].mean(axis=2)
    grand = pair[:, :n, :n].mean(axis=(1, 2))
    zero_mean = pair - means[:, :, None] - means[:, None, :] + grand[:, None, None]
    np.testing.assert_allclose(zero_mean[:, n, n], 0, atol=1e-12)
    np.testing.assert_allclose(pair[:, n, :n].sum(axis=1), 0, atol=1e-12)
    assert n == 1 or np.abs(pair[:, n, n]).min() > 1e-4
