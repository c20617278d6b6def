"""Exponents and collapse from synthetic data whose exponents are known."""

from dataclasses import replace

import numpy as np
import pytest

from macro_ase.analysis.response import QUANTITIES, CanonicalRun
from macro_ase.analysis.scaling import (
    critical_exponents,
    exponents_by_smallest_size,
    fit_power_law,
)
from macro_ase.analysis.sweep_table import SweepTable

SIZES = np.array([8.0, 16.0, 32.0, 64.0])


def noisy(exact: np.ndarray, relative: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    errors = relative * exact
    return exact + np.random.default_rng(seed).normal(size=exact.shape) * errors, errors


def test_a_power_law_is_found_and_its_error_is_right() -> None:
    fits = [fit_power_law(SIZES, *noisy(0.9 * SIZES**1.75, 0.01, s)) for s in range(400)]
    exponents = np.array([f.exponent for f in fits])
    error = fits[0].error
    assert abs(exponents.mean() - 1.75) < 4 * error / 20
    assert exponents.std() / error == pytest.approx(1, abs=0.15)
    assert np.mean([f.p_value for f in fits]) == pytest.approx(0.5, abs=0.07)
    assert fits[0](10.0) == pytest.approx(0.9 * 10**1.75, rel=0.05)


def test_corrections_show_in_chi2_and_go_with_l_min() -> None:
    y = SIZES**1.75 * (1 + 4 * SIZES**-2.0)
    errors = 0.002 * y
    everything, large = (fit_power_law(SIZES, y, errors, m) for m in (0, 16))
    assert everything.p_value < 1e-3 < large.p_value
    assert abs(large.exponent - 1.75) < abs(everything.exponent - 1.75) / 2
    assert (large.x_min, large.n_free) == (16, 1)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([8, 16], [1, -1], "y must be above 0"),
        ([8, 16], [1, np.nan], "y must be above 0"),
        ([8], [1], "2 points or more, not 1"),
    ],
)
def test_what_is_no_power_law_is_refused(x, y, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_power_law(x, y, np.ones(len(x)))


def ising_like(temperature: float = 2.27, seed: int = 0) -> SweepTable:
    """A table of exact powers of L with the exponents of the two-dimensional model, plus noise."""
    series = np.zeros(2)
    runs = [CanonicalRun(int(L), temperature, series, series + 0.5) for L in SIZES]
    blank = SweepTable.from_runs(runs, keep_series=False)
    values, errors = np.ones((4, 8)), np.ones((4, 8))
    for name, power, sign in (("m_abs", -0.125, 1), ("chi", 1.75, 1), ("dbinder_dT", 1, -1)):
        value, error = noisy(SIZES**power, 0.003, seed + len(name))
        values[:, QUANTITIES.index(name)] = sign * value
        errors[:, QUANTITIES.index(name)] = error
    return replace(blank, values=values, errors=errors)


def test_exponents_of_a_table() -> None:
    found = critical_exponents(ising_like(), 2.27)
    for (value, error), exact in (
        (found.beta_over_nu, 0.125),
        (found.gamma_over_nu, 1.75),
        (found.one_over_nu, 1.0),
        (found.hyperscaling, 2.0),
    ):
        assert 0 < error < 0.02
        assert abs(value - exact) < 4 * error


def test_exponents_by_smallest_size() -> None:
    found = exponents_by_smallest_size(ising_like(), 2.27)
    assert [f.order.x_min for f in found] == [8, 16, 32]
    assert found[0].order.error < found[-1].order.error


def test_a_temperature_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="samples were not kept"):
        critical_exponents(ising_like(), 2.3)
