"""What noise does to the mean where a drift is not straight."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.models.macro_model import MacroModel  # noqa: E402

from .linear_model import linear_model, only_steps  # noqa: E402

pytestmark = pytest.mark.learn
SITES, KELVIN = 1600.0, 2000.0
HOLD = "2000 K, hold 0.4 us"


def bent_model() -> MacroModel:
    """The drift of the first observable bends: a tanh of it is added."""
    model = linear_model()
    network = model.trained.members[0].drift.network
    first, last = (layer for layer in network if isinstance(layer, torch.nn.Linear))
    with torch.no_grad():
        first.weight[0, 0], first.bias[0], last.weight[0, 0] = 2.0, 0.8, -0.06
    return model


@pytest.fixture(scope="module")
def truth() -> tuple[float, float]:
    """Mean at rest of 400 long paths in scaled units, and its error."""
    model = bent_model()
    z0, condition = model.trained.scaling.z_mean, np.array([1000 / KELVIN])
    z = model.simulate(z0, condition, 1000, SITES, paths=400, seed=5).z[0, :, 200:, 0]
    each = z.mean(axis=1) / model.trained.scaling.z_scale[0]
    return float(each.mean()), float(each.std() / np.sqrt(len(each)))


def at_end(paths: int, seed: int = 0) -> float:
    model = bent_model()
    given = model.anneal(HOLD, model.trained.scaling.z_mean, SITES, paths=paths, seed=seed)
    return float(given.mean[-1, 0] / model.trained.scaling.z_scale[0])


@pytest.mark.slow
def test_pairs_of_paths_move_the_mean_to_where_many_rest(
    truth: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By steps and by jumps; without paths it rests seven errors away."""
    mean, error = truth
    assert abs(at_end(0) - mean) > 7 * error
    assert abs(at_end(20) - mean) < 3 * error + 0.15 * abs(at_end(0) - mean)
    only_steps(monkeypatch)
    stepped = np.array([at_end(100, seed) for seed in range(4)])
    own = stepped.std(ddof=1) / 2
    assert abs(stepped.mean() - mean) < 3 * np.hypot(error, own)
    assert abs(at_end(0) - stepped.mean()) > 5 * own


@pytest.mark.slow
def test_one_path_moves_no_mean_and_a_straight_drift_is_moved_by_none() -> None:
    assert at_end(1) == at_end(0)
    model = linear_model()
    z0 = model.trained.scaling.z_mean + 0.05
    ramp = "2800 K, 2e9 K/s to 1700 K"
    moved, still = (model.anneal(ramp, z0, SITES, paths=n).mean for n in (7, 0))
    np.testing.assert_allclose(moved, still, rtol=0, atol=1e-9)


def test_an_odd_path_out_is_as_the_others_are() -> None:
    model = bent_model()
    made = model.anneal("2800 K, 2e9 K/s to 1700 K", model.trained.scaling.z_mean, SITES, paths=5)
    assert made.paths.shape[:2] == (1, 5)
    assert len(np.unique(made.paths[0, :, -1, 0])) == 5
