"""Order of the lattice in the small runs of an alloy: of its sublattices, and S(k).

Of bcc and fcc, whose conventional cells hold the ordered phases B2, L1_2 and L1_0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...analysis.order_comparison import Estimate, mean_of_runs
from ...arrays import Array, Chunk
from ...lattice import LATTICES, SiteGrid
from ...observables.long_range_order import structure_factors, sublattice_order
from ...site_cells import SiteCells
from ...systems.alloy_crystals import AlloyCrystals

PHASES = {"bcc": "B2", "fcc": "L1_2 or L1_0"}


@dataclass(frozen=True)
class LatticeOrder:
    """Of every temperature and species of atom, shape (n_T, S - 1) each.

    Attributes
    ----------
    phases : str
        In which the order of sublattices is 1.
    random : float
        Order of sublattices in a random crystal of this size.
    sublattices : Estimate
        Root mean square over states.
    highest : Estimate
        Highest mean structure factor along the cubic axes over that of a random crystal.
    at : array
        Its k, in units of 2 pi / a.
    """

    phases: str
    random: float
    sublattices: Estimate
    highest: Estimate
    at: Array

    @property
    def ways(self) -> dict[str, Estimate]:
        """By what they are called in a table."""
        exact = Estimate(self.at, np.zeros_like(self.at))
        return {
            "order of sublattices": self.sublattices,
            "highest S(k) / random": self.highest,
            "at k": exact,
        }


def lattice_order(system: AlloyCrystals, runs: Sequence[Sequence[Chunk]]) -> LatticeOrder | None:
    """Of the second halves of small runs, by temperature; None on other lattices."""
    grid, n_species = _cubic(system.small), len(system.order.counts)
    if grid is None:
        return None
    late = [[run["states"][run["kept"] >= len(run["z"]) // 2] for run in own] for own in runs]
    squares, square_errors = _over(
        [mean_of_runs([sublattice_order(s, grid, n_species) ** 2 for s in own]) for own in late]
    )
    eta = np.sqrt(squares)
    peaks = [_highest(own, grid, n_species) for own in late]
    value, error, k = _over(peaks)
    m, n = grid.lattice.n_basis, grid.n_sites
    return LatticeOrder(
        PHASES[grid.lattice.name],
        float(np.sqrt((m - 1) / (n - 1))),
        Estimate(eta, square_errors / (2 * eta)),
        Estimate(value, error),
        k,
    )


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
    if isinstance(sites, SiteCells) and sites.name in PHASES:
        return SiteGrid(LATTICES[sites.name], sites.size)
    cubic = isinstance(sites, SiteGrid) and sites.lattice.name in PHASES
    return sites if cubic else None
