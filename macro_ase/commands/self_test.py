"""A test of ten seconds that an installation computes what it should: kernels against exact laws.

Each item gives what was measured, what is exact, and how far they may be apart: five standard
errors where chance is in it, rounding where not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from ase import units

from ..analysis.exact_ising import exact_torus
from ..barriers import ConstantBarriers, KRABarriers
from ..build import build_crystal
from ..engines.lammps.calculator import LammpsCalculator
from ..engines.spins.ensemble import SpinEnsemble
from ..engines.spins.models import Ising
from ..engines.vacancies.kmc import VacancyKMC
from ..engines.vacancies.walker import ATTEMPT_RATE_PER_S
from ..extras import installed
from ..kinetics.ising import BROKEN_BONDS
from ..observables.short_range_order import short_range_order
from ..potentials import path
from ..potentials.eam_calculator import TableEAM

ERRORS = 5.0


@dataclass(frozen=True)
class Tested:
    """A measured number beside the exact one, and how far apart they may be."""

    what: str
    measured: float
    exact: float
    within: float

    @property
    def passed(self) -> bool:
        return abs(self.measured - self.exact) <= self.within  # never of nan


def order() -> Tested:
    """A B2 crystal has alpha = -1 in the first shell."""
    crystal = build_crystal("bcc", "MoTa", (4, 4, 4), ordered="B2")
    found = short_range_order(crystal, n_shells=1)
    a, b = found.species.index("Mo"), found.species.index("Ta")
    return Tested("order of a B2 crystal, alpha", float(found.alpha[0, a, b]), -1.0, 1e-12)


def barriers() -> Tested:
    """A hop's barrier less that of its reversal is the energy of the state it leads to."""
    before = build_crystal("bcc", "NbMoTa", (4, 4, 4), vacancies=1, rng=0)
    model, site = KRABarriers.load(), int(before.symbols.search("X")[0])
    neighbours, there = model.hop_barriers(before, site)
    after = before.copy()
    other = int(neighbours[0])
    after.numbers[[site, other]] = before.numbers[[other, site]]
    neighbours, back = model.hop_barriers(after, other)
    difference = there[0] - back[list(neighbours).index(site)]
    energies = [model.energy.energy(model.crystal(atoms)) for atoms in (before, after)]
    exact = energies[1] - energies[0]
    return Tested("barriers of a hop there and back, eV", float(difference), exact, 1e-9)


def clock() -> Tested:
    """N hops in a pure crystal last N / (8 nu exp(-E / kT)), within 1 / sqrt(N)."""
    barrier_eV, temperature_K, hops = 1.0, 1500.0, 20_000
    crystal = build_crystal("bcc", "W", (4, 4, 4), vacancies=1, rng=0)
    kmc = VacancyKMC(crystal, ConstantBarriers({"W": barrier_eV}), temperature_K, rng=0)
    kmc.run(hops)
    rate = 8 * ATTEMPT_RATE_PER_S * math.exp(-barrier_eV / (units.kB * temperature_K))
    within = ERRORS / math.sqrt(hops)
    return Tested("time of vacancy hops, in exact ones", kmc.time * rate / hops, 1.0, within)


def spins() -> Tested:
    """Broken bonds of 16 x 16 Ising spins in equilibrium, beside Kaufman's exact value."""
    replicas, side, temperature = 64, 16, 3.0
    ensemble = SpinEnsemble(Ising((side, side)), np.ones((replicas, side**2)), temperature, rng=0)
    records = ensemble.advance(np.arange(30.0, 130.0, 5.0))
    broken = records[..., BROKEN_BONDS].mean(axis=1) / (2 * side**2)
    error = float(broken.std(ddof=1)) / math.sqrt(replicas)
    exact = exact_torus((side, side), temperature).broken_bonds
    return Tested("broken bonds of Ising spins", float(broken.mean()), exact, ERRORS * error)


def forces() -> Tested:
    """The force of an embedded-atom table is the slope of its energy."""
    crystal = build_crystal("bcc", "NbMoTa", (3, 3, 3), rng=0)
    crystal.rattle(0.1, seed=0)
    crystal.calc = TableEAM(path("NbMoTa.eam.alloy"))
    force, step = float(crystal.get_forces()[0, 0]), 1e-4
    energies = []
    for way in (1, -1):
        moved = crystal.copy()
        moved.positions[0, 0] += way * step
        moved.calc = crystal.calc
        energies.append(moved.get_potential_energy())
    slope = (energies[1] - energies[0]) / (2 * step)
    return Tested("force on an atom, eV/A", force, slope, 1e-5)


def lammps() -> Tested:
    """LAMMPS gives a crystal the energy that the package gives it."""
    crystal = build_crystal("bcc", "NbMoTa", (3, 3, 3), rng=0)
    crystal.calc = TableEAM(path("NbMoTa.eam.alloy"))
    own = crystal.get_potential_energy()
    table = f"pair_coeff * * {path('NbMoTa.eam.alloy')} Nb Mo Ta"
    crystal.calc = LammpsCalculator(["pair_style eam/alloy", table])
    return Tested("energy by LAMMPS, eV", crystal.get_potential_energy(), own, 1e-6)


def network() -> Tested:
    """PyTorch differentiates: the slope of x^3 at 2."""
    import torch

    x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    x.pow(3).backward()
    return Tested("slope by PyTorch", float("nan") if x.grad is None else float(x.grad), 12.0, 0.0)


ITEMS: dict[Callable[[], Tested], str] = {
    **dict.fromkeys((order, barriers, clock, spins, forces), "numpy"),
    network: "torch",
    lammps: "lammps",
}
"""What is tested, and the package that it needs."""


def self_test() -> Iterator[Tested]:
    """Test what is installed, one item after another; what fails to run is nan."""
    for item, package in ITEMS.items():
        if installed(package):
            try:
                yield item()
            except Exception as error:  # a broken installation fails in any way
                what = f"{item.__name__}: {type(error).__name__}: {' '.join(str(error).split())}"
                yield Tested(what, math.nan, math.nan, 0.0)
