"""Atoms of one's own: patches evolve as the whole does, with the buffer that they need."""

from typing import Any

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.emt import EMT

from macro_ase.crystal import Crystal
from macro_ase.engines.patches.evolution import DynamicsEvolution, MonteCarloEvolution
from macro_ase.engines.swaps.moves import Displacement, NeighbourSwap
from macro_ase.lattice import shell_neighbors
from macro_ase.potentials import path
from macro_ase.potentials.eam_calculator import TableEAM
from macro_ase.potentials.eam_table import EAMTable
from macro_ase.systems.atoms import AtomsSystem

SPECIES = ("Nb", "Mo", "Ta")


class Bonds(AtomsSystem):
    """A random alloy whose neighbours swap; Mo-Ta bonds per atom are measured."""

    names = ("Mo-Ta",)

    def __init__(self) -> None:
        table = EAMTable.read(path("NbMoTa.eam.alloy"))
        swaps = MonteCarloEvolution(TableEAM(table), 1500.0, NeighbourSwap())
        super().__init__(bulk("Nb", "bcc", 3.24, cubic=True) * (1, 3, 3), swaps, axes=(0,))

    def prepare(self, atoms: Atoms, rng: np.random.Generator) -> None:
        atoms.symbols = rng.permutation(np.array(SPECIES)[np.arange(len(atoms)) % 3])

    def shares(self, atoms: Atoms) -> np.ndarray:
        sites = Crystal.from_atoms(atoms, species=SPECIES)
        around = sites.occupation[shell_neighbors(sites.grid, 1)]
        own = sites.occupation[:, None]
        share = 0.5 * ((own + around == 3) & (own * around == 2)).sum(axis=1)
        return share[sites.site_of_atom]


class Rattled(AtomsSystem):
    """Copper whose atoms are displaced; mean square displacements along x and y are measured."""

    names = ("x", "y")

    def __init__(self, dynamics: bool = False) -> None:
        moves: Any = MonteCarloEvolution(EMT(), 600.0, Displacement(0.15))
        if dynamics:
            moves = DynamicsEvolution(EMT(), 2 * units.fs, temperature_K=600.0, ensemble="langevin")
        super().__init__(bulk("Cu", "fcc", 3.61, cubic=True), moves, axes=(0,))

    def shares(self, atoms: Atoms) -> np.ndarray:
        ideal = self.template.repeat(self.repeats(len(atoms) // 4)).positions
        return ((atoms.positions - ideal) ** 2)[:, :2]
