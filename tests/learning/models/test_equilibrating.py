"""Equilibria of a linear model against its exact law, at several sizes."""

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.learning.models.equilibria import Equilibria

from .linear_model import KAPPA, NOISE, equilibrium, linear_model, step_s

pytestmark = pytest.mark.learn
START, HOT = np.array([1.15, 0.5]), np.array([1700.0, 2100.0, 2900.0])
PATCH = 100.0


def of_size(n: float, paths: int = 200, **options) -> Equilibria:
    return linear_model(**options).equilibrate(HOT, START, n_sites=n, paths=paths)


@pytest.mark.slow
@pytest.mark.parametrize("substeps", [1, 2])
def test_means_spreads_and_relaxation_are_exact_at_every_size(substeps: int) -> None:
    """The variance of equal steps is noise^2 / (2 kappa - kappa^2 per step) n_s / n.

    The negative control is the spread of another size.
    """
    for n in (1e4, 1e6):
        r = of_size(n, substeps=substeps)
        assert r.paths.shape == (1, 3200, 3, 2) and r.spread.shape == (3, 2)
        exact = np.sqrt(NOISE**2 / (2 * KAPPA - KAPPA**2 / substeps) * PATCH / n)
        np.testing.assert_allclose(r.mean, equilibrium(HOT), atol=0.15 * exact.max())
        np.testing.assert_allclose(r.spread, np.tile(exact, (3, 1)), rtol=0.06)
        assert np.abs(r.spread / (1.1 * exact) - 1).max() > 0.06
        rate = KAPPA if substeps > 1 else -np.log1p(-KAPPA)
        times = 1 / rate * step_s(HOT)[:, None]
        np.testing.assert_allclose(r.relaxation[0], times, rtol=5e-3)
    assert np.isnan(r.error).all() and np.isnan(r.relaxation[1]).all()


@pytest.mark.slow
def test_members_give_errors_that_are_wider_outside_of_training() -> None:
    m = linear_model(shifts=(0.0, 0.01))
    with pytest.warns(UserWarning, match="extrapolates: temperatures are 1300 to 2000") as told:
        r = m.equilibrate([1300.0, 2000.0], START, n_sites=1e6, paths=20)
    assert len(told) == 1 and r.outside[0] > 0 == r.outside[1]
    apart = 0.01 / np.sqrt(2)
    assert r.error[1, 0] == pytest.approx(apart, rel=0.05) and r.error[0, 0] > 1.05 * r.error[1, 0]
    half = np.diff(r.band_68, axis=0)[0] / 2
    assert half[0, 0] > half[1, 0]


def test_components_that_hardly_change_have_no_relaxation_time() -> None:
    """From where b already rests at 2100 K."""
    start = np.array([1.15, equilibrium(2100.0)[1] + 1e-4])
    value, _ = linear_model().equilibrate(2100.0, start, n_sites=1e5).relaxation
    assert np.isfinite(value[0, 0]) and np.isnan(value[0, 1])


@pytest.mark.slow
def test_what_follows_from_z_has_its_own_mean_spread_and_time() -> None:
    r = of_size(1e5, 50)
    own = r.of(lambda z: 3 - 2 * z[..., :1], ("x",))
    np.testing.assert_allclose(own.mean, 3 - 2 * r.mean[:, :1])
    np.testing.assert_allclose(own.spread, 2 * r.spread[:, :1])
    np.testing.assert_allclose(own.relaxation[0], r.relaxation[0][:, :1])


@pytest.mark.slow
def test_a_model_that_finds_no_rest_says_so() -> None:
    with pytest.warns(UserWarning) as told:
        r = linear_model(kappa=np.array([-0.05, 0.02])).equilibrate(2000.0, START, n_sites=1e5)
    assert any("finds no rest at 2000 K" in str(w.message) for w in told)
    assert np.isnan(r.mean).all() and np.isnan(r.relaxation[0]).all()


@pytest.mark.parametrize(
    ("temperatures", "options", "message"),
    [
        ([0.0], {}, "above 0 K"),
        ([], {}, "above 0 K"),
        ([2000.0], {"paths": 0}, "paths"),
        ([2000.0], {"paths": 10**9}, "GiB of memory"),
        ([2000.0], {"n_sites": -1}, "n_sites"),
    ],
)
def test_refusals(temperatures: list[float], options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        linear_model().equilibrate(temperatures, START, **({"n_sites": 1e4} | options))
