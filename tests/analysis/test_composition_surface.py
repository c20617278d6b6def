"""Gaussian processes over composition and 1 / T: planes exactly, bends nearly, errors that hold."""

import numpy as np
import pytest

from macro_ase.analysis.composition_surface import CompositionSurface

GRID = np.array([(i, j, 6 - i - j) for i in range(7) for j in range(7 - i)]) / 6
CONDITIONS = np.array([[x, *c[:2]] for c in GRID for x in (0.4, 0.6)])
ASKED = np.array([[0.5, 0.3, 0.3], [0.55, 0.1, 0.8], [0.6, 0.0, 0.42], [0.4, 0.55, 0.1]])


def plane(conditions: np.ndarray) -> np.ndarray:
    x, a, b = conditions.T
    return np.stack([1 + 2 * a - b + x, x * 0 + 3], axis=1)


def bent(conditions: np.ndarray) -> np.ndarray:
    """What no polynomial of second order meets."""
    x, a, b = conditions.T
    return np.stack([np.sin(4 * a) * x, np.exp(-3 * b) + a * b], axis=1)


def test_planes_are_met_however_few_the_compositions() -> None:
    few = CONDITIONS[[0, 1, 12, 13, 26, 27]]
    fit = CompositionSurface.fit(few, plane(few))
    np.testing.assert_allclose(fit(ASKED), plane(ASKED), atol=1e-3)
    one = few[few[:, 0] == 0.4]
    same = CompositionSurface.fit(one, plane(one))
    np.testing.assert_allclose(same(ASKED), same(ASKED - [[0.1, 0, 0]]), atol=1e-9)


@pytest.mark.slow
def test_bends_are_met_where_a_plane_fails() -> None:
    fit = CompositionSurface.fit(CONDITIONS, bent(CONDITIONS))
    assert np.abs(fit(ASKED) - bent(ASKED)).max() < 5e-3
    columns = np.column_stack([np.ones(len(CONDITIONS)), CONDITIONS])
    flat = np.linalg.lstsq(columns, bent(CONDITIONS), rcond=None)[0]
    assert np.abs(np.column_stack([np.ones(len(ASKED)), ASKED]) @ flat - bent(ASKED)).max() > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False])
def test_errors_hold_whether_noise_is_known_or_found(known: bool) -> None:
    rng, inside, found = np.random.default_rng(0), [], []
    sigma = 0.02 * (1 + 4 * CONDITIONS[:, 1:2]) if known else np.full((len(CONDITIONS), 1), 0.04)
    for _ in range(12):
        noisy = bent(CONDITIONS) + rng.normal(0, 1, (len(CONDITIONS), 2)) * sigma
        fit = CompositionSurface.fit(CONDITIONS, noisy, sigma if known else 0.0)
        inside.append(np.abs(fit(ASKED) - bent(ASKED)) < fit.error(ASKED))
        found.append(fit.parameters[:, 3])
    assert 0.5 < np.mean(inside) < 0.85  # 96 numbers, .68 within .05
    assert np.mean(found) < 0.012 if known else 0.03 < np.mean(found) < 0.05


def test_errors_grow_away_from_what_is_known() -> None:
    near = CONDITIONS[CONDITIONS[:, 1] < 0.5]
    fit = CompositionSurface.fit(near, bent(near), 0.01)
    known, far = fit.error(near[:1]), fit.error(np.array([[0.5, 0.95, 0.02]]))
    assert np.all(far > 3 * known)


@pytest.mark.parametrize("absent", [0, 2])
def test_a_species_may_be_absent_everywhere(absent: int) -> None:
    """Barriers know species that no composition has: the plane has no direction of theirs."""
    two = np.linspace(0.1, 0.9, 9)
    fractions = np.insert(np.column_stack([two, 1 - two]), absent, 0.0, axis=1)
    rows = np.column_stack([np.full(9, 0.5), fractions[:, :2]])
    fit = CompositionSurface.fit(rows, two[:, None] * 2 + 1)
    np.testing.assert_allclose(fit(rows[:1]), [[1.2]], atol=1e-3)


def test_constants_are_met_with_their_error() -> None:
    fit = CompositionSurface.fit(CONDITIONS, np.full((len(CONDITIONS), 1), 0.1), 0.01)
    np.testing.assert_allclose(fit(ASKED), 0.1, atol=1e-6)
    assert np.all(fit.error(ASKED) > 1e-3)


def test_what_is_no_number_is_refused() -> None:
    for place in range(3):
        given = [CONDITIONS, bent(CONDITIONS), np.full((len(CONDITIONS), 2), 0.01)]
        given[place] = given[place] * np.where(np.arange(len(CONDITIONS)) == 5, np.nan, 1)[:, None]
        with pytest.raises(ValueError, match="must not contain infs or NaNs"):
            CompositionSurface.fit(*given)
    fit = CompositionSurface.fit(CONDITIONS, bent(CONDITIONS), 0.01)
    for ask in (fit, fit.error):
        with pytest.raises(ValueError, match="must not contain infs or NaNs"):
            ask(np.full_like(ASKED, np.nan))
