"""Order of the integration, and the error of paths by hand."""

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.learning.models.paths import rollout, trajectory_errors

pytestmark = pytest.mark.learn


def pendulum(z: np.ndarray) -> np.ndarray:
    return np.stack([z[:, 1], -np.sin(z[:, 0])], axis=1)


def test_the_method_is_of_order_four() -> None:
    z0, times = np.array([[1.0, 0.0], [0.3, 0.5]]), [0.0, 4.0]
    exact = rollout(pendulum, z0, times, 1e-3)[:, -1]
    errors = [
        np.abs(rollout(pendulum, z0, times, h)[:, -1] - exact).max() for h in (0.2, 0.1, 0.05)
    ]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 4, atol=0.3)


def test_steps_lead_to_every_time() -> None:
    z0, times = np.array([[2.0]]), np.array([0.0, 0.35, 1.0])
    path = rollout(lambda z: -z, z0, times, 0.01)
    assert path.shape == (1, 3, 1)
    np.testing.assert_allclose(path[0, :, 0], 2 * np.exp(-times), rtol=1e-9)


def test_errors_by_hand() -> None:
    true = np.array([[[3.0, 4.0], [6.0, 8.0]], [[1.0, 0.0], [0.0, 1.0]]])
    predicted = true + np.array([[[0.0, 0.3], [0.4, 0.0]], [[0.0, 0.0], [0.0, 0.1]]])
    np.testing.assert_allclose(trajectory_errors(predicted, true), [0.7 / 15, 0.1 / 2])


def test_refusals() -> None:
    with pytest.raises(ValueError, match="ascending"):
        rollout(pendulum, np.zeros((1, 2)), [0.0, 0.0], 0.1)
    with pytest.raises(ValueError, match="longest_step must be above 0"):
        rollout(pendulum, np.zeros((1, 2)), [0.0, 1.0], 0.0)
    with pytest.raises(ValueError, match="do not compare"):
        trajectory_errors(np.zeros((1, 2, 1)), np.zeros((1, 3, 1)))
    with pytest.raises(ValueError, match="zero throughout"):
        trajectory_errors(np.zeros((1, 2, 1)), np.zeros((1, 2, 1)))


def test_paths_that_diverge_say_so() -> None:
    """dz/dt = z^2 from 1 ends at t = 1; from -1 it goes on."""
    z0, times = np.array([[1.0], [-1.0]]), np.linspace(0, 3, 31)
    with pytest.warns(UserWarning, match=r"1 of 2 paths diverged, the first by time 1\.\d"):
        path = rollout(lambda z: z**2, z0, times, 0.05)
    np.testing.assert_allclose(path[1, :, 0], -1 / (1 + times), rtol=1e-5)
    with pytest.raises(ValueError, match=r"z0 is not finite, at index \[0, 0\]: nan"):
        rollout(pendulum, np.array([[np.nan, 0.0]]), [0.0, 1.0], 0.1)
