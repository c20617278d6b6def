"""Data collapse from synthetic curves whose exponents are known."""

import numpy as np
import pytest

from macro_ase.analysis.collapse import Curves, collapse_residuals, fit_collapse

TRUTH = {"critical_temperature": 2.27, "one_over_nu": 1.0, "ratio": 1.75}
START = {"critical_temperature": 2.25, "one_over_nu": 1.2, "ratio": 1.5}


def synthetic(seed: int = 0, relative: float = 0.01) -> Curves:
    """Points of f(x) = 1 / (1 + (x - 1)^2 / 4), three sizes, |x| <= 2."""
    rng = np.random.default_rng(seed)
    size = np.repeat([8.0, 16.0, 32.0], 15)
    x = np.tile(np.linspace(-2, 2, 15), 3)
    y = size**1.75 / (1 + (x - 1) ** 2 / 4)
    return Curves(size, 2.27 + x / size, y * (1 + relative * rng.normal(size=45)), relative * y)


def test_the_parameters_are_found_within_their_errors() -> None:
    found = fit_collapse(synthetic(), START)
    for name, truth in TRUTH.items():
        assert abs(getattr(found, name) - truth) < 4 * found.errors[name], name
    assert found.quality == pytest.approx(1, abs=0.7)
    assert found.n_free == 45 - 3 - 7


@pytest.mark.slow
def test_errors_are_calibrated() -> None:
    found = [fit_collapse(synthetic(seed), START) for seed in range(100)]
    for name, truth in TRUTH.items():
        values = np.array([getattr(f, name) for f in found])
        errors = np.array([f.errors[name] for f in found])
        assert values.std() / np.sqrt((errors**2).mean()) == pytest.approx(1, abs=0.25), name
        assert abs(values.mean() - truth) < 4 * errors.mean() / 10


@pytest.mark.parametrize(
    "wrong", [{"critical_temperature": 2.29}, {"one_over_nu": 0.8}, {"ratio": 1.6}]
)
def test_negative_control_wrong_parameters_do_not_collapse(wrong: dict[str, float]) -> None:
    curves = synthetic()
    best = (collapse_residuals(curves, [2.27, 1.0, 1.75], 6) ** 2).sum()
    trial = list((TRUTH | wrong).values())
    assert (collapse_residuals(curves, trial, 6) ** 2).sum() > 3 * best
    assert fit_collapse(curves, START, given=wrong).chi2 > 1.5 * best


def test_given_parameters_stay() -> None:
    found = fit_collapse(synthetic(), START, given={"critical_temperature": 2.27, "ratio": 1.75})
    assert found.parameters[::2] == (2.27, 1.75)
    assert found.errors["ratio"] == 0 < found.errors["one_over_nu"]
    assert found.one_over_nu == pytest.approx(1, abs=4 * found.errors["one_over_nu"])


def test_a_cumulant_collapses_with_ratio_0() -> None:
    size = np.repeat([8.0, 16.0], 9)
    temperature = 2.27 + np.tile(np.linspace(-2, 2, 9), 2) / size
    value = 0.6 - 0.2 * np.tanh((temperature - 2.27) * size / 3)
    curves = Curves(size, temperature, value, np.full(18, 1e-3))
    found = fit_collapse(curves, START, given={"ratio": 0.0}, degree=5)
    assert found.critical_temperature == pytest.approx(2.27, abs=1e-3)
    assert found.chi2 < 1


def test_bad_requests_are_refused() -> None:
    curves = synthetic()
    with pytest.raises(ValueError, match="must hold critical_temperature, one_over_nu, ratio"):
        fit_collapse(curves, {"ratio": 1.0})
    one = Curves(*[getattr(curves, n)[:15] for n in ("size", "temperature", "value", "error")])
    with pytest.raises(ValueError, match="2 sizes"):
        fit_collapse(one, START)
