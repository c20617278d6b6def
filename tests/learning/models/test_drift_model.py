"""Drift of a known linear system from all forces and from some; what is saved; refusals."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.force_batch import ForceBatch  # noqa: E402
from macro_ase.learning.force_losses import loss_x, loss_x_partial, loss_z  # noqa: E402
from macro_ase.learning.models.drift_model import DriftModel, linear_drift, train_drift  # noqa: E402
from macro_ase.learning.options import DRIFTS, DriftOptions  # noqa: E402

pytestmark = pytest.mark.learn
N, D, K = 20, 2, 4


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def linear_system(n: int, partial: bool, seed: int = 0) -> tuple[ForceBatch, np.ndarray]:
    """x' = A x seen through z = P x with P A = L P: then dz/dt = L z exactly; also gives L."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(N, N)))[0]
    slow, rates = basis[:D] * [[0.5], [2.0]], np.array([[-0.3, 1.0], [-0.8, -0.1]])
    inside = np.linalg.pinv(slow) @ rates @ slow
    rest = np.eye(N) - np.linalg.pinv(slow) @ slow
    x = rng.normal(size=(n, N))
    forces, gram = x @ (inside - 0.7 * rest).T, np.broadcast_to(slow @ slow.T, (n, D, D))
    jacobian = np.broadcast_to(slow, (n, D, N))
    if partial:
        columns = np.argsort(rng.random((n, N)), axis=1)[:, :K]
        forces = np.take_along_axis(forces, columns, axis=1)
        jacobian = np.take_along_axis(jacobian, columns[:, None], axis=2)
    return ForceBatch.of(x @ slow.T, gram, jacobian, forces, K / N if partial else 1.0), rates


def least_squares(z0: np.ndarray, metric: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """The normal equations of g = [z, 1] B, one configuration at a time."""
    x = np.column_stack([z0, np.ones(len(z0))])
    d = z0.shape[1]
    matrix, right = np.zeros((d * (d + 1),) * 2), np.zeros(d * (d + 1))
    for row, m, b in zip(x, metric, linear):
        matrix += np.kron(np.outer(row, row), m)
        right += np.kron(row, b)
    return np.linalg.solve(matrix, right).reshape(d + 1, d)


@pytest.mark.parametrize("loss", [loss_z, loss_x])
def test_all_forces_give_the_linear_law_exactly(loss: object) -> None:
    batch, rates = linear_system(40, partial=False)
    slope, intercept = linear_drift(batch.z0, loss(batch))  # type: ignore[operator]
    np.testing.assert_allclose(slope.T, rates, atol=1e-10)
    np.testing.assert_allclose(intercept, 0, atol=1e-10)


@pytest.mark.slow
def test_some_forces_give_the_closed_form_least_squares() -> None:
    batch, rates = linear_system(4000, partial=True)
    loss = loss_x_partial(batch)
    expected = least_squares(batch.z0, loss.metric, loss.linear)
    slope, intercept = linear_drift(batch.z0, loss)
    np.testing.assert_allclose(np.vstack([slope, intercept]), expected, atol=1e-10)
    np.testing.assert_allclose(slope.T, rates, atol=0.1)
    options = DriftOptions("network", width=1, depth=1, steps=0, polish=200)
    flat = train_drift(batch.z0, np.zeros((4000, 0)), loss, options, np.random.SeedSequence(0))
    x = np.column_stack([batch.z0, np.ones(4000)])
    misfit = flat(batch.z0) - x @ expected
    assert np.sqrt((misfit**2).mean()) < 0.1
    assert loss(flat(batch.z0)).mean() <= loss(x @ expected).mean()


def swirl(z: np.ndarray) -> np.ndarray:
    return np.stack([z[:, 1] - z[:, 0] ** 3, -z[:, 0] - 0.5 * np.sin(z[:, 1])], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRIFTS)
def test_a_nonlinear_drift_is_learned_and_saved(kind: str, tmp_path: Path) -> None:
    """By a potential alone and a matrix that does not bend, but for .08; a line is further off."""
    rng = np.random.default_rng(2)
    z = rng.uniform(-1, 1, (400, 2)) * [1.0, 2.0]
    one = np.broadcast_to(np.eye(2), (400, 2, 2))
    batch = ForceBatch.of(z, one, one, swirl(z), 1.0)
    options = DriftOptions(kind, width=12, depth=2, members=2, steps=100, batch_size=64, polish=150)
    model = train_drift(z, batch.condition, loss_z(batch), options, np.random.SeedSequence(1))
    test = rng.uniform(-0.9, 0.9, (200, 2)) * [1.0, 2.0]
    miss = np.sqrt(((model(test) - swirl(test)) ** 2).mean())
    assert miss < (0.08 if kind == "potential" else 0.03)
    line = np.linalg.lstsq(test, swirl(test), rcond=None)[0]
    assert np.sqrt(((test @ line - swirl(test)) ** 2).mean()) > 0.085
    model.save(tmp_path)
    again = DriftModel.load(tmp_path)
    np.testing.assert_array_equal(again(test), model(test))
    assert again.options == model.options


def test_the_same_seed_gives_the_same_drift() -> None:
    batch, _ = linear_system(60, partial=True)
    options = DriftOptions("network", width=4, steps=5, batch_size=16, polish=3)

    def drift(seed: int) -> np.ndarray:
        own = np.random.SeedSequence(seed)
        return train_drift(batch.z0, batch.condition, loss_x_partial(batch), options, own)(batch.z0)

    np.testing.assert_array_equal(drift(0), drift(0))
    assert np.abs(drift(0) - drift(1)).max() > 1e-3 * np.abs(drift(0)).max()


def test_refusals(tmp_path: Path) -> None:
    batch, _ = linear_system(2, partial=False)
    with pytest.raises(ValueError, match="too few, or too alike"):
        linear_drift(batch.z0, loss_z(batch))
    batch, _ = linear_system(30, partial=False)
    with pytest.raises(ValueError, match="drift must be one of"):
        own = np.random.SeedSequence(0)
        train_drift(batch.z0, batch.condition, loss_z(batch), DriftOptions("spline"), own)
    (tmp_path / "drift.json").write_text("{}")
    with pytest.raises(FileNotFoundError):
        DriftModel.load(tmp_path)
    (tmp_path / "drift.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no complete drift"):
        DriftModel.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": 0}, "members must be 1 to 1000000, not 0"),
        ({"steps": -1}, "steps must be 0 to 1000000, not -1"),
        ({"width": 2.5}, "width must be a whole number, not 2.5"),
        ({"learning_rate": -1.0}, "learning_rate must be a number above 0"),
    ],
)
def test_options_beyond_their_limits_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DriftOptions(**change)  # type: ignore[arg-type]


def test_arrays_of_other_shapes_are_refused() -> None:
    batch, _ = linear_system(60, partial=True)
    loss, options = loss_x_partial(batch), DriftOptions(steps=0, polish=0, width=2)
    own = np.random.SeedSequence(0)
    for z0, condition, message in (
        (batch.z0[:40], batch.condition[:40], r"the loss's metric must have shape \(40, 2, 2\)"),
        (batch.z0, np.zeros(40), r"condition must have shape \(60, any\), not \(40, 1\)"),
        (batch.z0 * [1.0, 0.0], batch.condition, "observable 1 .* does not vary"),
        (np.where(batch.z0 > 2, np.nan, batch.z0), batch.condition, "z0 is not finite"),
    ):
        with pytest.raises(ValueError, match=message):
            train_drift(z0, condition, loss, options, own)


def test_a_drift_that_depends_on_a_condition_asks_for_it() -> None:
    """One condition for all states is that of each; none at all is refused."""
    batch, _ = linear_system(60, partial=False)
    condition = np.linspace(1, 2, 60)[:, None]
    options = DriftOptions(steps=20, polish=0, width=4, depth=1)
    model = train_drift(batch.z0, condition, loss_z(batch), options, np.random.SeedSequence(0))
    same = model(batch.z0, np.full((60, 1), 1.5))
    np.testing.assert_array_equal(model(batch.z0, np.array([1.5])), same)
    assert np.abs(model(batch.z0, np.array([0.0])) - same).max() > 0.01
    with pytest.raises(ValueError, match=r"\(n, 2\) and \(n, 1\), not \(60, 2\) and \(0,\)"):
        model(batch.z0)
    with pytest.raises(ValueError, match=r"\(n, 2\) and \(n, 1\), not \(60, 1\)"):
        model(batch.z0[:, :1], condition)


def test_damaged_drifts_are_one_line(tmp_path: Path) -> None:
    batch, _ = linear_system(60, partial=False)
    options = DriftOptions(steps=0, polish=0, width=2, depth=1)
    own = np.random.SeedSequence(0)
    train_drift(batch.z0, batch.condition, loss_z(batch), options, own).save(tmp_path)
    text = (tmp_path / "model.json").read_text()
    for damaged in (
        text.replace('"width": 2', '"width": 3'),
        text.replace('"members": 1', '"members": 2'),
        text.replace('"rate"', '"speed"'),
        text.replace("macro_ase model", "macro_ase map"),
        text[:80],
        "[]",
    ):
        (tmp_path / "model.json").write_text(damaged)
        with pytest.raises(ValueError, match=f"^{tmp_path} holds no complete drift: .") as found:
            DriftModel.load(tmp_path)
        assert "\n" not in str(found.value)
