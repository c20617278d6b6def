"""Random streams: one per (seed, stage, item), the same for any number of workers.

A stream is a child of `numpy.random.SeedSequence` with the spawn key
(stage, *items), so it depends on what it is for and not on when it was asked for.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .counts import require_count

Seed = int | np.random.SeedSequence | np.random.Generator | None
LARGEST_SEED = 2**128


def coerce_rng(seed: Seed) -> np.random.Generator:
    """A numpy generator from a seed, a seed sequence, a generator or None (fresh entropy).

    Parameters
    ----------
    seed : int, SeedSequence, Generator or None
        A whole number of any kind; ``0`` is one like any other, and only ``None`` draws fresh
        entropy. Whatever else numpy makes a generator of (a bit generator, `RandomState`, a
        sequence of whole numbers) is taken too.

    Raises
    ------
    ValueError
        If it is nothing of that kind, or negative.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, np.random.RandomState):
        return np.random.Generator(seed._bit_generator)
    if seed is None or isinstance(seed, (np.random.SeedSequence, np.random.BitGenerator)):
        return np.random.default_rng(seed)
    if isinstance(seed, (list, tuple, np.ndarray)) and np.ndim(seed) == 1:
        return np.random.default_rng([whole_seed(part) for part in seed])
    return np.random.default_rng(whole_seed(seed))


def whole_seed(seed: Any) -> int:
    """A seed as a Python whole number.

    Raises
    ------
    ValueError
        If it is none, or negative.
    """
    try:
        return require_count(seed, "seed", 0, LARGEST_SEED)
    except ValueError:
        given = " ".join(repr(seed).split())
        raise ValueError(f"seed must be a whole number, 0 or larger, not {given}") from None


def coerce_sequence(seed: int | np.random.SeedSequence | None) -> np.random.SeedSequence:
    """A seed sequence from one, a whole number or None (fresh entropy).

    Raises
    ------
    ValueError
        If it is nothing of that kind; a generator's stream cannot be parted.
    """
    if isinstance(seed, np.random.SeedSequence):
        return seed
    return np.random.SeedSequence(None if seed is None else whole_seed(seed))


def own_seeds(rng: np.random.Generator, number: int) -> list[np.random.SeedSequence]:
    """A sequence for each of some items from a generator's own; a single item has that itself."""
    own: Any = rng.bit_generator.seed_seq
    return [own] if number == 1 else list(own.spawn(number))


def children(seed: np.random.SeedSequence, numbers: ArrayLike) -> list[np.random.SeedSequence]:
    """Those of so many that a sequence would spawn next which have these numbers, none spawned."""
    return [
        np.random.SeedSequence(
            entropy=seed.entropy,
            spawn_key=(*seed.spawn_key, seed.n_children_spawned + int(number)),
            pool_size=seed.pool_size,
        )
        for number in np.asarray(numbers).tolist()
    ]


def new_seed() -> int:
    """A whole number that is another one every time."""
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> 2)


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
    return np.random.SeedSequence(entropy=whole_seed(seed), spawn_key=key)


def kernel_state(seed: Seed) -> NDArray[np.uint64]:
    """State, shape (4,), of the compiled kernels' xoshiro256++ generator."""
    if isinstance(seed, np.random.SeedSequence):
        return seed.generate_state(4, np.uint64).astype(np.uint64)
    return coerce_rng(seed).integers(1, 2**64, size=4, dtype=np.uint64)
