"""The arrays of a vacancy walk and the kernel that moves them, without atoms."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from ase import units
from numpy.typing import ArrayLike, NDArray

from ...barriers import BarrierModel
from ...kinetics.hop_rates import Kinetics, hop_rates
from ...kinetics.padding import geometry_of, pad, padded_sites, unpad
from ...kinetics.shell_bonds import count_bonds, shell_offsets
from ...kinetics.vacancy_walk import Bonds, retrace, walk
from ...lattice import SiteGrid
from ..temperature import require_temperature

ATTEMPT_RATE_PER_S = 1e13
NO_LIMIT = 2**62


class Walked(NamedTuple):
    """What a stretch of a walk did.

    ``hops``; ``exposure_s``, the sum over hops of the mean residence time before each;
    ``meetings``, the hops that ended beside another vacancy.
    """

    hops: int
    exposure_s: float
    meetings: int


class VacancyWalker:
    """Vacancies of one crystal.

    Parameters
    ----------
    grid : SiteGrid
    occupation : int8 array, shape (n_sites,)
        Species codes, the vacancy last.
    barriers : BarrierModel
    temperature_K : float
    rng_state : uint64 array, shape (4,)
        Advances in place.
    vacancies : int array, shape (n_vacancies,), optional
        Sites of the vacancies that hop, in the order to keep; default all, ascending.
    attempt_rate : float
        In 1/s.
    n_shells : int
        Neighbour shells whose bonds are counted.
    held : int array, optional
        Sites whose atoms do not hop.

    Attributes
    ----------
    padded : int8 array
        Species codes with halo.
    sites : int64 array, shape (n_vacancies,)
        Padded positions of the vacancies.
    bonds : int64 array, shape (n_shells, S, S)
        Ordered counts of bonds by shell, up to date.
    clock : float64 array, shape (1,)
        Time in s.
    betas : float64 array
        1 / k_B T of the hops to come, 1/eV; the last holds on.

    Raises
    ------
    ValueError
        If temperature or attempt rate is not above 0, or the crystal is too small.
    """

    def __init__(
        self,
        grid: SiteGrid,
        occupation: NDArray[np.int8],
        barriers: BarrierModel,
        temperature_K: float,
        rng_state: NDArray[np.uint64],
        vacancies: ArrayLike | None = None,
        attempt_rate: float = ATTEMPT_RATE_PER_S,
        n_shells: int = 1,
        held: ArrayLike = (),
    ) -> None:
        self.attempt_rate = number(attempt_rate, "attempt_rate")
        if self.attempt_rate <= 0:
            raise ValueError(f"attempt_rate must be above 0, not {attempt_rate}")
        n_species = len(barriers.species) + 1
        if vacancies is None:
            vacancies = np.flatnonzero(occupation == n_species - 1)
        self.grid = grid
        self.geometry = geometry_of(grid)
        self.tables = barriers.tables_for(grid)
        self.betas = np.array([1 / (units.kB * require_temperature(temperature_K))])
        self.padded = pad(grid, occupation)
        self.sites = padded_sites(grid, vacancies)
        self.rng_state = rng_state
        self.clock = np.zeros(1)
        self.bonds = count_bonds(grid, self.padded, n_shells, n_species)[0]
        self._held = _padded_mask(grid, np.asarray(held, dtype=np.int64))
        shells, shell_of = shell_offsets(grid, n_shells)
        self._shells, self._shell_of = shells.copy(), shell_of.copy()

    @property
    def occupation(self) -> NDArray[np.int8]:
        """Species codes by site, shape (n_sites,)."""
        return unpad(self.grid, self.padded)

    @property
    def rates(self) -> NDArray[np.float64]:
        """Rates of the next hops in 1/s, shape (n_vacancies, Z)."""
        return hop_rates(
            self.tables, self.padded, self.sites, self.geometry.n_basis, self._kinetics
        )

    @property
    def _kinetics(self) -> Kinetics:
        return Kinetics(self.attempt_rate, self.betas, self._held)

    def advance(
        self,
        end_time: float = np.inf,
        max_hops: int = NO_LIMIT,
        trail: NDArray[np.int64] | None = None,
    ) -> Walked:
        """Hop until a time in s or a number of hops; ``trail``, shape (n, 2), records hops."""
        return self._advance(self.sites, self.clock, self.rng_state, end_time, max_hops, trail)

    def _advance(
        self,
        sites: NDArray[np.int64],
        clock: NDArray[np.float64],
        rng_state: NDArray[np.uint64],
        end_time: float,
        max_hops: int,
        trail: NDArray[np.int64] | None,
    ) -> Walked:
        record = np.empty((0, 2), dtype=np.int64) if trail is None else trail
        return Walked(
            *walk(
                self.tables,
                self.geometry,
                self.padded,
                sites,
                Bonds(self._shells, self._shell_of, self.bonds),
                record,
                self._kinetics,
                clock,
                end_time,
                max_hops,
                rng_state,
            )
        )

    def try_alone(
        self, vacancy: int, duration: float, rng_state: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int64], Walked]:
        """Let one vacancy hop alone for a time in s, then undo it.

        Returns
        -------
        change : int64 array, shape (n_shells, S, S)
            Change of the ordered bond counts.
        walked : Walked
        """
        before = self.bonds.copy()
        site, clock = self.sites[vacancy : vacancy + 1].copy(), np.zeros(1)
        trails: list[NDArray[np.int64]] = []
        parts = [Walked(0, 0.0, 0)]
        while clock[0] < duration:
            trail = np.empty((4096, 2), dtype=np.int64)
            part = self._advance(site, clock, rng_state, duration, len(trail), trail)
            parts.append(part)
            trails.append(trail[: part.hops])
            if part.hops == 0:
                break
        change = self.bonds - before
        for trail in reversed(trails):
            retrace(self.geometry, self.padded, trail, len(trail))
        self.bonds[:] = before
        return change, Walked(*(sum(values) for values in zip(*parts)))


def number(value: Any, name: str) -> float:
    """A finite number; ValueError, with its name, if it is none."""
    try:
        found = math.nan if isinstance(value, str | bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{name} must be a finite number, not {value!r}")
    return found


def _padded_mask(grid: SiteGrid, sites: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Padded, where these sites are; empty if there are none."""
    if not len(sites):
        return np.zeros(0, dtype=np.bool_)
    mask = np.zeros(grid.n_sites, dtype=np.bool_)
    mask[sites] = True
    return pad(grid, mask)
