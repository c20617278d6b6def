"""Increments less the drift of each patch's own order: what is left is the noise of the whole."""

import numpy as np
import pytest

from macro_ase.arrays import Array
from macro_ase.config import load_config
from macro_ase.studies.alloys.design import Design
from macro_ase.studies.alloys.own_order import less_own_drift, without_own_order
from macro_ase.systems.alloy_swap import SwapAlloy
from macro_ase.systems.patch_order import patch_order

STEP, N, K = 0.5, 4000, 8
SMALL = (
    "system.small_size=[4, 4, 4]",
    "system.patch_size=[2, 2, 2]",
    "system.large_size=[4, 4, 4]",
)


@pytest.fixture(scope="module")
def relaxing() -> tuple[Array, Array]:
    """Own order less its mean, and K times the change of the whole: patches forget as exp(-t)."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=(N, K, 2))
    dz = np.expm1(-STEP) * w + np.sqrt(-np.expm1(-2 * STEP)) * rng.normal(size=w.shape)
    return (w - w.mean(axis=1, keepdims=True)).reshape(-1, 2), dz.reshape(-1, 2)


def residual_variance(dz: Array, z: Array) -> float:
    """What a line in z leaves."""
    return float(
        np.mean([np.var(y - np.polyval(np.polyfit(x, y, 1), x)) for x, y in zip(z.T, dz.T)])
    )


def test_the_noise_is_that_of_the_whole_and_the_mean_stays(relaxing: tuple[Array, Array]) -> None:
    own, dz = relaxing
    snapshot = np.repeat(np.arange(N), K)
    less = less_own_drift(dz, own, snapshot)
    np.testing.assert_allclose(
        less.reshape(N, K, 2).mean(1), dz.reshape(N, K, 2).mean(1), atol=1e-12
    )
    z = np.repeat(np.random.default_rng(0).normal(size=(N, K, 2)).mean(axis=1), K, axis=0)
    whole = -np.expm1(-2 * STEP)
    share = (1 + np.exp(-STEP)) / 2
    assert residual_variance(less, z) == pytest.approx(whole, rel=0.03)
    assert residual_variance(dz, z) == pytest.approx(
        whole / share * (1 + (share - 1) / K), rel=0.05
    )
    assert residual_variance(dz, z) > 1.1 * residual_variance(less, z)


def test_of_few_pairs_nothing_is_taken_away(relaxing: tuple[Array, Array]) -> None:
    own, dz = (x[: 5 * K] for x in relaxing)
    assert less_own_drift(dz, own, np.repeat(np.arange(5), K)) is dz


def test_the_mean_of_the_orders_of_patches_is_that_of_the_crystal() -> None:
    alloy = Design.of(load_config("swap", False, SMALL, workers=1)).sampled
    assert isinstance(alloy, SwapAlloy)
    state = np.random.default_rng(0).permutation(alloy.large_state)
    orders = patch_order(alloy, state)
    assert orders.shape == (K, len(alloy.names)) and orders.std(axis=0).min() > 0
    np.testing.assert_allclose(orders.mean(axis=0), alloy.observe(state[None])[0])


def test_vacancies_and_grown_states_have_no_patches_with_an_order() -> None:
    design = Design.of(load_config("nbmota-swap", True, workers=1))
    dz = np.ones((3, 6))
    assert without_own_order(design, [], {"dz": dz}) is dz
