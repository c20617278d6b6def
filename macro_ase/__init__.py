"""Learn how a large material behaves from simulations of small patches of it.

Names are imported when they are first used: importing the package loads neither PyTorch,
nor LAMMPS, nor matplotlib.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .extras import installed, with_extra

__version__ = "0.1.0"

_HOME = {
    "Crystal": "crystal",
    "SiteGrid": "lattice",
    "build_crystal": "build",
    "short_range_order": "observables.short_range_order",
    "short_range_order_trajectory": "observables.order_trajectory",
    "b2_order": "observables.long_range_order",
    "long_range_order": "observables.long_range_order",
    "structure_factors": "observables.long_range_order",
    "sublattice_order": "observables.long_range_order",
    "BarrierModel": "barriers",
    "ConstantBarriers": "barriers",
    "KRABarriers": "barriers",
    "NNKBarriers": "barriers",
    "PairEnergy": "barriers",
    "PairEnergyCalculator": "barriers",
    "VacancyKMC": "engines.vacancies.kmc",
    "VacancyFraction": "engines.vacancies.fraction",
    "diffusion": "analysis.diffusion",
    "SwapMC": "engines.swaps.mc",
    "Patch": "patches",
    "PatchMC": "engines.patches.mc",
    "run_in_lockstep": "engines.patches.lockstep",
    "PatchMD": "engines.patches.md",
    "HybridMCMD": "engines.patches.hybrid",
    "Ramp": "engines.temperature",
    "Schedule": "schedule",
    "Swap": "engines.swaps.moves",
    "NeighbourSwap": "engines.swaps.moves",
    "VacancySwap": "engines.swaps.moves",
    "Displacement": "engines.swaps.moves",
    "Transmute": "engines.swaps.moves",
    "SemiGrand": "engines.swaps.ensembles",
    "LammpsPatch": "engines.lammps.patch",
    "LammpsCalculator": "engines.lammps.calculator",
    "EAMTable": "potentials.eam_table",
    "TableEAM": "potentials.eam_calculator",
    "Ising": "engines.spins.models",
    "CurieWeiss": "engines.spins.models",
    "SpinEnsemble": "engines.spins.ensemble",
    "spin_lattice": "engines.spins.lattice",
    "IsingCalculator": "engines.spins.calculators",
    "CurieWeissCalculator": "engines.spins.calculators",
    "Glauber": "engines.spins.dynamics",
    "Metropolis": "engines.spins.dynamics",
    "Wolff": "engines.spins.dynamics",
    "FieldDynamics": "engines.fields.dynamics",
    "FieldSystem": "systems.field",
    "AtomsSystem": "systems.atoms",
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
    "MacroModel": "learning.models.macro_model",
    "System": "systems.base",
    "LatticeSystem": "systems.lattice",
    "PatchStudy": "patch_study",
    "load_config": "config",
    "list_studies": "config",
    "run_study": "workflow",
    "citation": "report.citations",
}

_EXTRA = {"MacroModel": "torch"}

__all__ = ["__version__", *(name for name in _HOME if installed(_EXTRA.get(name, "numpy")))]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    try:
        if home is not None:
            return getattr(import_module(f".{home}", __name__), name)
        if name.isidentifier() and name[0] != "_" and find_spec(f"{__name__}.{name}") is not None:
            return import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        raise with_extra(error) from None
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{_hint(name)}", obj=None)


def _hint(name: str) -> str:
    """Exported names that a misspelt one may mean."""
    known = {other.casefold(): other for other in __all__}
    close = get_close_matches(name.casefold(), known, n=2)
    return f"; did you mean {' or '.join(known[found] for found in close)}?" if close else ""


def __dir__() -> list[str]:
    return sorted(__all__)
