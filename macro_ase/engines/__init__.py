"""Dynamics of atoms, as ASE drivers, and the calculators and files that go with them.

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Displacement": "moves",
    "EAMLattice": "eam_lattice",
    "FieldDynamics": "field_dynamics",
    "HybridMCMD": "hybrid",
    "LammpsCalculator": "lammps_calculator",
    "LammpsPatch": "lammps_patch",
    "NeighbourSwap": "moves",
    "PatchMC": "patch_mc",
    "PatchMD": "patch_md",
    "Ramp": "temperature",
    "SemiGrand": "ensembles",
    "Swap": "moves",
    "SwapMC": "swap_mc",
    "Transmute": "moves",
    "VacancyKMC": "vacancy_kmc",
    "VacancySwap": "moves",
    "VacancyWalker": "vacancy_walker",
    "halo_error": "local_energy",
    "input_path": "lammps_files",
    "reach": "receptive_field",
    "read_data": "lammps_files",
    "read_dump": "lammps_dump",
    "write_data": "lammps_files",
    "write_dump": "lammps_dump",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'macro_ase.engines' has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
