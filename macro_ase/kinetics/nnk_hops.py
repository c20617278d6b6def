"""Barriers from the neural-network kinetics (NNK) model, compiled, with a memory.

The network is a chain of dense layers, BatchNorm folded into their weights:

    h0 = types of the 112 sites around the vacancy, turned so that the hop is along (1,1,1)
    h  = max(0, h @ W_l + b_l)   four times,    E_hop = h @ W_4 + b_4   in eV

A type is 1, 2, 3 for species code 0, 1, 2 and 0 for a vacancy. The eight barriers are a
function of the 112 types alone, which fill four words of 28 two-bit fields. Those words
are the key of a set-associative table of environments met before; all four are compared,
so a remembered barrier is the one that the network gives.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled, inlined
from .barrier_tables import register
from .copying import copy_into

KEY_WORDS = 4
SITES_PER_WORD = 28
N_NEIGHBOURS = KEY_WORDS * SITES_PER_WORD
WAYS = 4

_LOW_BITS = np.uint64(int("01" * SITES_PER_WORD, 2))
_IN_USE = np.uint64(1 << 63)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_THREE = np.uint64(3)
_HALF = np.uint64(32)


class NNKTables(NamedTuple):
    """Arrays of an NNK model on one grid, and its memory; H units in a hidden layer.

    The memory is written by every evaluation: one walk at a time may use the tables.
    """

    targets: NDArray[np.int32]  # (n_basis, 8) padded offsets of the hop targets
    reach: NDArray[np.int32]  # (n_basis, 112) offsets of the sites seen, the targets first
    turned: NDArray[np.int64]  # (8, 112) input of the network that each site is, by direction
    first: NDArray[np.float32]  # (112, H) weights of the first layer
    hidden: NDArray[np.float32]  # (3, H, H) weights of the next layers
    biases: NDArray[np.float32]  # (4, H)
    last: NDArray[np.float64]  # (H + 1,) weights and bias of the last layer, eV
    keys: NDArray[np.uint64]  # (n_sets, WAYS, KEY_WORDS) environments remembered
    values: NDArray[np.float64]  # (n_sets, WAYS, 8) their barriers, eV
    oldest: NDArray[np.uint8]  # (n_sets,) place to fill next


@compiled
def _read_word(
    reach: NDArray[np.int32], padded: NDArray[np.int8], site: int, first: int
) -> np.uint64:
    """Types of 28 sites around a padded position, from entry ``first`` of ``reach`` (112,)."""
    word = np.uint64(0)
    for i in range(first + SITES_PER_WORD - 1, first - 1, -1):
        word = (word << _TWO) | (np.uint64(padded[site + reach[i]] + 1) & _THREE)
    return word


@compiled
def _read_key(
    reach: NDArray[np.int32], padded: NDArray[np.int8], site: int
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Types around a padded position; the top bit tells a key from an empty place."""
    return (
        _read_word(reach, padded, site, 0) | _IN_USE,
        _read_word(reach, padded, site, SITES_PER_WORD),
        _read_word(reach, padded, site, 2 * SITES_PER_WORD),
        _read_word(reach, padded, site, 3 * SITES_PER_WORD),
    )


@compiled
def _count_vacancies(word: np.uint64) -> int:
    """Fields of a key word that are 0."""
    vacant = ~(word | (word >> _ONE)) & _LOW_BITS
    count = 0
    while vacant != np.uint64(0):
        vacant &= vacant - _ONE
        count += 1
    return count


@compiled
def _set_of(key: tuple[np.uint64, np.uint64, np.uint64, np.uint64], n_sets: int) -> int:
    """Set of the memory that holds a key; ``n_sets`` is a power of two."""
    mixed = np.uint64(0)
    for word in key:
        mixed = (mixed ^ word) * _MIX
        mixed ^= mixed >> _HALF
    return int(mixed & np.uint64(n_sets - 1))


@compiled
def _layer(
    inputs: NDArray[np.float32],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    outputs: NDArray[np.float32],
) -> None:
    """outputs (8, H) = max(0, inputs (8, n) @ weights (n, H) + bias (H,)); zeros are skipped."""
    n, width = weights.shape
    live = np.empty(n + 3, dtype=np.int64)
    for d in range(8):
        count = 0
        for k in range(n):
            live[count] = k
            count += inputs[d, k] != 0
        row = outputs[d]
        copy_into(row, bias)
        for q in range(count // 4):
            k0, k1, k2, k3 = live[4 * q], live[4 * q + 1], live[4 * q + 2], live[4 * q + 3]
            x0, x1, x2, x3 = inputs[d, k0], inputs[d, k1], inputs[d, k2], inputs[d, k3]
            w0, w1, w2, w3 = weights[k0], weights[k1], weights[k2], weights[k3]
            for j in range(width):
                row[j] += (x0 * w0[j] + x1 * w1[j]) + (x2 * w2[j] + x3 * w3[j])
        for q in range(count // 4 * 4, count):
            x0, w0 = inputs[d, live[q]], weights[live[q]]
            for j in range(width):
                row[j] += x0 * w0[j]
        for j in range(width):
            row[j] = max(row[j], np.float32(0.0))


@inlined
def _evaluate(
    tables: NNKTables,
    key: tuple[np.uint64, np.uint64, np.uint64, np.uint64],
    barriers: NDArray[np.float64],
) -> None:
    """Barriers (8,) of an environment; inf where the target is vacant."""
    width = tables.last.size - 1
    types = np.zeros((8, N_NEIGHBOURS), dtype=np.float32)
    for w in range(KEY_WORDS):
        for i in range(SITES_PER_WORD):
            value = np.float32((key[w] >> np.uint64(2 * i)) & _THREE)
            for d in range(8):
                types[d, tables.turned[d, w * SITES_PER_WORD + i]] = value
    front = np.empty((8, width), dtype=np.float32)
    back = np.empty((8, width), dtype=np.float32)
    _layer(types, tables.first, tables.biases[0], front)
    for number in range(3):
        _layer(front, tables.hidden[number], tables.biases[number + 1], back)
        front, back = back, front
    for d in range(8):
        energy = tables.last[width]
        for j in range(width):
            energy += front[d, j] * tables.last[j]
        vacant = (key[0] >> np.uint64(2 * d)) & _THREE == np.uint64(0)
        barriers[d] = np.inf if vacant else energy


@compiled
def nnk_barriers(
    tables: NNKTables, padded: NDArray[np.int8], site: int, basis: int, out: NDArray[np.float64]
) -> int:
    """Barriers of the eight hops; see `barriers_at`."""
    key = _read_key(tables.reach[basis], padded, site)
    near = 0
    for word in key:
        near += _count_vacancies(word)
    place = _set_of(key, len(tables.keys))
    known = tables.keys[place]
    for way in range(WAYS):
        same = known[way, 0] == key[0] and known[way, 1] == key[1]
        if same and known[way, 2] == key[2] and known[way, 3] == key[3]:
            copy_into(out, tables.values[place, way])
            return near
    _evaluate(tables, key, out)
    way = tables.oldest[place]
    tables.oldest[place] = (way + 1) % WAYS
    for w in range(KEY_WORDS):
        known[way, w] = key[w]
    copy_into(tables.values[place, way], out)
    return near


register(NNKTables, nnk_barriers)
