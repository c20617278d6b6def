"""Short-range order of a bcc alloy under vacancy diffusion.

The observables are bond densities N_AB / n of unlike neighbours, A < B: means over
patches. Those of the first shell are predicted; those of further shells, which the first
remembers, help to close the state. A patch is one vacancy in the true
lattice, wherever it goes, with n_s = n / K sites to itself: a spatial block would not
hold it. The paper's alternative, ``boundary="periodic"``, evolves a tile of the large
crystal as a little periodic crystal of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..barriers import BarrierModel, PairEnergy
from ..engines.vacancies.walker import VacancyWalker
from ..lattice import SiteGrid
from ..rng import kernel_state
from .alloy_crystals import AlloyCrystals, Codes, Sites, kept_rows
from .alloy_upsampling import PairSwaps
from .base import Condition, Trajectory

RECORD_HOPS = 125
RESIDENCE_HOPS = 20_000


@dataclass(frozen=True, kw_only=True)
class Alloy(AlloyCrystals):
    """A bcc alloy with vacancies, small and large; see `AlloyCrystals` for the crystals.

    Attributes
    ----------
    barriers : BarrierModel
    healing_energy : PairEnergy
        Energy of the swaps that heal the seams of upsampled states.
    """

    barriers: BarrierModel
    healing_energy: PairEnergy

    event: ClassVar[str] = "hops of a vacancy"
    time_unit: ClassVar[str] = "s"
    record_events: ClassVar[float] = RECORD_HOPS
    substeps: ClassVar[int] = 4

    @property
    def species(self) -> tuple[str, ...]:
        """Symbols by code, without the vacancy, whose code comes last."""
        return self.barriers.species

    @property
    def seam_swaps(self) -> PairSwaps:
        """Swaps on the healing energy."""
        return PairSwaps(self.healing_energy)

    def least_small_events(self, longest_step: float) -> float:
        """Hops of a small run whose stationary half holds twice the longest lag of a scan."""
        return 8 * longest_step * self._vacancies(self.small_states[0])

    def events_of(self, small_events: float) -> tuple[float, float, float]:
        """Hops of a small run, its clock's measured before; of a patch and of the whole."""
        quarter = int(small_events) // 4
        clock = quarter + max(quarter, RESIDENCE_HOPS)
        whole = self._vacancies(self.large_state)
        return int(small_events) + clock, whole / self.n_patches(self.large_state), whole

    def _vacancies(self, state: Codes) -> int:
        return int(np.sum(state == len(self.species)))

    def n_patches(self, state: Codes) -> int:
        """K: vacancies, or periodic tiles, in a large state."""
        if self.boundary == "periodic":
            return self.large.n_sites // self.small.n_sites
        return self._vacancies(state)

    def _walker(
        self, grid: Sites, state: Codes, temperature: float, seed: np.random.SeedSequence
    ) -> VacancyWalker:
        assert isinstance(grid, SiteGrid)
        return VacancyWalker(
            grid, state, self.barriers, temperature, kernel_state(seed), n_shells=self.shells
        )

    def _observe(self, walker: VacancyWalker) -> tuple[Array, Array]:
        """Bond densities, and vacancy neighbours per atom of each species."""
        z = self.order.state(walker.bonds, walker.grid.n_sites)
        return z, self.order.vacancy_neighbours(walker.bonds[0])

    def small_trajectory(
        self,
        n_events: float,
        condition: Condition,
        seed: np.random.SeedSequence,
        start: Codes | None = None,
    ) -> Trajectory:
        """Run one small crystal for about ``n_events`` hops of its vacancies.

        The initial state is ``start``, or that of `small_start`. Times are equidistant, 125 mean
        residence times of a vacancy in the relaxed crystal; states are kept at log-spaced
        times of the first half and equidistant ones of the second.
        """
        n_hops, temperature = int(n_events), condition["T"]
        choice, clock_seed, run_seed = seed.spawn(3)
        start = self.small_start(choice) if start is None else start
        n_vacancies = self._vacancies(start)
        scout = self._walker(self.small, start, temperature, clock_seed)
        scout.advance(max_hops=n_hops // 4)
        measured = scout.advance(max_hops=max(n_hops // 4, RESIDENCE_HOPS))
        step = RECORD_HOPS * n_vacancies * measured.exposure_s / measured.hops
        n_times = max(n_hops // (RECORD_HOPS * n_vacancies), 8)
        kept = kept_rows(n_times)
        walker = self._walker(self.small, start, temperature, run_seed)
        rows, states, exposure, hops = [], [], 0.0, 0
        for k in range(n_times):
            if k:
                part = walker.advance(end_time=k * step)
                if 2 * k >= n_times:
                    exposure += part.exposure_s
                    hops += part.hops
            rows.append(self._observe(walker))
            if k in kept:
                states.append(walker.occupation)
        z, neighbours = (np.array(column) for column in zip(*rows))
        tau_w = n_vacancies * exposure / hops
        times = step * np.arange(n_times, dtype=np.float64)
        return Trajectory(times, z, np.array(states), np.sort(list(kept)), tau_w, neighbours)

    def upsample(
        self,
        state: Codes,
        healing_events: float,
        condition: Condition,
        seed: np.random.SeedSequence,
    ) -> tuple[Codes, Array]:
        """Tile, heal the seams by swaps, then let every vacancy hop ``healing_events`` times.

        Returns
        -------
        state : int8 array, shape (n_large,)
        seam : array, shape (2, d)
            Unlike-bond densities in the seam band and in the bulk of the tiles, after all.
        """
        tile_seed, hop_seed = seed.spawn(2)
        large = self.upsampler(state, condition["T"], tile_seed)
        walker = self._walker(self.large, large, condition["T"], hop_seed)
        walker.advance(max_hops=int(healing_events * len(walker.sites)))
        large = walker.occupation
        return large, self.upsampler.seam_and_bulk(large, self.order)

    def evolve_patches(
        self,
        state: Codes,
        dt: float,
        temperature: float,
        patches: NDArray[np.int64],
        seeds: Sequence[np.random.SeedSequence],
    ) -> list[tuple[NDArray[Any], bool]]:
        """Some vacancies, or tiles, of a large state, each alone for ``dt`` seconds."""
        if self.boundary == "embedded":
            walker = self._walker(self.large, state, temperature, seeds[0])
            done = [walker.try_alone(v, dt, kernel_state(own)) for v, own in zip(patches, seeds)]
            return [(change, walked.meetings > 0) for change, walked in done]
        results = []
        for number, own in zip(patches, seeds):
            tile = self.upsampler.tile(state, number)
            walker = self._walker(self.small, tile, temperature, own)
            before = walker.bonds.copy()
            walked = walker.advance(end_time=dt)
            results.append((walker.bonds - before, walked.meetings > 0))
        return results

    def path(
        self,
        grid: Sites,
        start: Codes,
        times: Array,
        temperature: float,
        seed: np.random.SeedSequence,
        kept: Collection[int] = (),
    ) -> tuple[Array, Array, list[Codes]]:
        """Bond densities, vacancy neighbours and some states of a crystal at times in s."""
        walker, rows, states = self._walker(grid, start, temperature, seed), [], []
        for k, time in enumerate(times):
            walker.advance(end_time=time)
            rows.append(self._observe(walker))
            if k in kept:
                states.append(walker.occupation)
        z, neighbours = (np.array(column) for column in zip(*rows))
        return z, neighbours, states
