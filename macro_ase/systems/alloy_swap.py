"""Short-range order of an alloy under swaps of nearest neighbours.

Every site is chosen at unit rate; the atom there is exchanged with a random first neighbour
by the Metropolis rule, on an energy that `SwapEngine` knows. Time is counted in
attempts per site. A patch is a block of cells with a buffer around it, in the true crystal. The
whole change of the bonds by a move counts by halves, one for each of its sites in the block: a swap
across the border and its reversal then cancel, whichever of the two sites was chosen first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..rng import kernel_state
from ..site_cells import SiteCells
from .alloy_crystals import AlloyCrystals, Codes, Sites, kept_rows
from .alloy_upsampling import SeamSwaps
from .base import Condition, Trajectory
from .swap_engines import EAMSwaps, Laid, SwapEngine

RECORD_ATTEMPTS = 0.125


@dataclass(frozen=True, kw_only=True)
class SwapAlloy(AlloyCrystals):
    """An alloy whose neighbours swap, small and large; see `AlloyCrystals` for the crystals.

    Attributes
    ----------
    swaps : SwapEngine
    buffer_cells : int
        Cells around a patch that move with it and are not counted.
    patch_size : (int, int, int), optional
        Cells of a patch; default those of the small system.
    """

    swaps: SwapEngine
    buffer_cells: int = 1
    patch_size: tuple[int, int, int] | None = None

    event: ClassVar[str] = "attempts per site"
    time_unit: ClassVar[str] = "attempts per site"
    record_events: ClassVar[float] = RECORD_ATTEMPTS
    substeps: ClassVar[int] = 1

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""
        return self.swaps.species

    @property
    def seam_swaps(self) -> SeamSwaps:
        """Swaps on the same energy."""
        assert isinstance(self.swaps, EAMSwaps)
        return self.swaps

    def least_small_events(self, longest_step: float) -> float:
        """Attempts per site of a small run that holds twice the longest lag of a scan."""
        return 8 * longest_step

    def events_of(self, small_events: float) -> tuple[float, float, float]:
        """Attempts of a small run, and of a patch and of the whole per attempt and site."""
        embedded = self.boundary == "embedded"
        patch = len(self.patch(0)[0]) if embedded else self.small.n_sites
        return small_events * self.small.n_sites, patch, self.large.n_sites

    @property
    def block(self) -> tuple[int, int, int]:
        """Cells of a patch along each axis."""
        return self.patch_size or self.small.size

    def n_patches(self, state: Codes) -> int:
        """K: patches' worth of sites in a large state."""
        cells = int(np.prod(self.large.size))
        return max(1, round(cells / int(np.prod(self.block))))

    def patch(self, number: int | np.integer) -> Laid:
        """Active sites of a patch, those of its core first, and how many those are.

        Patches are numbered as blocks, the last axis fastest. It costs as much as the patch is
        large, once.
        """
        if int(number) not in self._patches:
            self._patches[int(number)] = self._laid(int(number))
        return self._patches[int(number)]

    @cached_property
    def _patches(self) -> dict[int, Laid]:
        """Those that were asked for."""
        return {}

    def _laid(self, number: int) -> Laid:
        """As `patch`, found anew."""
        large, small = np.array(self.large.size), np.array(self.block)
        start = small * np.unravel_index(number, large // small)
        core = self._block(start, small)
        buffer = np.minimum(small + 2 * self.buffer_cells, large)
        around = self._block(start - self.buffer_cells, buffer)
        return np.concatenate([core, np.setdiff1d(around, core, assume_unique=True)]), len(core)

    def _block(self, start: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sites of a periodic block of cells, ascending."""
        axes = [np.arange(x, x + n) % big for x, n, big in zip(start, size, self.large.size)]
        cells = np.ravel_multi_index(tuple(np.ix_(*axes)), self.large.size)
        n_basis = self.large.n_sites // int(np.prod(self.large.size))
        return np.sort((n_basis * cells[..., None] + np.arange(n_basis)).ravel())

    def _run(
        self,
        grid: Sites,
        state: Any,
        temperature: float,
        time: float,
        rng: np.random.Generator,
        rng_state: NDArray[np.uint64],
        bonds: Array,
    ) -> None:
        """Let a whole crystal go on for a time; ``bonds`` follows."""
        attempts = rng.poisson(time * grid.n_sites)
        self.swaps.run(grid, state, attempts, temperature, rng_state, bonds)

    def small_trajectory(
        self,
        n_events: float,
        condition: Condition,
        seed: np.random.SeedSequence,
        start: Codes | None = None,
    ) -> Trajectory:
        """Run one small crystal for ``n_events`` attempts per site.

        The initial state is ``start``, or that of `small_start`; states are kept at log-spaced
        times of the first half and equidistant ones of the second.
        """
        choice, *run_seeds = seed.spawn(3)
        start = self.small_start(choice) if start is None else start
        times = RECORD_ATTEMPTS * np.arange(max(int(n_events / RECORD_ATTEMPTS), 8), dtype=float)
        kept = kept_rows(len(times))
        z, extra, states = self._path(self.small, start, times, condition["T"], run_seeds, kept)
        return Trajectory(times, z, np.array(states), np.sort(list(kept)), 1.0, extra)

    def path(
        self,
        grid: Sites,
        start: Codes,
        times: Array,
        temperature: float,
        seed: np.random.SeedSequence,
        kept: Collection[int] = (),
    ) -> tuple[Array, Array, list[Codes]]:
        """Bond densities, vacancy neighbours (0) and some states of a crystal at times."""
        return self._path(grid, start, times, temperature, seed.spawn(2), kept)

    def _path(
        self,
        grid: Sites,
        start: Codes,
        times: Array,
        temperature: float,
        seeds: list[np.random.SeedSequence],
        kept: Collection[int],
    ) -> tuple[Array, Array, list[Codes]]:
        """As `path`, with the seeds of the numbers of attempts and of the swaps."""
        rng, rng_state = np.random.default_rng(seeds[0]), kernel_state(seeds[1])
        state, bonds = self.swaps.begin(grid, start), self.bonds(start, grid).astype(float)
        z, neighbours, states = [], [], []
        for k, time in enumerate(np.diff(times, prepend=times[0])):
            self._run(grid, state, temperature, time, rng, rng_state, bonds)
            z.append(self.order.state(bonds, grid.n_sites))
            neighbours.append(self.order.vacancy_neighbours(bonds[0]))
            if k in kept:
                states.append(state.occupation.copy())
        return np.array(z), np.array(neighbours), states

    def upsample(
        self,
        state: Codes,
        healing_events: float,
        condition: Condition,
        seed: np.random.SeedSequence,
    ) -> tuple[Codes, Array]:
        """Tile, heal the seams by swaps, then let the whole go on for ``healing_events``.

        States of other cells than bcc do not grow.
        """
        if isinstance(self.large, SiteCells):
            return state, np.full((2, len(self.names)), np.nan)
        tile_seed, *run_seeds = seed.spawn(3)
        large, times = (
            self.upsampler(state, condition["T"], tile_seed),
            np.array([0, healing_events]),
        )
        healed = self._path(self.large, large, times, condition["T"], run_seeds, (1,))[2][0]
        return healed, self.upsampler.seam_and_bulk(healed, self.order)

    def evolve_patches(
        self,
        state: Codes,
        dt: float,
        temperature: float,
        patches: NDArray[np.int64],
        seeds: Sequence[np.random.SeedSequence],
    ) -> list[tuple[NDArray[Any], bool]]:
        """Some patches of a large state, each alone for ``dt`` attempts per site; none meets."""
        evolve = self._evolve_tiles if self.boundary == "periodic" else self._evolve_blocks
        return [(change, False) for change in evolve(state, temperature, dt, patches, seeds)]

    def _evolve_blocks(
        self,
        state: Codes,
        temperature: float,
        dt: float,
        patches: NDArray[np.int64],
        seeds: Sequence[np.random.SeedSequence],
    ) -> list[Array]:
        """Whole changes of bonds by moves in the core of each patch."""
        patches_of, attempts, streams = [self.patch(number) for number in patches], [], []
        for (active, _), own in zip(patches_of, seeds):
            count_seed, swap_seed = own.spawn(2)
            attempts.append(int(np.random.default_rng(count_seed).poisson(dt * len(active))))
            streams.append(kernel_state(swap_seed))
        return self.swaps.try_patches(self.large, state, attempts, temperature, streams, patches_of)

    def _evolve_tiles(
        self,
        state: Codes,
        temperature: float,
        dt: float,
        patches: NDArray[np.int64],
        seeds: Sequence[np.random.SeedSequence],
    ) -> list[Array]:
        """Changes of bonds of each block as a periodic crystal of its own."""
        changes = []
        for number, own in zip(patches, seeds):
            tile = self.upsampler.tile(state, number)
            count_seed, swap_seed = own.spawn(2)
            sites = self.swaps.begin(self.small, tile)
            change = np.zeros(self.bonds(tile, self.small).shape)
            rng, rng_state = np.random.default_rng(count_seed), kernel_state(swap_seed)
            self._run(self.small, sites, temperature, dt, rng, rng_state, change)
            changes.append(change)
        return changes
