"""The encoder against automatic differentiation, and its training on curves in many dimensions."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.encoders.conditioned_autoencoder import (  # noqa: E402
    AutoencoderOptions,
    train_autoencoder,
)
from macro_ase.learning.encoders.conditioned_encoder import ConditionedEncoder, Head  # noqa: E402
from macro_ase.learning.encoders.principal_components import PrincipalComponents  # noqa: E402
from macro_ase.observables.differentiable import LinearObservables  # noqa: E402

pytestmark = pytest.mark.learn
N = 24


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def states(n: int, seed: int = 0) -> np.ndarray:
    """Waves whose amplitude and phase vary: two numbers describe each."""
    rng = np.random.default_rng(seed)
    amplitude, phase = rng.uniform(0.5, 1.5, n), rng.uniform(0, 1.5, n)
    x = np.linspace(0, np.pi, N)
    return amplitude[:, None] * np.sin(x + phase[:, None]) + 0.1 * np.sin(5 * x) * phase[:, None]


class EnergyLike:
    """phi*(x) = sum of x^4 / 4: an observable whose Jacobian depends on the state."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x**4).sum(axis=1, keepdims=True) / 4

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return (x**3)[:, None]


OBSERVABLES = [LinearObservables(np.stack([np.full(N, 1 / N), np.arange(N) / N])), EnergyLike()]


def encoder(observables: object) -> ConditionedEncoder:
    torch.manual_seed(3)
    components = PrincipalComponents.fit(states(200), 3)
    return ConditionedEncoder(observables, components, Head(3, 2, (7, 5)))  # type: ignore[arg-type]


def phi(model: ConditionedEncoder, x: torch.Tensor) -> torch.Tensor:
    """The encoder once more, for one state, for automatic differentiation."""
    parts, given = model.components, model.observables
    if isinstance(given, LinearObservables):
        own = torch.as_tensor(given.rows) @ x
    else:
        own = (x**4).sum()[None] / 4
    s = (
        torch.as_tensor(parts.directions)
        @ (x - torch.as_tensor(parts.mean))
        / torch.as_tensor(parts.scale)
    )
    return torch.cat([own, model.head(s[None])[0]])


@pytest.mark.parametrize("observables", OBSERVABLES, ids=["linear", "energy"])
def test_jacobian_and_pseudo_inverse_against_automatic_differentiation(observables: object) -> None:
    model, x = encoder(observables), states(6, seed=1)
    exact = torch.func.vmap(torch.func.jacrev(lambda y: phi(model, y)))(torch.as_tensor(x))
    exact = exact.detach().numpy()
    jacobian, gram = model.jacobian(x), model.gram(x)
    np.testing.assert_allclose(jacobian, exact, atol=1e-10)
    np.testing.assert_allclose(gram, exact @ exact.transpose(0, 2, 1), atol=1e-10)
    pseudo = jacobian.transpose(0, 2, 1) @ np.linalg.inv(gram)
    np.testing.assert_allclose(pseudo, np.linalg.pinv(exact), atol=1e-6)
    with torch.no_grad():
        z = torch.stack([phi(model, torch.as_tensor(y)) for y in x])
    np.testing.assert_allclose(model.encode(x), z, atol=1e-12)


@pytest.mark.parametrize("observables", OBSERVABLES, ids=["linear", "energy"])
def test_columns_of_chosen_particles(observables: object) -> None:
    model, x = encoder(observables), states(5)
    whole = model.jacobian(x)
    same = np.array([3, 0, 17])
    np.testing.assert_allclose(model.jacobian(x, same), whole[:, :, same], atol=1e-14)
    own = np.array([[k, N - 1 - k] for k in range(5)])
    each = np.stack([whole[k][:, own[k]] for k in range(5)])
    np.testing.assert_allclose(model.jacobian(x, own), each, atol=1e-14)


def test_principal_components_are_orthonormal_and_hold_the_states() -> None:
    x = states(300)
    components = PrincipalComponents.fit(x, 10)
    w = components.directions
    np.testing.assert_allclose(w @ w.T, np.eye(len(w)), atol=1e-12)
    np.testing.assert_allclose(components(x) @ w + components.mean, x, atol=1e-6)
    assert len(w) == 3 and components.left_out < 1e-12
    few = PrincipalComponents.fit(x, 1)
    left = ((x - x.mean(axis=0)) ** 2).sum() - (few(x) ** 2).sum()
    assert few.left_out == pytest.approx(left / ((x - x.mean(axis=0)) ** 2).sum(), rel=1e-6)
    with pytest.raises(ValueError, match="states that differ"):
        PrincipalComponents.fit(np.ones((4, 3)), 2)
    with pytest.raises(ValueError, match="at least two"):
        PrincipalComponents.fit(np.ones((1, 3)), 2)


@pytest.mark.slow
def test_training_rebuilds_and_conditions(tmp_path: Path) -> None:
    kappa, left = {}, {}
    for weight in (0.0, 1e-2):
        options = AutoencoderOptions(3, 1.0, 1, (16,), weight, steps=200, batch_size=128)
        linear = LinearObservables(np.full((1, N), 1 / N))
        model, training = train_autoencoder(
            states(1000), linear, options, np.random.SeedSequence(0)
        )
        left[weight], kappa[weight] = training.history[-1]
    assert left[0.0] < 0.01 and left[1e-2] < 0.02
    assert kappa[1e-2] < 0.3 * kappa[0.0]
    measured = np.linalg.cond(model.gram(states(50))).mean()
    assert measured == pytest.approx(kappa[1e-2], rel=0.3)
    model.save(tmp_path)
    again = ConditionedEncoder.load(tmp_path, linear)
    np.testing.assert_array_equal(again.encode(states(9)), model.encode(states(9)))
    np.testing.assert_array_equal(again.jacobian(states(9)), model.jacobian(states(9)))


def test_a_damaged_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ConditionedEncoder.load(tmp_path, OBSERVABLES[0])  # type: ignore[arg-type]
    (tmp_path / "encoder.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no complete encoder"):
        ConditionedEncoder.load(tmp_path, OBSERVABLES[0])  # type: ignore[arg-type]
