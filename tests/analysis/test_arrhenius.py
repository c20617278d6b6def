"""Arrhenius fits: an exact law, errors that cover it, an interval, what is refused."""

import numpy as np
import pytest
from ase import units

from macro_ase.analysis.arrhenius import fit_arrhenius

TEMPERATURES_K = np.array([1000.0, 1300.0, 1700.0, 2200.0, 3000.0])
PREFACTOR, ACTIVATION_EV = 2e-6, 1.3
TRUTH = PREFACTOR * np.exp(-ACTIVATION_EV / (units.kB * TEMPERATURES_K))


def test_an_exact_law_is_found() -> None:
    law = fit_arrhenius(TEMPERATURES_K, TRUTH, 0.02 * TRUTH)
    assert law.prefactor == pytest.approx(PREFACTOR)
    assert law.activation_eV == pytest.approx(ACTIVATION_EV)
    assert law.chi2 == pytest.approx(0, abs=1e-12) and law.degrees == 3
    value, error = law.at(1500)
    assert value[0] == pytest.approx(PREFACTOR * np.exp(-ACTIVATION_EV / (units.kB * 1500)))
    assert 0.005 < error[0] / value[0] < 0.02


def test_errors_cover_the_law() -> None:
    rng, found = np.random.default_rng(0), []
    relative = np.array([0.1, 0.05, 0.02, 0.02, 0.01])
    for _ in range(400):
        noisy = TRUTH * np.exp(relative * rng.normal(size=5))
        law = fit_arrhenius(TEMPERATURES_K, noisy, relative * noisy)
        off = np.array([law.log_prefactor - np.log(PREFACTOR), law.activation_eV - ACTIVATION_EV])
        inside = law.at(1500)[0][0] * np.exp(ACTIVATION_EV / (units.kB * 1500)) / PREFACTOR
        error = law.at(1500)[1][0] / law.at(1500)[0][0]
        found.append([*(off / np.sqrt(np.diag(law.covariance))), np.log(inside) / error])
    covered = (np.abs(found) < 1).mean(axis=0)
    assert np.all((covered > 0.66) & (covered < 0.82))


def test_a_bend_widens_the_errors() -> None:
    law = fit_arrhenius(TEMPERATURES_K, TRUTH * [2, 1, 1, 1, 2], 0.02 * TRUTH)
    straight = fit_arrhenius(TEMPERATURES_K, TRUTH, 0.02 * TRUTH)
    assert law.chi2 > 50 * law.degrees
    assert law.activation_error_eV > 5 * straight.activation_error_eV


@pytest.mark.parametrize(
    ("T", "D", "error", "message"),
    [
        ([1000.0], [1e-12], [1e-14], "needs two temperatures or more"),
        ([1000.0, 1000.0], [1e-12, 1e-12], [1e-14, 1e-14], "needs two temperatures or more"),
        ([1000.0, 2000.0], [1e-12, 0.0], [1e-14, 1e-14], "above 0"),
        ([1000.0, 2000.0], [1e-12, 1e-11], [0.0, 1e-14], "above 0"),
    ],
)
def test_what_is_no_law_is_refused(T: list, D: list, error: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_arrhenius(T, D, error)
