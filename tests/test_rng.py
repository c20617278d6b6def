"""Random streams: named, independent, the same in any order."""

from typing import Any

import numpy as np
import pytest

from macro_ase.rng import coerce_rng, kernel_state, stream


def numbers(sequence: np.random.SeedSequence) -> tuple[int, ...]:
    return tuple(sequence.generate_state(4).tolist())


def test_seed_0_is_a_seed() -> None:
    first, second = coerce_rng(0).random(4), coerce_rng(0).random(4)
    np.testing.assert_array_equal(first, second)
    assert numbers(stream(0, "small")) == numbers(stream(0, "small"))
    np.testing.assert_array_equal(kernel_state(0), kernel_state(0))
    assert not np.array_equal(coerce_rng(None).random(4), coerce_rng(None).random(4))


def test_streams_differ_by_seed_stage_and_item() -> None:
    keys = [
        (seed, stage, *items)
        for seed in (0, 1)
        for stage in ("small", "pairs", "direct")
        for items in ((), (0,), (1,), (0, 0), (0, 1), (1, 0))
    ]
    assert len({numbers(stream(*key)) for key in keys}) == len(keys)


def test_streams_do_not_depend_on_order() -> None:
    forward = [numbers(stream(3, "pairs", k)) for k in range(5)]
    stream(3, "pairs", 1).spawn(7)
    backward = [numbers(stream(3, "pairs", k)) for k in reversed(range(5))]
    assert forward == backward[::-1]


def test_streams_are_uncorrelated() -> None:
    draws = np.array([coerce_rng(stream(0, "pairs", k)).normal(size=4000) for k in range(10)])
    correlation = np.corrcoef(draws)[np.triu_indices(10, 1)]
    assert np.abs(correlation).max() < 4.5 / np.sqrt(4000)


def test_coerce_takes_what_numpy_takes() -> None:
    generator = np.random.default_rng(5)
    assert coerce_rng(generator) is generator
    sequence = np.random.SeedSequence(5)
    assert coerce_rng(sequence).random() == np.random.default_rng(5).random()
    assert coerce_rng(np.int64(5)).random() == np.random.default_rng(5).random()


@pytest.mark.parametrize("seed", [3, np.uint8(3), np.int64(3), 3.0, np.float32(3), np.array(3)])
def test_whole_numbers_of_any_kind_are_the_same_seed(seed: Any) -> None:
    assert coerce_rng(seed).random() == np.random.default_rng(3).random()
    assert numbers(stream(seed, "small")) == numbers(stream(3, "small"))


def test_what_numpy_makes_generators_of() -> None:
    legacy, sequence = np.random.RandomState(5), [1, np.int64(2)]
    assert coerce_rng(legacy).bit_generator is legacy._bit_generator
    assert coerce_rng(sequence).random() == np.random.default_rng([1, 2]).random()
    assert coerce_rng(np.random.PCG64(4)).random() == np.random.default_rng(4).random()


@pytest.mark.parametrize(
    "seed", [-1, np.int64(-3), 1.5, float("nan"), float("inf"), True, "3", [1, -2], {}, np.random]
)
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(ValueError, match=r"seed must be a whole number, 0 or larger, not "):
        coerce_rng(seed)


def test_kernel_states_are_four_distinct_words() -> None:
    for seed in (0, np.random.SeedSequence(0), np.random.default_rng(0)):
        state = kernel_state(seed)
        assert state.shape == (4,) and state.dtype == np.uint64 and np.all(state > 0)
        assert len(set(state.tolist())) == 4
