"""Canonical swap Monte Carlo on a pair energy, as an ASE driver."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms, units
from ase.data import atomic_numbers
from numpy.typing import NDArray

from ..barriers import KRABarriers, PairEnergy
from ..kinetics.padding import padded_sites, unpad
from ..kinetics.swaps import swap_sweep
from ..lattice import Crystal, as_atoms
from ..rng import Seed
from .lattice_dynamics import LatticeDynamics, refuse_empty_sites


class SwapMC(LatticeDynamics):
    """Metropolis swaps of two random sites at fixed composition.

    A step is one attempt; a pair of like species counts as one. Chemical symbols are
    exchanged, positions stay.

    Parameters
    ----------
    atoms : ase.Atoms or pymatgen Structure
        A bcc block; vacancies marked ``X`` are swapped like any species.
    temperature_K : float
    energy : PairEnergy, optional
        Default: that of the NbMoTa model that ships.
    rng : int, SeedSequence, Generator or None
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in attempts.

    Attributes
    ----------
    energy_eV : float
        Formation energy, kept up to date.
    accepted : int
        Accepted swaps of unlike sites.
    """

    def __init__(
        self,
        atoms: Atoms,
        temperature_K: float,
        energy: PairEnergy | None = None,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 10_000,
        append_trajectory: bool = False,
    ) -> None:
        self.energy = KRABarriers.load().energy if energy is None else energy
        atoms = as_atoms(atoms)
        crystal = Crystal.from_atoms(atoms, species=self.energy.species)
        refuse_empty_sites(crystal, atoms)
        self._candidates = padded_sites(crystal.grid, np.arange(crystal.grid.n_sites))
        self._offsets, self._pair = self.energy.kernel_arrays(crystal.grid)
        self.energy_eV = self.energy.energy(crystal)
        self.accepted = 0
        super().__init__(
            atoms, crystal, temperature_K, rng, logfile, trajectory, loginterval, append_trajectory
        )

    @property
    def occupation(self) -> NDArray[np.int8]:
        """Species codes by site, shape (n_sites,)."""
        return unpad(self.crystal.grid, self.padded)

    def _advance(self, steps: int) -> int:
        accepted, change = swap_sweep(
            self.geometry,
            self.padded,
            self._candidates,
            self._offsets,
            self._pair,
            1 / (units.kB * self.temperature_K),
            steps,
            self.rng_state,
        )
        self.accepted += accepted
        self.energy_eV += change
        return steps

    def _update_atoms(self) -> None:
        numbers = np.array([atomic_numbers[name] for name in self.crystal.species])
        self.atoms.numbers = numbers[self.occupation[self.crystal.site_of_atom]]

    def _log_header(self) -> str:
        return f"{'attempts':>12} {'accepted':>12} {'energy/eV':>14} {'T/K':>8}"

    def _log_line(self) -> str:
        return (
            f"{self.nsteps:12d} {self.accepted:12d} {self.energy_eV:14.6f} "
            f"{self.temperature_K:8.1f}"
        )

    def _state(self) -> dict[str, NDArray[Any]]:
        return {"energy_eV": np.array(self.energy_eV), "accepted": np.array(self.accepted)}

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        crystal = self.crystal.with_occupation(unpad(self.crystal.grid, saved["padded"]))
        if abs(self.energy.energy(crystal) - float(saved["energy_eV"])) > 1e-6:
            raise ValueError("the restart was written with another energy")

    def _restore(self, state: Any) -> None:
        self.energy_eV = float(state["energy_eV"])
        self.accepted = int(state["accepted"])
