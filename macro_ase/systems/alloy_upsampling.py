"""Large alloy states from small ones: tiles, shifted independently, with healed seams.

Each level doubles the crystal along every axis that still has a factor of two to go (or
takes the whole remaining factor). Every tile is shifted by its own lattice vector, which
keeps the composition and, inside, all correlations exactly. Bonds across borders start
random; Metropolis swaps within the seam band restore them, and stop when the unlike-bond
densities of the band are as near to those of the tile's bulk as they get.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from ase import units
from numpy.typing import NDArray

from ..arrays import Array
from ..barriers import PairEnergy
from ..kinetics.healing import Looks, Seam, SwapEnergy, gains, heal
from ..kinetics.padding import cells_of, geometry_of, pad, padded_sites
from ..kinetics.shell_bonds import count_bonds, shell_offsets
from ..lattice import SiteGrid
from ..rng import kernel_state
from .alloy_order import BondOrder

Codes = NDArray[np.int8]
SWEEPS_PER_LOOK = 0.5
MOST_LOOKS = 80
PATIENCE = 12


class SeamSwaps(Protocol):
    """What heals seams: swaps of atoms at their energy."""

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""

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


@dataclass(frozen=True)
class PairSwaps:
    """Swaps of any two sites on a pair energy."""

    energy: PairEnergy

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""
        return self.energy.species

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
        sites = swapped_sites(state, band, len(self.species))
        padded, padded_band = pad(grid, state), pad(grid, band)
        offsets, pair = self.energy.kernel_arrays(grid)
        seam = Seam(
            padded_sites(grid, sites),
            cells_of(grid, sites),
            padded_band,
            *shell_offsets(grid, shells),
            count_bonds(grid, padded, shells, len(self.species) + 1, padded_band),
            np.bincount(band, minlength=2),
        )
        energy = SwapEnergy(offsets, gains(pair), 1 / (units.kB * temperature))
        looks = Looks(MOST_LOOKS, int(SWEEPS_PER_LOOK * len(sites)), PATIENCE)
        healed = state.copy()
        healed[sites] = heal(geometry_of(grid), padded, seam, energy, looks, rng_state)
        return healed


def _levels(small: tuple[int, ...], large: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Sizes to go through, the small one first."""
    sizes = [small]
    while sizes[-1] != large:
        now = sizes[-1]
        factors = [big // n for n, big in zip(now, large)]
        sizes.append(tuple(n * (2 if f % 2 == 0 else f) for n, f in zip(now, factors)))
    return sizes


@dataclass(frozen=True)
class Upsampler:
    """Tiles states of the small grid into states of the large one.

    Attributes
    ----------
    small, large : SiteGrid
    swaps : SeamSwaps
        What heals.
    shells : int
        Neighbour shells whose bonds in the seams must match the bulk's.

    Raises
    ------
    ValueError
        If the small size does not divide the large one.
    """

    small: SiteGrid
    large: SiteGrid
    swaps: SeamSwaps
    shells: int = 1

    def __post_init__(self) -> None:
        if any(big % n for n, big in zip(self.small.size, self.large.size)):
            raise ValueError(
                f"the small system, {_times(self.small.size)} cells, does not divide "
                f"the large one, {_times(self.large.size)} cells"
            )

    @cached_property
    def _seams(self) -> dict[tuple[int, ...], tuple[SiteGrid, SiteGrid, NDArray[np.bool_]]]:
        """By level: the grid, its tile, and which sites lie in the seam band."""
        sizes = _levels(self.small.size, self.large.size)
        result = {}
        for tile, size in itertools.pairwise(sizes):
            grid = SiteGrid(self.large.lattice, (size[0], size[1], size[2]))
            cells = np.floor_divide(grid.coordinates, 2)
            inside = np.mod(cells, tile)
            border = (inside == 0) | (inside == np.array(tile) - 1)
            split = np.array(size) > np.array(tile)
            band = np.any(border & split, axis=1)
            result[size] = (grid, SiteGrid(grid.lattice, (tile[0], tile[1], tile[2])), band)
        return result

    def __call__(self, state: Codes, temperature: float, seed: np.random.SeedSequence) -> Codes:
        """A large state from a small one of shape (n_small,)."""
        for (grid, tile, band), level_seed in zip(
            self._seams.values(), seed.spawn(len(self._seams))
        ):
            shift_seed, swap_seed = level_seed.spawn(2)
            state = _tile(state, tile, grid, np.random.default_rng(shift_seed))
            rng_state = kernel_state(swap_seed)
            state = self.swaps.heal(state, grid, band, self.shells, temperature, rng_state)
        return state

    def tiles(self, state: Codes) -> list[Codes]:
        """The blocks of the small size that make up a large state."""
        return [self.tile(state, k) for k in range(self.large.n_sites // self.small.n_sites)]

    def tile(self, state: Codes, number: int | np.integer) -> Codes:
        """One of `tiles`, the last axis fastest."""
        counts = [big // n for big, n in zip(self.large.size, self.small.size)]
        block = zip(np.unravel_index(number, counts), self.small.size)
        where = tuple(slice(i * n, (i + 1) * n) for i, n in block)
        return np.ascontiguousarray(state.reshape(*self.large.size, -1)[where]).ravel()

    def seam_and_bulk(self, state: Codes, order: BondOrder) -> Array:
        """Unlike-bond densities of the seam band and of the bulk, shape (2, d)."""
        if not self._seams:
            return np.full((2, self.shells * len(order.pairs)), np.nan)
        grid, _, band = self._seams[self.large.size]
        n_species = len(self.swaps.species) + 1
        bonds = count_bonds(grid, pad(grid, state), self.shells, n_species, pad(grid, band))
        shares = band_shares(bonds, np.bincount(band, minlength=2))
        return np.array([order.densities(group, 1).ravel() for group in shares])


def swapped_sites(state: Codes, band: NDArray[np.bool_], vacancy: int) -> NDArray[np.int64]:
    """Sites of the atoms in a band."""
    return np.flatnonzero(band & (state != vacancy))


def band_shares(bonds: NDArray[np.int64], sizes: NDArray[np.int64]) -> Array:
    """Bonds per site by species in the band and in the bulk, (2, shells, S, S).

    Both arguments have the bulk first; the bonds are ordered.
    """
    shares = (bonds + bonds.swapaxes(-1, -2)) / 2
    return (shares / sizes[:, None, None, None])[::-1]


def mismatch(bonds: NDArray[np.int64], sizes: NDArray[np.int64]) -> float:
    """Squared distance between the unlike-bond densities of band and bulk, of `band_shares`."""
    if not sizes[0]:
        return 0.0
    band, bulk = band_shares(bonds, sizes)
    first, second = np.triu_indices(bonds.shape[-1] - 1, 1)
    return float(((band - bulk)[:, first, second] ** 2).sum())


def _times(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))


def _tile(state: Codes, tile: SiteGrid, grid: SiteGrid, rng: np.random.Generator) -> Codes:
    """Copies of a tile, each shifted by its own lattice vector."""
    source = state.reshape(*tile.size, -1)
    target = np.empty((*grid.size, source.shape[-1]), dtype=np.int8)
    counts = [big // n for big, n in zip(grid.size, tile.size)]
    for number in np.ndindex(*counts):
        where = tuple(slice(i * n, (i + 1) * n) for i, n in zip(number, tile.size))
        shift = tuple(int(rng.integers(n)) for n in tile.size)
        target[where] = np.roll(source, shift, axis=(0, 1, 2))
    return target.ravel()
