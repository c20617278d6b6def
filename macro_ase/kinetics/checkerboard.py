"""Heat-bath sweeps of one sublattice after the other: fast relaxation without a clock.

Every site in turn is drawn anew from its conditional distribution, so the Boltzmann
distribution is stationary whatever the order; the time in between means nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .copying import copy_into
from .ising import PeriodicLattice, flip, neighbor_sum
from .random import uniform


def checkerboard_order(size: tuple[int, ...]) -> NDArray[np.int32]:
    """Sites of even coordinate sum, then those of odd sum, shape (n_sites,)."""
    parity = np.indices(size).sum(axis=0).ravel() % 2
    return np.argsort(parity, kind="stable").astype(np.int32)


@compiled
def checkerboard(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    rates: NDArray[np.float64],
    order: NDArray[np.int32],
    core: NDArray[np.bool_],
    interval: int,
    tally: NDArray[np.int64],
    records: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """A record every ``interval`` sweeps over the sites in ``order``, shape (1 or n_replicas, n).

    The other arrays are as in `heat_bath.heat_bath`.
    """
    n_neighbors = lattice.offsets.shape[1]
    for r in range(len(spins)):
        up_probability = rates[r % len(rates), : n_neighbors + 1]
        for k in range(records.shape[1]):
            for _ in range(interval):
                for i in order[r % len(order)]:
                    site = np.uint64(i)
                    total = neighbor_sum(spins[r], lattice, site)
                    up = uniform(rng[r]) < up_probability[np.uint64((total + n_neighbors) >> 1)]
                    if up != (spins[r, site] > 0):
                        flip(spins[r], site, total, core[r % len(core), site], tally[r])
            copy_into(records[r, k], tally[r])
