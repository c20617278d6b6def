"""Wolff's cluster moves without a field: equilibrium close to the critical point.

From a random site a cluster grows across satisfied bonds (J s_i s_j > 0), each with
probability 1 - exp(-2 |J| / T), and is turned over.

U. Wolff, Phys. Rev. Lett. 62, 361 (1989).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .copying import copy_into
from .ising import PeriodicLattice, flip, neighbor_sum
from .random import integer_below, uniform


@compiled
def _grow(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    coupling: float,
    probability: float,
    cluster: NDArray[np.uint64],
    joined: NDArray[np.bool_],
    rng: NDArray[np.uint64],
) -> int:
    """Fill ``cluster`` with the sites of one; returns their number."""
    seed = np.uint64(integer_below(rng, spins.size))
    cluster[0] = seed
    joined[seed] = True
    looked_at, size = 0, 1
    while looked_at < size:
        site = cluster[looked_at]
        looked_at += 1
        for offset in lattice.offsets[np.uint64(lattice.faces[site])]:
            other = site + offset
            satisfied = coupling * spins[site] * spins[other] > 0
            if satisfied and not joined[other] and uniform(rng) < probability:
                joined[other] = True
                cluster[size] = other
                size += 1
    return size


@compiled
def wolff(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    coupling: float,
    temperature: NDArray[np.float64],
    interval: int,
    tally: NDArray[np.int64],
    records: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """A record every ``interval`` clusters.

    Parameters
    ----------
    coupling : float
        J, of either sign.
    temperature : float64 array, shape (n_replicas,)
    spins, lattice, tally, records, rng
        As in `heat_bath.heat_bath`; the tally's flips are turned spins.
    """
    cluster = np.empty(spins.shape[1], dtype=np.uint64)
    joined = np.zeros(spins.shape[1], dtype=np.bool_)
    for r in range(len(spins)):
        probability = -math.expm1(-2 * abs(coupling) / temperature[r])
        for k in range(records.shape[1]):
            for _ in range(interval):
                size = _grow(spins[r], lattice, coupling, probability, cluster, joined, rng[r])
                for site in cluster[:size]:
                    joined[site] = False
                    total = neighbor_sum(spins[r], lattice, site)
                    flip(spins[r], site, total, False, tally[r])
            copy_into(records[r, k], tally[r])
