"""A pair energy as an ASE calculator."""

from __future__ import annotations

from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from ..crystal import Crystal
from .kra import KRABarriers
from .pair_energy import PairEnergy


class PairEnergyCalculator(Calculator):
    """ASE calculator of a `PairEnergy`: ``energy`` in eV for bcc crystals near their sites.

    Forces are not defined on a lattice.

    Parameters
    ----------
    pair_energy : PairEnergy, optional
        Default: the energy of the NbMoTa model that ships with the package.
    """

    implemented_properties = ["energy"]  # noqa: RUF012

    def __init__(self, pair_energy: PairEnergy | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if pair_energy is None:
            pair_energy = KRABarriers.load().energy
        self.pair_energy = pair_energy

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Fill ``results`` with the formation energy."""
        super().calculate(atoms, properties, system_changes)
        crystal = Crystal.from_atoms(self.atoms, species=self.pair_energy.species)
        self.results = {"energy": self.pair_energy.energy(crystal)}
