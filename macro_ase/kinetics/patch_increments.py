"""Increments of the mean spin by patches of Ising lattices, each evolved alone for a short time.

A patch is cut out with its buffer and a rim of its surroundings that stands still, and evolves by
heat bath at random sites. Flips in the core count; beside their sum goes the time integral of the
rates at which the core's spins change, by the trapezoidal rule: the mean of the increment given
the path, without the noise of the flips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .heat_bath import attempt_flips
from .ising import CORE_MAGNETISATION, TALLY_COLUMNS, PeriodicLattice, flip_class, neighbor_sum
from .poisson import poisson


@compiled
def _core_rate(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    core: NDArray[np.int32],
    rates: NDArray[np.float64],
) -> float:
    """Mean change of the core's sum of spins per unit of time."""
    total = 0.0
    for i in core:
        site = np.uint64(i)
        kind = flip_class(int(spins[site]), neighbor_sum(spins, lattice, site), 4)
        total -= 2 * spins[site] * rates[kind]
    return total


@compiled
def patch_increments(
    spins: NDArray[np.int8],
    blocks: NDArray[np.int64],
    lattice: PeriodicLattice,
    active: NDArray[np.int32],
    core: NDArray[np.int32],
    rates: NDArray[np.float64],
    dt: float,
    nodes: int,
    increments: NDArray[np.float64],
    means: NDArray[np.float64],
    rng: NDArray[np.uint64],
) -> None:
    """Evolve every patch of every state from that state, alone.

    Parameters
    ----------
    spins : int8 array, shape (n_states, n_sites)
        Left as they are.
    blocks : int array, shape (K, n_block)
        Sites of each patch with its buffer and rim.
    lattice : PeriodicLattice
        Of a block; that it closes on itself does not matter, for its edge stands still.
    active, core : int32 arrays, shapes (n_active,), (n_core,)
        Places in a block that may flip, and those whose flips count.
    rates : float64 array, shape (10,)
        Flip rates by class.
    dt : float
    nodes : int
        Intervals of the trapezoidal rule.
    increments, means : float64 arrays, shape (n_states, K)
        Take the change of the core's mean spin, and its time-integrated rate.
    rng : uint64 array, shape (4,)
    """
    n_block = blocks.shape[1]
    counted, tally = np.zeros(n_block, dtype=np.bool_), np.zeros(TALLY_COLUMNS, dtype=np.int64)
    counted[core] = True
    block, share = np.empty(n_block, dtype=np.int8), dt / nodes
    for r in range(len(spins)):
        for k in range(len(blocks)):
            for i in range(n_block):
                block[i] = spins[r, blocks[k, i]]
            tally[:] = 0
            mean = _core_rate(block, lattice, core, rates) / 2
            for node in range(nodes):
                attempts = poisson(active.size * share, rng)
                attempt_flips(block, lattice, rates, active, counted, attempts, tally, rng)
                rate = _core_rate(block, lattice, core, rates)
                mean += rate if node < nodes - 1 else rate / 2
            increments[r, k] = tally[CORE_MAGNETISATION] / core.size
            means[r, k] = mean * share / core.size
