"""Cost of a vacancy hop: this package's kernel, and the loop one would write without it.

    python benchmarks/kmc.py [--quick] [--network nnk.npz] [--csv OUT]

One core, compile time excluded, best of three stretches. Nothing is written without --csv.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import Atoms, units

from macro_ase.barriers import BarrierModel, KRABarriers
from macro_ase.barriers.load import load_barriers
from macro_ase.build import build_crystal
from macro_ase.crystal import Crystal
from macro_ase.engines import VacancyWalker
from macro_ase.kinetics.padding import pad, padded_sites
from macro_ase.rng import kernel_state

SMALL, LARGE = (8, 8, 8), (64, 64, 64)
SITES_PER_VACANCY = 1024
TEMPERATURES_K = (300.0, 600.0, 1000.0, 2000.0, 3000.0)
KRA_TARGET_US, RATIO_TARGET = 3.0, 1.5
NETWORK_TARGETS_US = {600.0: 2.5, 3000.0: 60.0}
REPEATS = 3


class Row(NamedTuple):
    """One line of the table; the target is an upper limit, 0 where there is none."""

    what: str
    sites: int
    temperature_K: float
    value: float
    unit: str
    target: float


def alloy(size: tuple[int, int, int]) -> Atoms:
    """A random equimolar NbMoTa crystal with one vacancy in 1,024 sites."""
    return build_crystal(size=size, vacancies=2 * int(np.prod(size)) // SITES_PER_VACANCY, rng=0)


def best_us(run: Callable[[int], None], hops: int) -> float:
    """Least time of a hop in us, after a stretch that compiles and warms up."""
    run(hops)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run(hops)
        times.append(time.perf_counter() - start)
    return 1e6 * min(times) / hops


def kernel_us(atoms: Atoms, model: BarrierModel, temperature_K: float, hops: int) -> float:
    """The compiled walk, in us per hop."""
    crystal = model.crystal(atoms)
    walker = VacancyWalker(crystal.grid, crystal.occupation, model, temperature_K, kernel_state(0))
    return best_us(lambda n: (walker.advance(max_hops=n), None)[1], hops)


def api_us(atoms: Atoms, model: BarrierModel, temperature_K: float, hops: int) -> float:
    """A Python loop over `hop_barriers` on `Atoms`, in us per hop."""
    atoms, rng = atoms.copy(), np.random.default_rng(0)
    vacancy = atoms.get_chemical_symbols().index("X")

    def run(n: int) -> None:
        nonlocal vacancy
        for _ in range(n):
            targets, barriers = model.hop_barriers(atoms, vacancy)
            rates = 1e13 * np.exp(-barriers / (units.kB * temperature_K))
            rng.exponential(1 / rates.sum())
            target = int(rng.choice(targets, p=rates / rates.sum()))
            atoms.symbols[[vacancy, target]] = atoms.symbols[[target, vacancy]]
            vacancy = target

    return best_us(run, hops)


class NumpyKMC:
    """Vacancy hops with numpy on a neighbour table made once: what a careful script does.

    Parameters
    ----------
    crystal : Crystal
        With one vacancy.
    model : KRABarriers
    temperature_K : float
    """

    def __init__(self, crystal: Crystal, model: KRABarriers, temperature_K: float) -> None:
        grid, tables = crystal.grid, model.tables(crystal.grid)
        number = pad(grid, np.arange(grid.n_sites))
        home, basis = padded_sites(grid, np.arange(grid.n_sites)), np.arange(grid.n_sites) % 2
        self.window = number[home[:, None, None] + tables.window[basis]]
        self.targets = number[home[:, None] + tables.targets[basis]]
        self.activation, self.weights = tables.activation, tables.weights
        self.places = np.arange(self.window.shape[2])
        self.occupation = crystal.occupation.copy()
        self.vacancy = int(crystal.vacancies[0])
        self.beta = 1 / (units.kB * temperature_K)
        self.rng = np.random.default_rng(0)
        self.time = 0.0

    def barriers(self) -> np.ndarray:
        """Barriers of the eight hops, eV."""
        hopping = self.occupation[self.targets[self.vacancy]]
        species = self.occupation[self.window[self.vacancy]]
        entries = self.weights[hopping[:, None], self.places, species].sum(axis=1)
        half = 0.5 * entries[:, 1]
        return np.maximum(self.activation[hopping] + entries[:, 0], np.abs(half) + 0.02) + half

    def run(self, hops: int) -> None:
        """Do a number of hops."""
        for _ in range(hops):
            sums = np.cumsum(1e13 * np.exp(-self.beta * self.barriers()))
            self.time += self.rng.exponential(1 / sums[-1])
            chosen = np.searchsorted(sums, self.rng.random() * sums[-1], side="right")
            target = int(self.targets[self.vacancy, chosen])
            self.occupation[self.vacancy] = self.occupation[target]
            self.occupation[target] = self.weights.shape[0] - 1
            self.vacancy = target


def numpy_us(atoms: Atoms, model: KRABarriers, temperature_K: float, hops: int) -> float:
    """The numpy loop, in us per hop, once it has been seen to have the same barriers."""
    loop = NumpyKMC(model.crystal(atoms), model, temperature_K)
    vacancy = atoms.get_chemical_symbols().index("X")
    np.testing.assert_allclose(loop.barriers(), model.hop_barriers(atoms, vacancy)[1])
    return best_us(loop.run, hops)


def measure(quick: bool, network: Path | None) -> list[Row]:
    """All rows of the table."""
    scale = 10 if quick else 1
    model, small = KRABarriers.load(), alloy(SMALL)
    rows = []

    def add(what: str, sites: int, t: float, us: float, target: float = 0.0) -> None:
        rows.append(Row(what, sites, t, us, "us/hop", target))

    for t in TEMPERATURES_K:
        add("KRA", len(small), t, kernel_us(small, model, t, 400_000 // scale), KRA_TARGET_US)
    t = 2000.0
    add("KRA, Python + numpy loop", len(small), t, numpy_us(small, model, t, 4000 // scale))
    add("KRA, loop over hop_barriers", len(small), t, api_us(small, model, t, 200 // scale))
    large = alloy(LARGE)
    slow = kernel_us(large, model, t, 400_000 // scale)
    add("KRA", len(large), t, slow)
    fast = next(row.value for row in rows if row.temperature_K == t)
    rows.append(Row("KRA, large against small", len(large), t, slow / fast, "times", RATIO_TARGET))
    if network is not None:
        published = load_barriers(network)
        for t in TEMPERATURES_K:
            hops = (20_000 if t > 1500 else 100_000) // scale
            us = kernel_us(small, published, t, hops)
            add("network", len(small), t, us, NETWORK_TARGETS_US.get(t, 0.0))
    return rows


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the hops")
    parser.add_argument("--network", type=Path, metavar="NPZ", help="a barrier network to time too")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="also write the table")
    args = parser.parse_args()
    rows = measure(args.quick, args.network)
    print(f"{'what':30}{'sites':>9}{'T/K':>7}{'value':>11}         target")
    for row in rows:
        target = f"<= {row.target:g}" if row.target else ""
        met = ("  met" if row.value <= row.target else "  MISSED") if row.target else ""
        print(
            f"{row.what:30}{row.sites:9d}{row.temperature_K:7.0f}{row.value:11.2f} {row.unit:7}"
            f" {target}{met}"
        )
    if args.csv is not None:
        with args.csv.open("w", newline="") as file:
            csv.writer(file).writerows([Row._fields, *rows])


if __name__ == "__main__":
    main()
