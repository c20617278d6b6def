"""Random streams: one per (seed, stage, item), the same for any number of workers.

A stream is a child of `numpy.random.SeedSequence` with the spawn key
(stage, *items), so it depends on what it is for and not on when it was asked for.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Seed = int | np.random.SeedSequence | np.random.Generator | None


def coerce_rng(seed: Seed) -> np.random.Generator:
    """A numpy generator from a seed, a seed sequence, a generator or None (fresh entropy).

    Parameters
    ----------
    seed : int, SeedSequence, Generator or None
        ``0`` is a seed like any other; only ``None`` draws fresh entropy.

    Raises
    ------
    ValueError
        If an integer seed is negative.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, (int, np.integer)) and seed < 0:
        raise ValueError(f"seed must be 0 or larger, not {seed}")
    return np.random.default_rng(seed)


def stream(seed: int, stage: str, *items: int) -> np.random.SeedSequence:
    """The seed sequence of one item of one stage.

    Parameters
    ----------
    seed : int
        The seed of the whole run.
    stage : str
        What the stream is for, such as ``"upsample"``.
    items : int
        Which item of that stage: run, snapshot, patch.
    """
    key = (zlib.crc32(stage.encode()), *items)
    return np.random.SeedSequence(entropy=seed, spawn_key=key)


def kernel_state(seed: Seed) -> NDArray[np.uint64]:
    """State, shape (4,), of the compiled kernels' xoshiro256++ generator."""
    if isinstance(seed, np.random.SeedSequence):
        return seed.generate_state(4, np.uint64).astype(np.uint64)
    return coerce_rng(seed).integers(1, 2**64, size=4, dtype=np.uint64)
