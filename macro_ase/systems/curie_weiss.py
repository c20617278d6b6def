"""The Curie-Weiss model as a system: all spins feel the mean of all.

    H = -M^2 / (2 n) - h M,    z = m = M / n.

A patch has no place: any spins would do. Those of a square tile are taken, so that patches of
this model are made as those of others are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..engines.spins.ensemble import SpinEnsemble, curie_weiss_paths
from ..engines.spins.models import CurieWeiss
from ..kinetics.ising import CORE_MAGNETISATION, MAGNETISATION, glauber_rates
from ..rng import Seed
from .spin_system import Spins, SpinSystem


@dataclass(frozen=True)
class CurieWeissSystem(SpinSystem):
    """n spins that all feel their mean; z is the mean spin."""

    reach: ClassVar[int | None] = None
    names = ("m",)
    columns: ClassVar[tuple[int, ...]] = (MAGNETISATION,)
    core_columns: ClassVar[tuple[int, ...]] = (CORE_MAGNETISATION,)
    per_site: ClassVar[tuple[float, ...]] = (1.0,)

    def model(self, side: int) -> CurieWeiss:
        """The model of side**2 spins."""
        return CurieWeiss(side**2, self.field)

    def energy(self, z: Array) -> Array:
        """H / n = -m**2 / 2 - h m, shape (...)."""
        return -(z[..., 0] ** 2) / 2 - self.field * z[..., 0]

    def core_rates(self, ensemble: SpinEnsemble, core: NDArray[np.int64]) -> Array:
        """As `SpinSystem.core_rates`: 2 (n_down w_down - n_up w_up)."""
        n = ensemble.model.n_sites
        rates = glauber_rates(ensemble.model.flip_energies, self.temperature)[0]
        ups = (n + ensemble.tally[:, MAGNETISATION]) // 2
        core_ups = (ensemble.spins[:, core] > 0).sum(axis=1)
        change: Array = (len(core) - core_ups) * rates[0, ups] - core_ups * rates[1, ups]
        return 2 * change[:, None]

    def direct(self, spins: Spins, side: int, times: ArrayLike, rng: Seed) -> Array:
        """Observables as `SpinSystem.direct`, from the birth-death chain of M, which is exact."""
        start = spins.sum(axis=1, dtype=np.int64)
        paths = curie_weiss_paths(self.model(side), start, self.temperature, times, rng)
        return paths[..., :1] / side**2
