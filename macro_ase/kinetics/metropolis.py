"""Random-site Metropolis: right in equilibrium, with a clock of its own.

An attempt at a random site is accepted with probability min(1, exp(-dH / T)). A sweep is n
attempts; it is no unit of Glauber time, which no constant factor makes of it.

N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..compiled import compiled
from .copying import copy_into
from .heat_bath import attempt_flips
from .ising import PeriodicLattice, number_of_sites


def metropolis_probabilities(energies: ArrayLike, temperature: ArrayLike) -> NDArray[np.float64]:
    """Acceptance min(1, exp(-dH / T)), in the shapes of `ising.glauber_rates`."""
    beta = 1 / np.atleast_1d(np.asarray(temperature, dtype=float))
    return np.exp(-np.multiply.outer(beta, np.maximum(energies, 0.0)))


@compiled
def metropolis(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    probabilities: NDArray[np.float64],
    active: NDArray[np.int32],
    core: NDArray[np.bool_],
    interval: int,
    tally: NDArray[np.int64],
    records: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """A record every ``interval`` sweeps; arrays as in `heat_bath.heat_bath`."""
    n = number_of_sites(active[0], spins.shape[1])
    for r in range(len(spins)):
        for k in range(records.shape[1]):
            attempt_flips(
                spins[r],
                lattice,
                probabilities[r % len(probabilities)],
                active[r % len(active)],
                core[r % len(core)],
                interval * n,
                tally[r],
                rng[r],
            )
            copy_into(records[r, k], tally[r])
