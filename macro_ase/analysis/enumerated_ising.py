"""All states of a small Ising lattice, counted by magnetisation and broken bonds, k_B = 1.

H = -J sum_<ij> s_i s_j - h sum_i s_i = -J (bonds - 2 B) - h M
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..kinetics.ising import neighbor_table, periodic_lattice, require_size

LARGEST_ENUMERATION = 20


@dataclass(frozen=True)
class ExactThermodynamics:
    """Exact equilibrium means per site.

    Attributes
    ----------
    energy : float
    specific_heat : float
        d energy / dT.
    broken_bonds : float
        Mean fraction of bonds between unlike spins.
    magnetisation : float
        Mean spin.
    """

    energy: float
    specific_heat: float
    broken_bonds: float
    magnetisation: float


def inverse(temperature: ArrayLike) -> Array:
    """1 / T; ValueError unless it is above 0."""
    values = np.asarray(temperature, dtype=float)
    if not np.all(np.isfinite(values) & (values > 0)):
        raise ValueError(f"temperature must be above 0, not {temperature!r}")
    return 1 / values


@dataclass(frozen=True)
class DensityOfStates:
    """How many spin states have a given magnetisation and number of broken bonds.

    Attributes
    ----------
    size : tuple of int
    magnetisation, broken_bonds, count : int64 arrays, shape (n_levels,)
        Sum of spins, number of broken bonds, number of states.
    """

    size: tuple[int, ...]
    magnetisation: NDArray[np.int64]
    broken_bonds: NDArray[np.int64]
    count: NDArray[np.int64]

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return math.prod(self.size)

    def energies(self, coupling: float = 1.0, field: float = 0.0) -> Array:
        """H of each level, shape (n_levels,)."""
        n_bonds = self.n_sites * len(self.size)
        return -coupling * (n_bonds - 2 * self.broken_bonds) - field * self.magnetisation

    def probabilities(self, temperature: float, coupling: float = 1.0, field: float = 0.0) -> Array:
        """Boltzmann probability of each level, shape (n_levels,)."""
        energies = self.energies(coupling, field)
        weights = self.count * np.exp(-(energies - energies.min()) * inverse(temperature))
        shares: Array = weights / weights.sum()
        return shares

    def thermodynamics(
        self, temperature: float, coupling: float = 1.0, field: float = 0.0
    ) -> ExactThermodynamics:
        """Equilibrium means per site."""
        p = self.probabilities(temperature, coupling, field)
        energies = self.energies(coupling, field)
        mean = float(p @ energies)
        variance = float(p @ (energies - mean) ** 2)
        return ExactThermodynamics(
            energy=mean / self.n_sites,
            specific_heat=variance * float(inverse(temperature)) ** 2 / self.n_sites,
            broken_bonds=float(p @ self.broken_bonds) / (self.n_sites * len(self.size)),
            magnetisation=float(p @ self.magnetisation) / self.n_sites,
        )


@lru_cache(maxsize=8)
def density_of_states(size: tuple[int, ...]) -> DensityOfStates:
    """All states of a periodic lattice of up to 20 sites, counted.

    Raises
    ------
    ValueError
        If it has more sites, or an axis of fewer than 3.
    """
    lengths = require_size(size)
    n_sites = math.prod(lengths)
    if n_sites > LARGEST_ENUMERATION:
        raise ValueError(f"at most {LARGEST_ENUMERATION} sites can be enumerated, not {n_sites}")
    states = np.arange(2**n_sites, dtype=np.int32)
    ups, broken = np.zeros((2, len(states)), dtype=np.int8)
    for site, neighbors in enumerate(neighbor_table(periodic_lattice(lengths))):
        ups += (states >> site & 1).astype(np.int8)
        for forward in neighbors[::2]:
            broken += ((states >> site ^ states >> int(forward)) & 1).astype(np.int8)
    n_bonds = n_sites * len(lengths)
    table = np.bincount(ups.astype(np.int64) * (n_bonds + 1) + broken)
    levels = np.flatnonzero(table)
    magnetisation = 2 * (levels // (n_bonds + 1)) - n_sites
    return DensityOfStates(lengths, magnetisation, levels % (n_bonds + 1), table[levels])
