"""Kinetic Monte Carlo of a small NbMoTa crystal, for several files of tests."""

from ase import Atoms

from macro_ase.barriers import KRABarriers
from macro_ase.build import build_crystal
from macro_ase.engines import VacancyKMC


def alloy(vacancies: int = 2, seed: int = 0) -> Atoms:
    return build_crystal(size=(4, 4, 4), vacancies=vacancies, rng=seed)


def kmc(
    atoms: Atoms, seed: int = 1, temperature_K: float = 1500.0, **options: object
) -> VacancyKMC:
    return VacancyKMC(atoms, KRABarriers.load(), temperature_K, rng=seed, **options)  # type: ignore[arg-type]
