"""What the likelihood sees: rows and scales. Needs no PyTorch."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from macro_ase.learning.pairs import PairBatch, Scaling
from macro_ase.systems.base import PatchPairs

pytestmark = pytest.mark.learn


def batch(n: int = 500) -> PairBatch:
    rng = np.random.default_rng(0)
    condition = np.column_stack([rng.choice([0.4, 0.5], n), np.full(n, 1 / 3)])
    return PairBatch(
        z0=rng.normal([1.0, 100.0], [0.1, 5.0], (n, 2)),
        dz=rng.normal(size=(n, 2)),
        condition=condition,
        snapshot=np.arange(n) // 5,
    )


def test_take_by_mask_and_by_number() -> None:
    pairs = batch()
    mask = pairs.snapshot == 7
    by_mask, by_number = pairs.take(mask), pairs.take(np.flatnonzero(mask))
    assert len(pairs) == 500 and len(by_mask) == 5
    for name in ("z0", "dz", "condition", "snapshot"):
        np.testing.assert_array_equal(getattr(by_mask, name), getattr(by_number, name))
        np.testing.assert_array_equal(getattr(by_mask, name), getattr(pairs, name)[35:40])


def test_scaled_observables_have_unit_spread() -> None:
    pairs = batch()
    scaling = Scaling.of(pairs)
    y = scaling.z(pairs.z0)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(y * scaling.z_scale + scaling.z_mean, pairs.z0, atol=1e-12)


def test_conditions_that_do_not_vary_are_dropped() -> None:
    pairs = batch()
    scaling = Scaling.of(pairs)
    assert scaling.n_conditions == 1
    c = scaling.condition(pairs.condition)
    assert c.shape == (500, 1)
    np.testing.assert_allclose([c.mean(), c.std()], [0, 1], atol=1e-12)
    assert scaling.condition(pairs.condition[0]).shape == (1,)


def test_no_condition_varies() -> None:
    pairs = batch()
    still = PairBatch(pairs.z0, pairs.dz, np.full((500, 3), 0.5), pairs.snapshot)
    scaling = Scaling.of(still)
    assert scaling.n_conditions == 0 and scaling.condition(still.condition).shape == (500, 0)


def changed(array: np.ndarray, value: float) -> np.ndarray:
    other = array.copy()
    other.flat[3] = value
    return other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dz": np.zeros((400, 2))}, r"dz must have shape \(500, 2\), not \(400, 2\)"),
        ({"dz": np.zeros(500)}, r"dz must have shape \(500, 2\), not \(500, 1\)"),
        ({"mean": np.zeros((500, 1))}, r"mean must have shape \(500, 2\)"),
        ({"condition": np.zeros((3, 1))}, r"condition must have shape \(500, any\)"),
        ({"condition": np.zeros(3)}, r"condition must have shape \(500, any\), not \(3, 1\)"),
        ({"snapshot": np.zeros(499)}, r"snapshot must have shape \(500,\)"),
        ({"snapshot": np.full(500, 0.5)}, "snapshot must hold whole numbers"),
        ({"z0": changed(batch().z0, np.nan)}, r"z0 is not finite, at index \[1, 1\]: nan"),
        ({"dz": changed(batch().dz, -np.inf)}, r"dz is not finite, at index \[1, 1\]: -inf"),
        ({"condition": np.nan}, "condition is not finite"),
        ({"z0": np.zeros((500, 0))}, "z0 holds no observable"),
        ({"z0": np.ma.masked_less(batch().z0, 0.9)}, "z0 holds masked values"),
        ({"z0": np.zeros((500, 2), complex)}, "z0 must be an array of real numbers"),
        ({"z0": [[1.0, 2.0], [3.0]]}, "z0 must be an array of real numbers"),
        ({"z0": np.zeros((5, 50, 2))}, r"z0 must have shape \(any, any\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(batch(), **change)  # type: ignore[arg-type]


def test_a_constant_observable_is_named() -> None:
    pairs = batch()
    for value in (0.0, 0.1, -12345678.9):
        with pytest.raises(ValueError, match=r"observable 1 .* does not vary, it is"):
            Scaling.of(replace(pairs, z0=np.column_stack([pairs.z0[:, 0], np.full(500, value)])))


def test_small_conditions_vary_too() -> None:
    """Whether a condition varies does not depend on its unit."""
    pairs = batch()
    for unit in (1e-12, 1.0, 1e12):
        scaling = Scaling.of(replace(pairs, condition=unit * pairs.condition))
        assert scaling.n_conditions == 1
        np.testing.assert_allclose(scaling.condition_range[:, 0], [0.4 * unit, 0.5 * unit])


def patch_pairs(snapshot: int, dt: float = 1e-3, k: int = 8, d: int = 2) -> PatchPairs:
    n = 6
    return PatchPairs(
        np.full(n, snapshot), np.arange(n), np.zeros((n, d)), np.full((n, d), snapshot, float),
        np.full(n, dt), np.full(n, k), np.full((n, 1), 0.5), np.zeros(n, np.int8),
    )  # fmt: skip


def test_pairs_of_one_step_are_joined() -> None:
    joined = PairBatch.of([patch_pairs(0), patch_pairs(1), patch_pairs(2, dt=1e-3 * (1 + 1e-12))])
    assert joined.dz[:, 0].tolist() == [0] * 6 + [1] * 6 + [2] * 6
    hotter = PairBatch.of([patch_pairs(0), patch_pairs(1, dt=3e-3)], tau_w=[1e-5, 3e-5])
    assert len(hotter) == 12


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (patch_pairs(1, dt=2e-3), "different steps cannot be joined: dt / tau_w is 0.001 to 0.002"),
        (patch_pairs(1, k=16), "different K cannot be joined: 8 to 16"),
        (patch_pairs(1, d=3), "different observables or conditions cannot be joined"),
    ],
)
def test_pairs_that_differ_in_kind_are_not_joined(second: PatchPairs, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PairBatch.of([patch_pairs(0), second])
    with pytest.raises(ValueError, match="no pairs to join"):
        PairBatch.of([])
