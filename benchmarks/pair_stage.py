"""CPU time of a patch pair of an alloy, upsampling included, as it was and as it is, by size.

    python benchmarks/pair_stage.py [--quick] [--csv OUT]

NbMoTa with one vacancy per 1,024 sites at 2000 K, small crystals of 8 x 8 x 8 cells, settings of
the study `nbmota`: seams healed, 100 hops of every vacancy, every patch alone for 500 mean hops,
and every fourth state whole. "Before" heals by a loop in Python that pads the crystal, makes the
tables of energies and counts all bonds anew at each look, counts bonds from tables of neighbours,
and sums barriers one direction after another; same swaps, same hops, same pairs. "As they are" are
patches of the large states themselves, which is what `nbmota` does now. One core, CPU time, least
of some calls in turn; compile time is excluded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np
from ase import units
from numpy.typing import NDArray
from table import Row, main

from macro_ase.barriers import KRABarriers, PairEnergy
from macro_ase.config import load_config
from macro_ase.engines.vacancies.walker import VacancyWalker
from macro_ase.kinetics.barrier_tables import register
from macro_ase.kinetics.kra_hops import KRA_FLOOR_EV
from macro_ase.kinetics.padding import geometry_of, pad, padded_sites, unpad
from macro_ase.kinetics.swaps import swap_sweep
from macro_ase.lattice import SiteGrid, shell_neighbors
from macro_ase.observables.bonds import bond_counts, grouped_bond_counts
from macro_ase.rng import stream
from macro_ase.sampling.pairs import grown_pairs_chunk
from macro_ase.systems import Alloy
from macro_ase.systems.alloy_setup import alloy_from_config
from macro_ase.systems.alloy_upsampling import (
    MOST_LOOKS,
    PATIENCE,
    SWEEPS_PER_LOOK,
    PairSwaps,
    band_shares,
)

CONDITION = {"T": 2000.0}
STATES = {16: 16, 32: 4, 64: 4}
QUICK_STATES = {16: 4, 32: 4}
AS_THEY_ARE = {16: 32, 32: 8, 64: 4}
GROWN = ("system.small_size=[8,8,8]", "sampling.grow=true", "sampling.healing_events=100")
HOPS, HEALING_HOPS, SMALL_HOPS = 500, 100.0, 200_000
CALLS = 3
CHEAPER, FLAT = 3.0, 1.15


class SignedTables(NamedTuple):
    """`kinetics.kra_hops.KRATables` for barriers as they were."""

    targets: NDArray[np.int32]
    window: NDArray[np.int32]
    reach: NDArray[np.int32]
    activation: NDArray[np.float64]
    weights: NDArray[np.float64]


def barriers_before(tables: Any, padded: Any, site: Any, basis: Any, out: Any) -> int:
    """Barriers of the eight hops, one after another, with signed indices."""
    vacancy = tables.activation.size - 1
    near = 0
    for d in range(8):
        hopping = padded[site + tables.targets[basis, d]]
        if hopping == vacancy:
            out[d] = np.inf
            near += 1
            continue
        activation = tables.activation[hopping]
        change = 0.0
        for j in range(tables.window.shape[2]):
            species = padded[site + tables.window[basis, d, j]]
            near += species == vacancy
            activation += tables.weights[hopping, j, species, 0]
            change += tables.weights[hopping, j, species, 1]
        out[d] = max(activation, 0.5 * abs(change) + KRA_FLOOR_EV) + 0.5 * change
    return near


register(SignedTables, barriers_before)


class BarriersBefore(KRABarriers):
    """The same barriers from the kernel above."""

    def tables(self, grid: SiteGrid) -> Any:
        """Tables of the registered type."""
        return SignedTables(*super().tables(grid))


class SwapsBefore(PairSwaps):
    """Seams healed look by look, nothing kept from one to the next."""

    def heal(
        self,
        state: NDArray[np.int8],
        grid: SiteGrid,
        band: NDArray[np.bool_],
        shells: int,
        temperature: float,
        rng_state: NDArray[np.uint64],
    ) -> NDArray[np.int8]:
        """As `PairSwaps.heal`."""
        groups, n_species = np.where(band, 1, 0), len(self.species) + 1
        first, second = np.triu_indices(n_species - 1, 1)

        def mismatch(codes: NDArray[np.int8]) -> float:
            counts = [
                grouped_bond_counts(codes, shell_neighbors(grid, k + 1), n_species, groups)
                for k in range(shells)
            ]
            bonds = np.array(counts).swapaxes(0, 1)
            seam, bulk = band_shares(bonds, np.bincount(groups, minlength=2))
            return float(((seam - bulk)[:, first, second] ** 2).sum())

        sites = np.flatnonzero(band & (state != n_species - 1))
        attempts, now = int(SWEEPS_PER_LOOK * len(sites)), state
        best, least, misses = state, mismatch(state), 0
        for _ in range(MOST_LOOKS):
            now = self._sweep(now, grid, sites, temperature, attempts, rng_state)
            distance = mismatch(now)
            if distance < least:
                best, least, misses = now, distance, 0
            else:
                misses += 1
            if misses == PATIENCE:
                break
        return best

    def _sweep(
        self,
        state: NDArray[np.int8],
        grid: SiteGrid,
        sites: NDArray[np.int64],
        temperature: float,
        attempts: int,
        rng_state: NDArray[np.uint64],
    ) -> NDArray[np.int8]:
        offsets, pair = self.energy.kernel_arrays(grid)
        padded, betas = pad(grid, state), np.array([1 / (units.kB * temperature)])
        where, follow = padded_sites(grid, sites), np.zeros(0, dtype=np.int64)
        own = (where, offsets, pair, betas, attempts, rng_state, follow)
        swap_sweep(geometry_of(grid), padded, *own)
        return unpad(grid, padded)


class AlloyBefore(Alloy):
    """The alloy with all of this."""

    @property
    def seam_swaps(self) -> PairSwaps:
        """Swaps on the healing energy."""
        energy: PairEnergy = self.healing_energy
        return SwapsBefore(energy)

    def bonds(self, state: NDArray[np.int8], grid: SiteGrid) -> NDArray[np.int64]:
        """Ordered counts by shell, from tables of neighbours."""
        tables = [shell_neighbors(grid, k + 1) for k in range(self.shells)]
        return np.array([bond_counts(state, table, len(self.species) + 1) for table in tables])

    def _walker(self, grid: SiteGrid, state: NDArray[np.int8], *own: Any) -> VacancyWalker:
        walker = super()._walker(grid, state, *own)
        walker.bonds = self.bonds(state, grid)
        return walker


def before(system: Alloy) -> AlloyBefore:
    """The same alloy, as it was."""
    own = {f.name: getattr(system, f.name) for f in fields(system)}
    kra = own["barriers"]
    own["barriers"] = BarriersBefore(**{f.name: getattr(kra, f.name) for f in fields(kra)})
    return AlloyBefore(**own)


def grown(cells: int) -> Alloy:
    """The alloy, with crystals that grow to so many cells along each axis."""
    own = (f"system.large_size={[cells] * 3}", *GROWN)
    return alloy_from_config(load_config("nbmota", False, own))[0]


def as_they_are(cells: int, states: int) -> tuple[Callable[[], Any], int]:
    """The stage of patches of large states as they are, and its pairs."""
    system = grown(cells)
    run = system.small_trajectory(SMALL_HOPS, CONDITION, stream(0, "small", 0))
    own = [system.upsample(x, HEALING_HOPS, CONDITION, stream(0, "grown", k))[0]
           for k, x in enumerate(run.states[-states:])]  # fmt: skip
    alone = replace(system, small=system.large, small_states=np.array(own)).alone()
    plan, age = alone.plan(dt=HOPS * run.tau_w), np.zeros(states)

    def make() -> Any:
        return grown_pairs_chunk(alone, plan, np.array(own), age, 0, 1, CONDITION, 0, 0)

    return make, len(make()["dz"])


def pair_stages(cells: int, states: int) -> tuple[list[Callable[[], Any]], int]:
    """The stage as it was and as it is, for so many large states, and the pairs that each makes."""
    system = grown(cells)
    run = system.small_trajectory(SMALL_HOPS, CONDITION, stream(0, "small", 0))
    small = run.states[-states:]
    healing, plan = np.full(states, HEALING_HOPS), system.plan(dt=HOPS * run.tau_w)
    own = (plan, small, healing, 0, 1, CONDITION, 0, 0)
    ways = (before(system), replace(system))
    made: list[Callable[[], Any]] = [lambda way=way: grown_pairs_chunk(way, *own) for way in ways]
    old, new = (make() for make in made)
    for name, array in new.items():
        np.testing.assert_array_equal(array, old[name])
    return made, len(new["dz"])


def least_ms(ways: Sequence[Callable[[], Any]], pairs: int) -> list[float]:
    """Least CPU time of a pair in ms by each way, called in turn."""
    best = [np.inf] * len(ways)
    for _ in range(CALLS):
        for k, way in enumerate(ways):
            start = time.process_time()
            way()
            best[k] = min(best[k], 1e3 * (time.process_time() - start) / pairs)
    return best


def measure(quick: bool) -> list[Row]:
    """All rows of the table."""
    rows, after, own = [], [], []
    for cells, states in (QUICK_STATES if quick else STATES).items():
        ways, pairs = pair_stages(cells, states)
        best, sites = least_ms(ways, pairs), 2 * cells**3
        make, number = as_they_are(cells, states if quick else AS_THEY_ARE[cells])
        own += least_ms([make], number)
        rows += [
            Row(f"pair, {when}", sites, ms, "ms") for when, ms in zip(("before", "after"), best)
        ]
        rows.append(Row("after / before", sites, best[1] / best[0], "times", 1 / CHEAPER))
        rows.append(Row("pair, states as they are", sites, own[-1], "ms"))
        rows.append(Row("as they are / before", sites, own[-1] / best[0], "times", 1 / CHEAPER))
        after.append(best[1])
    for what, ms in (("after", after), ("as they are", own)):
        rows.append(Row(f"{what}, largest / smallest", sites, ms[-1] / ms[0], "times", FLAT))
    return rows


if __name__ == "__main__":
    main(measure, __doc__, "two sizes and fewer states")
