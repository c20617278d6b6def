"""What all alloy systems share, whatever moves their atoms: crystals, bonds, upsampling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..lattice import SiteGrid, shell_neighbors
from ..observables.bonds import bond_counts
from .alloy_order import BondOrder
from .alloy_upsampling import SeamSwaps, Upsampler

Codes = NDArray[np.int8]


@dataclass(frozen=True, kw_only=True)
class AlloyCrystals:
    """A bcc alloy, small and large, whose observables are bond densities.

    Attributes
    ----------
    small, large : SiteGrid
        The small system and the large one; the first must divide the second.
    small_states : int8 array, shape (n_states, n_small)
        Initial states of small runs.
    large_state : int8 array, shape (n_large,)
        Initial state of the large system.
    shells : int
        Neighbour shells in the state.
    """

    small: SiteGrid
    large: SiteGrid
    small_states: Codes
    large_state: Codes
    shells: int = 2

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""
        raise NotImplementedError

    @property
    def seam_swaps(self) -> SeamSwaps:
        """What heals the seams of upsampled states."""
        raise NotImplementedError

    @cached_property
    def order(self) -> BondOrder:
        """Bond densities and what follows from them."""
        counts = np.bincount(self.large_state, minlength=len(self.species) + 1)
        return BondOrder(self.species, counts)

    @cached_property
    def upsampler(self) -> Upsampler:
        """Tiles small states into large ones."""
        return Upsampler(self.small, self.large, self.seam_swaps, self.shells)

    @property
    def z_names(self) -> tuple[str, ...]:
        """Names of the observables, such as ``"Mo-Ta"``."""
        return self.order.state_names(self.shells)

    def bonds(self, state: Codes, grid: SiteGrid) -> NDArray[np.int64]:
        """Ordered bond counts of a state by shell, shape (n_shells, S, S)."""
        n_species = len(self.species) + 1
        return np.array(
            [
                bond_counts(state, shell_neighbors(grid, k + 1), n_species)
                for k in range(self.shells)
            ]
        )

    @cached_property
    def start(self) -> Array:
        """Bond densities of the large system's initial state, shape (d,)."""
        return self.order.state(self.bonds(self.large_state, self.large), self.large.n_sites)

    @property
    def vacancy_scale(self) -> float:
        """Vacancy concentration of the large system over that of the small one."""
        small = float(np.mean(self.small_states == len(self.species)))
        return float(self.order.fractions[-1] / small) if small else 1.0

    def condition(self, temperature: float) -> Array:
        """1000 K / T, then the fraction of every species of atom but the last."""
        atoms = self.order.counts[:-1]
        return np.concatenate([[1000 / temperature], atoms[:-1] / atoms.sum()])


def kept_rows(n_times: int, share: int = 32) -> set[int]:
    """Rows whose states are kept: log-spaced in the first half, equidistant in the second."""
    half = n_times // 2
    early = np.unique(np.round(np.geomspace(1, half, share)).astype(int) - 1)
    late = np.linspace(half, n_times - 1, share).astype(int)
    return {int(k) for k in (*early, *late)}
