"""The Ising model on a periodic square lattice as a system.

H = - sum_<ij> s_i s_j - h sum_i s_i,    z = (m, fraction of bonds that are broken).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..engines.spins.ensemble import SpinEnsemble
from ..engines.spins.models import Ising
from ..kinetics.ising import (
    BROKEN_BONDS,
    CORE_BROKEN_BONDS,
    CORE_MAGNETISATION,
    MAGNETISATION,
    glauber_rates,
)
from .spin_system import SpinSystem


@dataclass(frozen=True)
class IsingSystem(SpinSystem):
    """Spins that feel their four neighbours; z is the mean spin and the share of broken bonds."""

    names = ("m", "broken bonds")
    columns: ClassVar[tuple[int, ...]] = (MAGNETISATION, BROKEN_BONDS)
    core_columns: ClassVar[tuple[int, ...]] = (CORE_MAGNETISATION, CORE_BROKEN_BONDS)
    per_site: ClassVar[tuple[float, ...]] = (1.0, 2.0)

    def model(self, side: int) -> Ising:
        """The model on a square of a side."""
        return Ising((side, side), 1.0, self.field)

    def energy(self, z: Array) -> Array:
        """H / n = -2 (1 - 2 b) - h m, shape (...)."""
        return -2 * (1 - 2 * z[..., 1]) - self.field * z[..., 0]

    def core_rates(self, ensemble: SpinEnsemble, core: NDArray[np.int64]) -> Array:
        """As `SpinSystem.core_rates`: sums over the core of -2 s w and s S w."""
        model = self.model(math.isqrt(ensemble.model.n_sites))
        spins = ensemble.spins
        own, around = spins[:, core], spins[:, model.neighbors[core]].sum(axis=2, dtype=np.int8)
        kind = 5 * (own > 0) + (around + 4) // 2
        rates = glauber_rates(model.flip_energies, self.temperature)[0]
        spin, total = np.repeat([-1, 1], 5), np.tile(np.arange(-4, 5, 2), 2)
        by_class = np.stack([-2 * spin * rates, spin * total * rates])
        return np.stack([values[kind].sum(axis=1) for values in by_class], axis=1)
