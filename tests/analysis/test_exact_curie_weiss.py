"""The exact Curie-Weiss model: known figures, and the master equation against matrix algebra."""

import numpy as np
import pytest
from scipy.linalg import expm

from macro_ase.analysis.exact_curie_weiss import ExactCurieWeiss


def test_known_figures() -> None:
    exact = ExactCurieWeiss(64**2, 1.1, 0.1)
    mean, std = exact.stationary_moments()
    assert mean == pytest.approx(0.48988, abs=5e-6)
    assert std == pytest.approx(0.02451, abs=5e-6)
    assert exact.mean_time_of_flips() == pytest.approx(2 / (1 - mean**2 - std**2), rel=1e-3)


def test_master_equation_equals_matrix_algebra() -> None:
    exact = ExactCurieWeiss(20, 1.1, 0.1)
    births, deaths = exact.rates
    generator = np.diag(births[:-1], -1) + np.diag(deaths[1:], 1) - np.diag(births + deaths)
    start, times = np.eye(21)[4], np.array([0.0, 0.5, 3.0, 20.0])
    expected = [expm(generator * t) @ start for t in times]
    np.testing.assert_allclose(exact.distribution(start, times), expected, atol=1e-7)
    np.testing.assert_allclose(generator @ exact.stationary(), 0, atol=1e-12)


@pytest.mark.slow
def test_paths_end_in_equilibrium() -> None:
    exact = ExactCurieWeiss(64**2, 1.1, 0.1)
    for start in (-0.5, 0.5):
        mean, std = exact.moments(start, [0.0, 2.0, 1000.0])
        assert mean[0] == pytest.approx(start) and std[0] == pytest.approx(0, abs=1e-6)
        np.testing.assert_allclose((mean[-1], std[-1]), exact.stationary_moments(), atol=1e-7)


def test_passage_time_equals_matrix_algebra() -> None:
    exact = ExactCurieWeiss(20, 0.8, 0.03)
    births, deaths = exact.rates
    generator = np.diag(births[:-1], -1) + np.diag(deaths[1:], 1) - np.diag(births + deaths)
    upwards = np.linalg.solve(-generator[:15, :15].T, np.ones(15))
    downwards = np.linalg.solve(-generator[6:, 6:].T, np.ones(15))
    assert exact.mean_passage_time(-0.8, 0.5) == pytest.approx(upwards[2])
    assert exact.mean_passage_time(0.8, -0.5) == pytest.approx(downwards[18 - 6])
    assert exact.mean_passage_time(0.3, 0.3) == 0


def test_refusals() -> None:
    exact = ExactCurieWeiss(10, 1.0)
    with pytest.raises(ValueError, match="temperature"):
        ExactCurieWeiss(10, -1.0)
    with pytest.raises(ValueError, match="n_sites"):
        ExactCurieWeiss(0, 1.0)
    with pytest.raises(ValueError, match="11 probabilities"):
        exact.distribution(np.ones(11), [1.0])
    with pytest.raises(ValueError, match="ascend"):
        exact.moments(0.0, [2.0, 1.0])
    with pytest.raises(ValueError, match="mean spin"):
        exact.moments(1.5, [1.0])
    with pytest.raises(ValueError, match=r"mean spin must lie in -1..1, not 2"):
        exact.mean_passage_time(0.0, 2.0)
