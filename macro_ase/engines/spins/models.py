"""Spin models as data: what calculators, drivers and ensembles of replicas share.

Units are reduced: energies in J or any other, k_B = 1, times in attempts per site.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arrays import as_numbers
from ...counts import require_count
from ...kinetics import curie_weiss
from ...kinetics.ising import (
    BROKEN_BONDS,
    MAGNETISATION,
    TALLY_COLUMNS,
    PeriodicLattice,
    count_spins,
    flip_energies,
    neighbor_table,
    periodic_lattice,
    require_size,
)
from ...reals import require_finite


def require_temperature(temperature: ArrayLike) -> NDArray[np.float64]:
    """Temperatures, shape (n,), if all are positive and finite; else ValueError."""
    values = np.atleast_1d(as_numbers(temperature, "temperature"))
    if values.ndim != 1 or not np.all(np.isfinite(values) & (values > 0)):
        raise ValueError(f"temperature must be above 0, not {temperature!r}")
    return values


@dataclass(frozen=True)
class Ising:
    """H = -J sum_<ij> s_i s_j - h sum_i s_i on a periodic chain, square or cubic lattice.

    Attributes
    ----------
    size : tuple of int
        Sites along each of one, two or three axes, at least 3; sites in C order.
    coupling : float
        J; antiferromagnetic if negative.
    field : float
        h.
    """

    size: tuple[int, ...]
    coupling: float = 1.0
    field: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", require_size(self.size))
        require_finite(self.coupling, "coupling")
        require_finite(self.field, "field")

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return math.prod(self.size)

    @property
    def n_bonds(self) -> int:
        """Number of bonds."""
        return self.n_sites * len(self.size)

    @property
    def lattice(self) -> PeriodicLattice:
        """Neighbours, as the kernels take them."""
        return periodic_lattice(self.size)

    @property
    def neighbors(self) -> NDArray[np.int64]:
        """Neighbours of every site, shape (n_sites, 2 d)."""
        return neighbor_table(self.lattice)

    @property
    def flip_energies(self) -> NDArray[np.float64]:
        """Changes of H by flips of each class, shape (2 (z + 1),)."""
        return flip_energies(2 * len(self.size), self.coupling, self.field)

    def tally(self, spins: NDArray[np.int8]) -> NDArray[np.int64]:
        """Tally of spins, shape (n_replicas, n_sites), before anything has flipped."""
        return count_spins(spins, self.lattice)

    def energy(self, tally: NDArray[np.int64]) -> NDArray[np.float64]:
        """H from a tally, shape (..., 5)."""
        bonds = self.n_bonds - 2 * tally[..., BROKEN_BONDS]
        return -self.coupling * bonds - self.field * tally[..., MAGNETISATION]

    def site_energies(self, spins: NDArray[np.int8]) -> NDArray[np.float64]:
        """Shares of H, shape (n_sites,): half of each bond, and the field's."""
        around: NDArray[np.int64] = spins[self.neighbors].sum(axis=1)
        return -spins * (0.5 * self.coupling * around + self.field)


@dataclass(frozen=True)
class CurieWeiss:
    """H = -M^2 / (2 n) - h M of n spins that all feel their mean, M = sum s.

    Attributes
    ----------
    n_sites : int
    field : float
        h.
    """

    n_sites: int
    field: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_sites", require_count(self.n_sites, "n_sites", 1))
        require_finite(self.field, "field")

    @property
    def flip_energies(self) -> NDArray[np.float64]:
        """Changes of H by flips, shape (2, n_sites + 1): spin down or up, number of up spins."""
        return curie_weiss.mean_field_energies(self.n_sites, self.field)

    def tally(self, spins: NDArray[np.int8]) -> NDArray[np.int64]:
        """Tally of spins, shape (n_replicas, n_sites), before anything has flipped."""
        tally = np.zeros((len(spins), TALLY_COLUMNS), dtype=np.int64)
        tally[:, MAGNETISATION] = spins.sum(axis=1, dtype=np.int64)
        return tally

    def energy(self, tally: NDArray[np.int64]) -> NDArray[np.float64]:
        """H from a tally, shape (..., 5)."""
        total = tally[..., MAGNETISATION].astype(float)
        return -(total**2) / (2 * self.n_sites) - self.field * total

    def site_energies(self, spins: NDArray[np.int8]) -> NDArray[np.float64]:
        """Shares of H, shape (n_sites,)."""
        around = 0.5 * spins.sum(dtype=np.int64) / self.n_sites
        energies: NDArray[np.float64] = -spins * (around + self.field)
        return energies


SpinModel = Ising | CurieWeiss
