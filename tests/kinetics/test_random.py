"""The compiled generator: the published algorithm, and uniform."""

import numpy as np
from scipy import stats

from macro_ase.kinetics.random import integer_below, next_uint64, uniform
from macro_ase.rng import kernel_state, stream
from macro_ase.testing import assert_choices

MASK = 2**64 - 1
FIRST_OF_1234 = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205]


def xoshiro256pp(state: list[int], n: int) -> list[int]:
    """xoshiro256++ in whole numbers of Python."""

    def rotate(x: int, k: int) -> int:
        return ((x << k) | (x >> (64 - k))) & MASK

    s, out = list(state), []
    for _ in range(n):
        out.append((rotate((s[0] + s[3]) & MASK, 23) + s[0]) & MASK)
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
    return out


def test_known_answers() -> None:
    state = np.array([1, 2, 3, 4], dtype=np.uint64)
    assert [int(next_uint64(state)) for _ in range(5)] == FIRST_OF_1234
    state = kernel_state(7)
    expected = xoshiro256pp([int(s) for s in state], 2000)
    assert [int(next_uint64(state)) for _ in range(2000)] == expected


def test_uniform_is_uniform() -> None:
    state = kernel_state(1)
    x = np.array([uniform(state) for _ in range(40_000)])
    assert 0 <= x.min() and x.max() < 1
    assert stats.kstest(x, "uniform").pvalue > 1e-3
    pairs = np.histogram2d(x[::2], x[1::2], bins=16)[0].ravel()
    assert stats.chisquare(pairs).pvalue > 1e-3
    assert stats.kstest(x**1.05, "uniform").pvalue < 1e-3


def test_integers_are_uniform() -> None:
    state = kernel_state(2)
    numbers = [integer_below(state, 7) for _ in range(35_000)]
    assert_choices(numbers, np.ones(7), wrong=1.1)


def test_states_follow_from_seeds() -> None:
    np.testing.assert_array_equal(kernel_state(0), kernel_state(0))
    assert np.any(kernel_state(0) != kernel_state(1))
    assert np.any(kernel_state(None) != kernel_state(None))
    first, again = (kernel_state(stream(3, "stage", 1)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != kernel_state(stream(3, "stage", 2)))
