"""What the likelihood sees: rows and scales. Needs no PyTorch."""

import numpy as np

from macro_ase.learning.pairs import PairBatch, Scaling


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
