"""Metropolis: its acceptance, and that its clock is not Glauber's."""

import numpy as np

from macro_ase.engines.spins.ensemble import SpinEnsemble
from macro_ase.engines.spins.models import Ising
from macro_ase.kinetics.ising import FLIPS, flip_energies, glauber_rates
from macro_ase.kinetics.metropolis import metropolis_probabilities


def test_acceptance_balances() -> None:
    energies = flip_energies(4, 1.0, 0.3)
    there, back = np.split(metropolis_probabilities(energies, 2.0)[0], 2)
    np.testing.assert_allclose(there / back, np.exp(-energies[:5] / 2.0))
    np.testing.assert_array_equal(np.maximum(there, back), 1.0)


def test_no_factor_turns_its_clock_into_that_of_glauber() -> None:
    energies = flip_energies(4, 1.0, 0.0)
    ratio = metropolis_probabilities(energies, 2.5) / glauber_rates(energies, 2.5)
    assert ratio.max() / ratio.min() > 1.5


def test_a_sweep_is_an_attempt_per_active_site() -> None:
    """At infinite temperature every attempt is accepted."""
    for active, n in ((None, 20), ([3, 4, 9], 3)):
        hot = SpinEnsemble(Ising((4, 5)), np.ones((2, 20)), 1e12, 0, active)
        assert np.all(
            hot.metropolis(n_records=3, interval=7)[..., FLIPS] == [7 * n, 14 * n, 21 * n]
        )
