"""Types of the names that the package imports when they are first used."""

from . import analysis as analysis
from . import barriers as barriers
from . import commands as commands
from . import engines as engines
from . import kinetics as kinetics
from . import learning as learning
from . import observables as observables
from . import potentials as potentials
from . import report as report
from . import sampling as sampling
from . import studies as studies
from . import systems as systems
from .analysis.binder import crossings as crossings
from .analysis.collapse import fit_collapse as fit_collapse
from .analysis.hysteresis import hysteresis_loop as hysteresis_loop
from .analysis.scaling import critical_exponents as critical_exponents
from .analysis.sweep import sweep as sweep
from .analysis.sweep_table import SweepTable as SweepTable
from .barriers import BarrierModel as BarrierModel
from .barriers import KRABarriers as KRABarriers
from .barriers import NNKBarriers as NNKBarriers
from .barriers import PairEnergy as PairEnergy
from .barriers import PairEnergyCalculator as PairEnergyCalculator
from .build import build_crystal as build_crystal
from .config import list_studies as list_studies
from .config import load_config as load_config
from .crystal import Crystal as Crystal
from .engines.fields.dynamics import FieldDynamics as FieldDynamics
from .engines.lammps.calculator import LammpsCalculator as LammpsCalculator
from .engines.lammps.patch import LammpsPatch as LammpsPatch
from .engines.patches.hybrid import HybridMCMD as HybridMCMD
from .engines.patches.mc import PatchMC as PatchMC
from .engines.patches.md import PatchMD as PatchMD
from .engines.spins.calculators import CurieWeissCalculator as CurieWeissCalculator
from .engines.spins.calculators import IsingCalculator as IsingCalculator
from .engines.spins.dynamics import Glauber as Glauber
from .engines.spins.dynamics import Metropolis as Metropolis
from .engines.spins.dynamics import Wolff as Wolff
from .engines.spins.ensemble import SpinEnsemble as SpinEnsemble
from .engines.spins.lattice import spin_lattice as spin_lattice
from .engines.spins.models import CurieWeiss as CurieWeiss
from .engines.spins.models import Ising as Ising
from .engines.swaps.ensembles import SemiGrand as SemiGrand
from .engines.swaps.mc import SwapMC as SwapMC
from .engines.swaps.moves import Displacement as Displacement
from .engines.swaps.moves import NeighbourSwap as NeighbourSwap
from .engines.swaps.moves import Swap as Swap
from .engines.swaps.moves import Transmute as Transmute
from .engines.swaps.moves import VacancySwap as VacancySwap
from .engines.temperature import Ramp as Ramp
from .engines.vacancies.kmc import VacancyKMC as VacancyKMC
from .lattice import SiteGrid as SiteGrid
from .learning.models.macro_model import MacroModel as MacroModel
from .observables.long_range_order import b2_order as b2_order
from .observables.long_range_order import long_range_order as long_range_order
from .observables.long_range_order import structure_factors as structure_factors
from .observables.order_trajectory import (
    short_range_order_trajectory as short_range_order_trajectory,
)
from .observables.short_range_order import short_range_order as short_range_order
from .patch_study import PatchStudy as PatchStudy
from .patches import Patch as Patch
from .potentials.eam_calculator import TableEAM as TableEAM
from .potentials.eam_table import EAMTable as EAMTable
from .systems import Alloy as Alloy
from .systems import SwapAlloy as SwapAlloy
from .systems.allen_cahn import AllenCahn as AllenCahn
from .systems.atoms import AtomsSystem as AtomsSystem
from .systems.base import System as System
from .systems.field import FieldSystem as FieldSystem
from .systems.lattice import LatticeSystem as LatticeSystem
from .systems.lennard_jones import LennardJones as LennardJones
from .systems.predator_prey import PredatorPrey as PredatorPrey
from .workflow import run_study as run_study

__version__: str
