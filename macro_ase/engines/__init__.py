"""Dynamics of atoms, as ASE drivers, and the calculators and files that go with them.

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Displacement": "swaps.moves",
    "EAMLattice": "swaps.eam_lattice",
    "FieldDynamics": "fields.dynamics",
    "HybridMCMD": "patches.hybrid",
    "LammpsCalculator": "lammps.calculator",
    "LammpsPatch": "lammps.patch",
    "NeighbourSwap": "swaps.moves",
    "PatchMC": "patches.mc",
    "PatchMD": "patches.md",
    "Ramp": "temperature",
    "SemiGrand": "swaps.ensembles",
    "Swap": "swaps.moves",
    "SwapMC": "swaps.mc",
    "Transmute": "swaps.moves",
    "VacancyFraction": "vacancies.fraction",
    "VacancyKMC": "vacancies.kmc",
    "VacancySwap": "swaps.moves",
    "VacancyWalker": "vacancies.walker",
    "halo_error": "patches.local_energy",
    "input_path": "lammps.files",
    "reach": "patches.receptive_field",
    "read_data": "lammps.files",
    "read_dump": "lammps.dump",
    "run_in_lockstep": "patches.lockstep",
    "write_data": "lammps.files",
    "write_dump": "lammps.dump",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'macro_ase.engines' has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
