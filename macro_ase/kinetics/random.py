"""Random numbers inside compiled loops: xoshiro256++ on a state array of shape (4,).

D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators",
ACM Trans. Math. Softw. 47, 36 (2021).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled, inlined


@inlined
def _rotate_left(x: np.uint64, k: np.uint64) -> np.uint64:
    return (x << k) | (x >> (np.uint64(64) - k))


@compiled
def next_uint64(state: NDArray[np.uint64]) -> np.uint64:
    """The next 64 random bits; advances ``state`` in place."""
    result: np.uint64 = _rotate_left(state[0] + state[3], np.uint64(23)) + state[0]
    shifted = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = _rotate_left(state[3], np.uint64(45))
    return result


@compiled
def uniform(state: NDArray[np.uint64]) -> float:
    """A float in [0, 1) with 53 random bits."""
    return np.float64(next_uint64(state) >> np.uint64(11)) * 2.0**-53


@compiled
def integer_below(state: NDArray[np.uint64], bound: int) -> int:
    """A whole number in [0, bound), bound < 2**31 (bias below 2**-22)."""
    return int(uniform(state) * bound)
