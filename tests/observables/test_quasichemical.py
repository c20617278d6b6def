"""Exchange energies: there and back, against a chain whose law is exact, and at edges."""

import numpy as np
import pytest

from macro_ase.observables.quasichemical import alpha_of_exchange, exchange

PAIRS = [(0, 1), (0, 2), (1, 2)]
CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def test_there_and_back_in_every_shell() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        c = rng.dirichlet([3, 3, 3])
        q = rng.normal(0, 1, 6)
        alpha = alpha_of_exchange(q, c, PAIRS)
        np.testing.assert_allclose(exchange(alpha, c, PAIRS), q, **CLOSE)
    np.testing.assert_allclose(alpha_of_exchange(np.zeros(6), c, PAIRS), 0, atol=1e-12)


def test_of_a_chain_it_is_its_energy_at_every_composition() -> None:
    """Bonds of a chain are independent given its composition: P_AB^2 / (P_AA P_BB) = e^(J / kT).

    With a transfer matrix of e^(-E_AB / kT + (mu_A + mu_B) / 2 kT); alpha itself is not constant.
    """
    energy = np.array([[0.0, -0.6, 0.2], [-0.6, 0.3, -0.1], [0.2, -0.1, 0.5]])
    expected = [energy[a, a] + energy[b, b] - 2 * energy[a, b] for a, b in PAIRS]
    alphas = []
    for mu in ([0.0, 0.0, 0.0], [1.0, -0.5, 0.2], [0.0, 2.0, -1.0]):
        half = np.exp(np.array(mu) / 2)
        transfer = half[:, None] * np.exp(-energy) * half
        values, vectors = np.linalg.eigh(transfer)
        shares = transfer * np.outer(vectors[:, -1], vectors[:, -1]) / values[-1]
        c = shares.sum(axis=1)
        alphas.append([1 - shares[a, b] / (c[a] * c[b]) for a, b in PAIRS])
        np.testing.assert_allclose(exchange(np.array(alphas[-1]), c, PAIRS), expected, **CLOSE)
    assert np.ptp(alphas, axis=0).min() > 0.1


def test_an_absent_species_has_the_limit_of_a_dilute_one() -> None:
    q = np.array([0.4, -0.3, 0.8])
    there = alpha_of_exchange(q, np.array([1e-9, 0.3, 0.7]), PAIRS)
    np.testing.assert_allclose(alpha_of_exchange(q, np.array([0, 0.3, 0.7]), PAIRS), there, 1e-7)
    two = alpha_of_exchange(q[2:], np.array([0.3, 0.7]), [(0, 1)])
    assert there[2] == pytest.approx(two[0], rel=1e-7)
    assert np.ptp(there) > 0.1


def test_a_pair_never_seen_is_as_rare_as_told_and_impossible_order_is_refused() -> None:
    c = np.array([0.1, 0.9])
    full = np.array([1 - 1 / 0.9])  # every bond of the first goes to the second
    q = exchange(full, c, [(0, 1)], least=1e-2)
    assert q[0] == pytest.approx(np.log(0.1**2 / (1e-4 * 0.8)))
    with pytest.raises(ValueError, match="no crystal"):
        exchange(full - 0.01, c, [(0, 1)])
