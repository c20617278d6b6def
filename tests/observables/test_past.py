"""The past of a state is its exponential average."""

import numpy as np
import pytest

from macro_ase.observables.past import Memory, past_of, unmoved


def test_the_past_is_the_average_with_exponential_weights() -> None:
    z, memory = np.random.default_rng(0).normal(size=(40, 2)), 5.0
    ages = np.arange(40)
    for t in (1, 7, 39):
        weights = np.exp(-ages[:t] / memory) * (1 - np.exp(-1 / memory))
        before = np.exp(-t / memory)
        expected = weights @ z[:t][::-1] + before * z[0]
        np.testing.assert_allclose(past_of(z, memory)[t], expected, rtol=1e-12)
        assert weights.sum() + before == pytest.approx(1)


def test_it_follows_a_step_as_its_law_says() -> None:
    z = np.ones((50, 1))
    z[0] = 0
    past = past_of(z, 8.0)[:, 0]
    np.testing.assert_allclose(past[1:], 1 - np.exp(-np.arange(49) / 8), atol=1e-12)


def test_states_begin_with_a_past_like_them() -> None:
    z = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(unmoved(z, True), np.hstack([z, z]))
    assert unmoved(z, False) is z
    np.testing.assert_array_equal(past_of(z, 3.0)[0], z[0])


def test_a_memory_is_the_line_through_what_is_given() -> None:
    x, theta = [0.3, 0.6, 1.0], [3.0, 9.0, 50.0]
    memory = Memory.through(x, theta)
    residual = np.log(theta) - np.log([memory(own) for own in x])
    np.testing.assert_allclose([residual.sum(), residual @ x], 0, atol=1e-12)
    assert (
        Memory.through(x, [7.0, 7.0, 7.0])(0.6) == 7.0 and Memory.through([1.0], [4.0])(9.0) == 4.0
    )
