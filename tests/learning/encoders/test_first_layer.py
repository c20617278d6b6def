"""The first layer: its Jacobian, its Gram matrix, rates, and how an encoder carries them on."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from macro_ase.learning.encoders.conditioned_encoder import ConditionedEncoder, Head  # noqa: E402
from macro_ase.learning.encoders.first_layer import FirstLayer  # noqa: E402
from macro_ase.learning.encoders.principal_components import PrincipalComponents  # noqa: E402
from macro_ase.observables.differentiable import LinearObservables, Observables  # noqa: E402

pytestmark = pytest.mark.learn
N = 12


class Square:
    """phi*(x) = |x|^2 / 2: an observable whose Jacobian depends on the state."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x**2).sum(axis=1, keepdims=True) / 2

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return x[:, None]


OBSERVABLES = [LinearObservables(np.full((1, N), 1 / N)), Square()]


def states(n: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, N)) * np.linspace(2, 0.5, N)


def layer(observables: Observables) -> FirstLayer:
    return FirstLayer(observables, PrincipalComponents.fit(states(50, 1), 3))


@pytest.mark.parametrize("observables", OBSERVABLES, ids=["linear", "square"])
def test_jacobian_gram_and_rates(observables: Observables) -> None:
    first, x, h = layer(observables), states(), 1e-6
    f = states(seed=2)
    jacobian = first.jacobian(x)
    slope = (first.encode(x + h * f) - first.encode(x - h * f)) / (2 * h)
    along = (jacobian @ f[..., None])[..., 0]
    np.testing.assert_allclose(along, slope, atol=1e-8)
    np.testing.assert_allclose(first.rates(x, f), along, atol=1e-12)
    np.testing.assert_allclose(first.gram(x), jacobian @ jacobian.transpose(0, 2, 1), atol=1e-12)
    own = np.array([[k, N - 1 - k] for k in range(5)])
    each = np.stack([jacobian[k][:, own[k]] for k in range(5)])
    np.testing.assert_allclose(first.jacobian(x, own), each)
    np.testing.assert_allclose(first.jacobian(x, np.array([4, 1])), jacobian[:, :, [4, 1]])


@pytest.mark.parametrize("observables", OBSERVABLES, ids=["linear", "square"])
def test_an_encoder_carries_rates_to_its_variables(observables: Observables) -> None:
    torch.manual_seed(0)
    first, x, f = layer(observables), states(), states(seed=2)
    encoder = ConditionedEncoder(observables, first.components, Head(3, 2, (5,)))
    z, rates = encoder.carry(first.encode(x), first.rates(x, f))
    np.testing.assert_allclose(z, encoder.encode(x))
    np.testing.assert_allclose(rates, (encoder.jacobian(x) @ f[..., None])[..., 0], atol=1e-12)
    np.testing.assert_array_equal(rates, encoder.rates(x, f))
