"""Polynomials in composition and 1 / T: exact where they hold, with errors that hold."""

import numpy as np

from macro_ase.analysis.composition_surface import CompositionSurface

GRID = np.array([(i, j, 4 - i - j) for i in range(5) for j in range(5 - i)]) / 4
CONDITIONS = np.array([[x, *c[:2]] for c in GRID for x in (0.4, 0.6)])
ASKED = np.array([[0.5, 0.3, 0.3], [0.55, 0.1, 0.8]])


def value(conditions: np.ndarray) -> np.ndarray:
    """Of second order in composition, of first order in 1 / T."""
    x, a, b = conditions.T
    return np.stack([1 + a * b - 2 * a**2 + x * (b - a * b), x * a], axis=1)


def test_what_is_of_its_form_is_met_exactly() -> None:
    fit = CompositionSurface.fit(CONDITIONS, value(CONDITIONS))
    np.testing.assert_allclose(fit(ASKED), value(ASKED), atol=1e-12)
    assert fit.residual.max() < 1e-12


def test_few_compositions_give_planes_and_one_temperature_no_slope() -> None:
    few = CONDITIONS[np.isin(np.arange(len(CONDITIONS)), np.arange(0, 12, 2))]
    fit = CompositionSurface.fit(few, few[:, 1:] @ np.array([[1.0], [2.0]]))
    assert fit.coefficients.shape == (3, 1)
    np.testing.assert_allclose(fit(np.array([[9.0, 0.2, 0.3]])), [[0.8]], atol=1e-12)
    bent = CompositionSurface.fit(few, value(few))
    assert np.abs(bent(ASKED) - value(ASKED)).max() > 0.05  # a plane does not bend


def test_errors_hold() -> None:
    rng, inside = np.random.default_rng(0), []
    for _ in range(300):
        noisy = value(CONDITIONS) + rng.normal(0, 0.1, (len(CONDITIONS), 2))
        fit = CompositionSurface.fit(CONDITIONS, noisy)
        inside.append(np.abs(fit(ASKED) - value(ASKED)) < fit.error(ASKED))
    assert 0.60 < np.mean(inside) < 0.73  # .65 of Student's t with 18 degrees
