"""Metropolis moves of 64 Ising replicas at once: one bit a replica in the word of a site.

Which neighbours agree with a spin is counted by logic for all replicas together, and moves are
accepted by words whose bits are 1 with a given probability, independently of each other: 64
binary fractions are compared with the probability digit by digit, which settles all of them after
about 8 random words (multi-spin coding: M. Creutz, L. Jacobs and C. Rebbi, Phys. Rev. Lett. 42,
1390, 1979, and later work). Sites move in a given order, so this has the right equilibrium and no
clock: it relaxes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .random import next_uint64

REPLICAS = 64
_NONE = np.uint64(0)


@compiled
def bernoulli_word(wanted: np.uint64, probability: float, rng: NDArray[np.uint64]) -> np.uint64:
    """Independent bits, each 1 with a probability in [0, 1), where ``wanted`` is 1; else 0."""
    below, rest = _NONE, probability
    while wanted != _NONE:
        word = next_uint64(rng)
        rest *= 2.0
        if rest >= 1.0:
            rest -= 1.0
            below |= wanted & ~word
            wanted &= word
        else:
            wanted &= ~word
    return below


@compiled
def relax_windows(
    words: NDArray[np.uint64],
    neighbors: NDArray[np.int64],
    windows: NDArray[np.int64],
    sweeps: int,
    probability: float,
    rng: NDArray[np.uint64],
) -> None:
    """Metropolis sweeps of windows, one window after another, all else frozen meanwhile.

    Moves inside a window keep the Boltzmann law of the whole lattice, whatever the windows and
    their order. J = 1, no field.

    Parameters
    ----------
    words : uint64 array, shape (n_sites,)
        Spins of 64 replicas; change in place.
    neighbors : int64 array, shape (n_sites, 4)
    windows : int64 array, shape (n_windows, n_active)
        Sites of each window, in the order in which they are tried.
    sweeps : int
        Tries of each site of a window before it is the turn of the next.
    probability : float
        exp(-4 / T).
    rng : uint64 array, shape (4,)
    """
    for window in windows:
        for _ in range(sweeps):
            for site in window:
                own, around = words[site], neighbors[site]
                a, b = ~(own ^ words[around[0]]), ~(own ^ words[around[1]])
                c, d = ~(own ^ words[around[2]]), ~(own ^ words[around[3]])
                three, four = ((a & b) & (c ^ d)) | ((a ^ b) & (c & d)), a & b & c & d
                uphill = three | four
                once = bernoulli_word(uphill, probability, rng)
                accepted = once & (three | bernoulli_word(once & four, probability, rng))
                words[site] = own ^ (accepted | ~uphill)


@compiled
def unpack(words: NDArray[np.uint64]) -> NDArray[np.int8]:
    """Spins 1 or -1, shape (64, n_sites), from words of shape (n_sites,)."""
    spins = np.empty((REPLICAS, words.size), dtype=np.int8)
    for r in range(REPLICAS):
        for i in range(words.size):
            spins[r, i] = 2 * np.int8((words[i] >> np.uint64(r)) & np.uint64(1)) - 1
    return spins


@compiled
def pack(spins: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Words, shape (n_sites,), from spins of shape (64, n_sites)."""
    words = np.zeros(spins.shape[1], dtype=np.uint64)
    for r in range(REPLICAS):
        for i in range(words.size):
            if spins[r, i] > 0:
                words[i] |= np.uint64(1) << np.uint64(r)
    return words
