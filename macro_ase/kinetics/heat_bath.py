"""Random-site heat bath with a Poisson clock: Glauber dynamics by rejection.

Attempts come at total rate n, one a site and unit of time: their number in an interval is
Poisson. Each picks a site at random and turns its spin over with probability
w = 1 / (1 + exp(dH / T)), which makes w the rate of the flip.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .copying import copy_into
from .ising import PeriodicLattice, flip, flip_class, neighbor_sum, number_of_sites, site_at
from .poisson import poisson
from .random import integer_below, uniform


@compiled
def attempt_flips(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    probabilities: NDArray[np.float64],
    active: NDArray[np.int32],
    core: NDArray[np.bool_],
    attempts: int,
    tally: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """Attempts at random sites of one replica, accepted by class; ``spins`` change in place.

    Parameters
    ----------
    spins : int8 array, shape (n_sites,)
    lattice : PeriodicLattice
    probabilities : float64 array, shape (2 (z + 1),)
    active : int32 array, shape (n_active,)
        Sites that may flip; none means all.
    core : bool array, shape (n_sites,)
        Sites whose flips count as the core's.
    attempts : int
    tally : int64 array, shape (5,)
    rng : uint64 array, shape (4,)
    """
    n_neighbors = lattice.offsets.shape[1]
    n = number_of_sites(active, spins.size)
    for _ in range(attempts):
        site = site_at(active, integer_below(rng, n))
        total = neighbor_sum(spins, lattice, site)
        kind = flip_class(int(spins[site]), total, n_neighbors)
        if uniform(rng) < probabilities[kind]:
            flip(spins, site, total, core[site], tally)


@compiled
def heat_bath(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    rates: NDArray[np.float64],
    active: NDArray[np.int32],
    core: NDArray[np.bool_],
    times: NDArray[np.float64],
    clock: NDArray[np.float64],
    tally: NDArray[np.int64],
    records: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """Glauber dynamics of replicas to given times; spins, clock, tally, records, rng change.

    Parameters
    ----------
    spins : int8 array, shape (n_replicas, n_sites)
    lattice : PeriodicLattice
    rates : float64 array, shape (1 or n_replicas, 2 (z + 1))
        Flip rates by class, none above 1.
    active : int32 array, shape (1 or n_replicas, n_active)
        Sites that may flip; n_active = 0 means all.
    core : bool array, shape (1 or n_replicas, n_sites)
        Sites whose flips count as the core's.
    times : float64 array, shape (n_times,)
        When to record, ascending, not before ``clock``.
    clock : float64 array, shape (n_replicas,)
    tally : int64 array, shape (n_replicas, 5)
        Kept up to date.
    records : int64 array, shape (n_replicas, n_times, 5)
        Takes the tally at every time.
    rng : uint64 array, shape (n_replicas, 4)
    """
    n = number_of_sites(active[0], spins.shape[1])
    for r in range(len(spins)):
        for k in range(times.size):
            attempt_flips(
                spins[r],
                lattice,
                rates[r % len(rates)],
                active[r % len(active)],
                core[r % len(core)],
                poisson(n * (times[k] - clock[r]), rng[r]),
                tally[r],
                rng[r],
            )
            clock[r] = times[k]
            copy_into(records[r, k], tally[r])
