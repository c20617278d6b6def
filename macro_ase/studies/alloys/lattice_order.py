"""Order of the lattice in the small runs of an alloy on bcc or fcc: phase by phase, and S(k)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...analysis.order_comparison import Estimate, mean_of_runs
from ...arrays import Array, Chunk
from ...lattice import LATTICES, SiteGrid
from ...observables.long_range_order import structure_factors
from ...observables.phase_order import RANDOM, half_peak, phase_order
from ...site_cells import SiteCells
from ...systems.alloy_crystals import AlloyCrystals

LATTICES_WITH_ORDER = ("bcc", "fcc")
_NAMES = {"any": "any phase"}
HALF = "S(1/2 1/2 1/2) / random"


@dataclass(frozen=True)
class LatticeOrder:
    """Of every temperature and species of atom, shape (n_T, S - 1) each.

    Attributes
    ----------
    phases : dict of Estimate
        Order parameter of each phase, root mean square over states; see `phase_order`.
    random : dict of float
        The same in a random crystal of this size.
    highest : Estimate
        Highest mean structure factor along the cubic axes over that of a random crystal.
    at : array
        Its k, in units of 2 pi / a.
    half : Estimate or None
        That at (1/2, 1/2, 1/2), of bcc.
    """

    phases: dict[str, Estimate]
    random: dict[str, float]
    highest: Estimate
    at: Array
    half: Estimate | None

    @property
    def ways(self) -> dict[str, Estimate]:
        """By what they are called in a table."""
        exact = Estimate(self.at, np.zeros_like(self.at))
        own = {
            f"order of {_NAMES.get(phase, phase)}": value for phase, value in self.phases.items()
        }
        half = {} if self.half is None else {HALF: self.half}
        return own | {"highest S(k) / random": self.highest, "at k": exact} | half


def lattice_order(system: AlloyCrystals, runs: Sequence[Sequence[Chunk]]) -> LatticeOrder | None:
    """Of the second halves of small runs, by temperature; None on other lattices."""
    grid, n_species = _cubic(system.small), len(system.order.counts)
    if grid is None:
        return None
    late = [[run["states"][run["kept"] >= len(run["z"]) // 2] for run in own] for own in runs]

    def mean(of_states: Callable[[Array], Array]) -> Estimate:
        return Estimate(*_over([mean_of_runs([of_states(s) for s in own]) for own in late]))

    def order(phase: str) -> Estimate:
        return _root(mean(lambda s: phase_order(s, grid, n_species)[phase]))

    phases = {phase: order(phase) for phase in phase_order(late[0][0], grid, n_species)}
    random = {phase: float(np.sqrt(RANDOM[phase] / (grid.n_sites - 1))) for phase in phases}
    value, error, k = _over([_highest(own, grid, n_species) for own in late])
    half = mean(lambda s: half_peak(s, grid, n_species)) if "D0_3" in phases else None
    return LatticeOrder(phases, random, Estimate(value, error), k, half)


def _root(square: Estimate) -> Estimate:
    """Of a mean square."""
    eta = np.sqrt(square.value)
    return Estimate(eta, np.divide(square.error, 2 * eta, np.zeros_like(eta), where=eta > 0))


def _over(by_temperature: Sequence[tuple[Array, ...]]) -> list[Array]:
    """Arrays of all temperatures, without the vacancy."""
    return [np.array(each)[:, :-1] for each in zip(*by_temperature, strict=True)]


def _highest(runs: Sequence[Array], grid: SiteGrid, n_species: int) -> tuple[Array, Array, Array]:
    """Mean, error and k of the highest S(k) / random of each species, k > 0, of all three axes."""
    k, means, errors = [], [], []
    for axis in range(3):
        factors = [structure_factors(states, grid, n_species)[axis] for states in runs]
        with np.errstate(invalid="ignore"):
            shown = [f.values[..., 1:] / f.random[..., None] for f in factors]
        mean, error = mean_of_runs(shown)
        means.append(mean)
        errors.append(error)
        k.append(factors[0].k[1:])
    value, error, at = np.concatenate(means, -1), np.concatenate(errors, -1), np.concatenate(k)
    top = value.argmax(axis=-1)
    pick = np.arange(n_species), top
    return value[pick], error[pick], at[top]


def _cubic(sites: Any) -> SiteGrid | None:
    """The grid of conventional cells of bcc or fcc."""
    if isinstance(sites, SiteCells) and sites.name in LATTICES_WITH_ORDER:
        return SiteGrid(LATTICES[sites.name], sites.size)
    cubic = isinstance(sites, SiteGrid) and sites.lattice.name in LATTICES_WITH_ORDER
    return sites if cubic else None
