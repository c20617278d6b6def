"""What swaps the atoms of an alloy; the compiled ones, of tables and of pair energies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..barriers.pair_energy import PairEnergy
from ..engines.swaps.eam_lattice import EAMLattice
from ..engines.swaps.moves import NeighbourSwap, Swap
from ..engines.swaps.pair_lattice import pair_lattice
from ..kinetics.eam_sites import SiteState
from ..kinetics.padding import pad
from ..kinetics.shell_bonds import count_bonds
from ..lattice import SiteGrid
from ..potentials.eam_table import EAMTable
from ..site_cells import SiteCells
from .alloy_crystals import Codes, Sites
from .alloy_upsampling import MOST_LOOKS, PATIENCE, SWEEPS_PER_LOOK, mismatch, swapped_sites

Laid = tuple[NDArray[np.int64], int]
"""Active sites of a patch, those of its core first, and how many those are."""


class SwapEngine(Protocol):
    """Swaps of neighbours on the sites of a grid."""

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""

    def begin(self, grid: Sites, codes: Codes) -> Any:
        """A state with these species codes, with an ``occupation``."""

    def run(
        self,
        grid: Sites,
        state: Any,
        attempts: int,
        temperature: float,
        rng_state: NDArray[np.uint64],
        bonds: Array,
    ) -> None:
        """Attempt swaps of the whole; state, random numbers and ordered bond counts follow."""

    def try_patches(
        self,
        grid: Sites,
        codes: Codes,
        attempts: Sequence[int],
        temperature: float,
        rng_states: Sequence[NDArray[np.uint64]],
        patches: Sequence[Laid],
    ) -> list[Array]:
        """Changes of the ordered bond counts by each patch alone, (n_shells, S, S) each."""


class CompiledSwaps(ABC):
    """Swaps by the compiled kernel, below some us each."""

    @property
    @abstractmethod
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""

    @abstractmethod
    def lattice(self, grid: Sites) -> EAMLattice:
        """The sites of a grid, made once."""

    def begin(self, grid: Sites, codes: Codes) -> SiteState:
        """A state with these species codes."""
        return self.lattice(grid).state(codes)

    def run(
        self,
        grid: Sites,
        state: SiteState,
        attempts: int,
        temperature: float,
        rng_state: NDArray[np.uint64],
        bonds: Array,
    ) -> None:
        """Attempt swaps of the whole; state, random numbers and bonds follow."""
        self.lattice(grid).run(
            state, attempts, temperature, rng_state, NeighbourSwap(), bonds=bonds
        )

    def try_patches(
        self,
        grid: Sites,
        codes: Codes,
        attempts: Sequence[int],
        temperature: float,
        rng_states: Sequence[NDArray[np.uint64]],
        patches: Sequence[Laid],
    ) -> list[Array]:
        """Changes of bonds by each patch alone."""
        lattice, state = self.lattice(grid), self.begin(grid, codes)
        return [
            lattice.try_patch(state, number, temperature, rng, NeighbourSwap(), *patch)[0]
            for number, rng, patch in zip(attempts, rng_states, patches)
        ]


@dataclass(frozen=True)
class PairSwaps(CompiledSwaps):
    """A pair energy on bcc cells.

    Attributes
    ----------
    energy : PairEnergy
    shells : int
        Neighbour shells whose bonds are counted.
    """

    energy: PairEnergy
    shells: int
    _lattices: dict[Sites, EAMLattice] = field(default_factory=dict, repr=False, compare=False)

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""
        return self.energy.species

    def lattice(self, grid: Sites) -> EAMLattice:
        """The sites of a grid, made once."""
        assert isinstance(grid, SiteCells)
        if grid not in self._lattices:
            self._lattices[grid] = pair_lattice(grid, self.energy, self.shells)
        return self._lattices[grid]


@dataclass(frozen=True)
class EAMSwaps(CompiledSwaps):
    """An embedded-atom energy on the sites of any grid.

    Attributes
    ----------
    table : EAMTable
    lattice_constant_A : float
        Of bcc grids; cells have their own.
    shells : int
        Neighbour shells whose bonds are counted.
    """

    table: EAMTable
    lattice_constant_A: float
    shells: int
    _lattices: dict[Sites, EAMLattice] = field(default_factory=dict, repr=False, compare=False)

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""
        return self.table.species

    def lattice(self, grid: Sites) -> EAMLattice:
        """The sites of a grid, made once."""
        if grid not in self._lattices:
            self._lattices[grid] = (
                EAMLattice.from_cells(grid, self.table, self.shells)
                if isinstance(grid, SiteCells)
                else EAMLattice.from_grid(grid, self.table, self.lattice_constant_A, self.shells)
            )
        return self._lattices[grid]

    def heal(
        self,
        state: Codes,
        grid: SiteGrid,
        band: NDArray[np.bool_],
        shells: int,
        temperature: float,
        rng_state: NDArray[np.uint64],
    ) -> Codes:
        """The state after swaps in the band whose bonds there are nearest to those of the bulk."""
        lattice, groups = self.lattice(grid), pad(grid, band)
        sites, sizes = swapped_sites(state, band, len(self.species)), np.bincount(band, minlength=2)

        def distance(codes: Codes) -> float:
            n_species = len(self.species) + 1
            return mismatch(count_bonds(grid, pad(grid, codes), shells, n_species, groups), sizes)

        now, best, least, misses = lattice.state(state), state, distance(state), 0
        for _ in range(MOST_LOOKS):
            attempts = int(SWEEPS_PER_LOOK * len(sites))
            lattice.run(now, attempts, temperature, rng_state, Swap(), sites)
            found = distance(now.occupation)
            if found < least:
                best, least, misses = now.occupation.copy(), found, 0
            else:
                misses += 1
            if misses == PATIENCE:
                break
        return best
