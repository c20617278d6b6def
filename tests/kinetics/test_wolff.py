"""Wolff's clusters: antiferromagnets, also frustrated, and what they cannot reach."""

import numpy as np
import pytest

from macro_ase.analysis.exact_ising import density_of_states
from macro_ase.engines.spins.ensemble import SpinEnsemble
from macro_ase.engines.spins.models import CurieWeiss, Ising
from macro_ase.kinetics.ising import BROKEN_BONDS, FLIPS, MAGNETISATION


@pytest.mark.parametrize(("size", "coupling"), [((4, 4), -1.0), ((5, 3), -1.0), ((7,), 0.8)])
def test_moments_are_exact(size: tuple[int, ...], coupling: float) -> None:
    model, temperature, n = Ising(size, coupling), 2.0, 20_000
    ensemble = SpinEnsemble(model, np.ones((n, model.n_sites)), temperature, rng=1)
    tally = ensemble.wolff(interval=30)[:, 0]
    np.testing.assert_array_equal(tally[:, :2], model.tally(ensemble.spins)[:, :2])
    levels = density_of_states(size)
    p = levels.probabilities(temperature, coupling)
    for column, values in (
        (BROKEN_BONDS, levels.broken_bonds),
        (MAGNETISATION, np.abs(levels.magnetisation)),
    ):
        measured = np.abs(tally[:, column])
        error = measured.std() / np.sqrt(n)
        assert abs(measured.mean() - p @ values) < 4 * error
        assert abs(measured.mean() - levels.probabilities(1.1 * temperature, coupling) @ values) > (
            4 * error
        )


def test_clusters_span_the_lattice_when_cold() -> None:
    cold = SpinEnsemble(Ising((5, 5)), np.ones(25), 0.01, rng=0)
    assert cold.wolff(interval=3)[0, 0, FLIPS] == 75
    assert np.all(cold.spins == -1)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="field 0"):
        SpinEnsemble(Ising((4, 4), field=0.1), np.ones(16), 2.0).wolff()
    with pytest.raises(ValueError, match="all sites active"):
        SpinEnsemble(Ising((4, 4)), np.ones(16), 2.0, active=[1, 2]).wolff()
    with pytest.raises(ValueError, match="Ising model"):
        SpinEnsemble(CurieWeiss(16), np.ones(16), 2.0).wolff()
