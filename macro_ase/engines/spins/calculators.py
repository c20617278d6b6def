"""Energies of spin lattices as ASE calculators, in reduced units (k_B = 1).

The spins are the initial magnetic moments, each 1 or -1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray

from .lattice import lattice_sites, spins_of
from .models import CurieWeiss, Ising, SpinModel


class SpinCalculator(Calculator):
    """What calculators of spin models share; `energies` are shares that add up to `energy`."""

    implemented_properties = [  # noqa: RUF012
        "energy",
        "free_energy",
        "energies",
        "magmom",
        "magmoms",
    ]
    discard_results_on_any_change = True

    def model(self, atoms: Atoms) -> tuple[SpinModel, NDArray[np.int64]]:
        """The model of these atoms, and the site of every atom, shape (n_atoms,)."""
        raise NotImplementedError

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = ("energy",),
        system_changes: list[str] = all_changes,
    ) -> None:
        """Called by ASE when the atoms have changed."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        model, sites = self.model(self.atoms)
        moments = spins_of(self.atoms)
        spins = np.empty_like(moments)
        spins[sites] = moments
        energy = float(model.energy(model.tally(spins[None]))[0])
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "energies": model.site_energies(spins)[sites],
            "magmom": float(moments.sum(dtype=np.int64)),
            "magmoms": moments.astype(float),
        }


class IsingCalculator(SpinCalculator):
    """H = -J sum_<ij> s_i s_j - h sum_i s_i on the lattice that the atoms form.

    Parameters
    ----------
    coupling : float
        J of first neighbours; antiferromagnetic if negative.
    field : float
        h.
    """

    def __init__(self, coupling: float = 1.0, field: float = 0.0) -> None:
        super().__init__(coupling=coupling, field=field)

    def model(self, atoms: Atoms) -> tuple[Ising, NDArray[np.int64]]:
        """The model of these atoms, and the site of every atom, shape (n_atoms,).

        Raises
        ------
        ValueError
            If the atoms form no periodic chain, square or cubic lattice.
        """
        size, sites = lattice_sites(atoms)
        return Ising(size, **self.parameters), sites


class CurieWeissCalculator(SpinCalculator):
    """H = -M^2 / (2 n) - h M, M = sum s; positions do not matter.

    Parameters
    ----------
    field : float
        h.
    """

    def __init__(self, field: float = 0.0) -> None:
        super().__init__(field=field)

    def model(self, atoms: Atoms) -> tuple[CurieWeiss, NDArray[np.int64]]:
        """The model of these atoms; every atom is its own site."""
        return CurieWeiss(len(atoms), **self.parameters), np.arange(len(atoms))
