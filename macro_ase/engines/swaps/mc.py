"""Canonical swap Monte Carlo on a pair energy, as an ASE driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ...barriers import KRABarriers, PairEnergy
from ...crystal import Crystal, as_atoms
from ...kinetics.padding import geometry_of, pad, padded_sites, unpad
from ...kinetics.swaps import swap_sweep
from ...rng import Seed
from ..belongings import exchange
from ..lattice_dynamics import LatticeDynamics, refuse_empty_sites
from ..restart_identity import identity
from ..shared_state import fixed_atoms
from ..temperature import Temperature

ENERGY_TOLERANCE_EV = 1e-6


class SwapMC(LatticeDynamics):
    """Metropolis swaps of two random sites at fixed composition.

    A step is one attempt; a pair of like species counts as one and stays. Positions stay, and all
    else that belongs to an atom moves with it: species, mass, momentum, tag, charge, magnetic
    moment, any array of the user's own. Sites of atoms under `FixAtoms` are never swapped.

    Parameters
    ----------
    atoms : ase.Atoms or pymatgen Structure
        A bcc block, periodic along all three axes; vacancies marked ``X`` are swapped like any
        species.
    temperature_K : float or callable
        A callable, such as a `Ramp`, gives the temperature of every attempt.
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

    Raises
    ------
    ValueError
        If the crystal is not such a block, or holds species that the energy does not know.
    """

    def __init__(
        self,
        atoms: Atoms,
        temperature_K: Temperature,
        energy: PairEnergy | None = None,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 10_000,
        append_trajectory: bool = False,
    ) -> None:
        self.energy = KRABarriers.load().energy if energy is None else energy
        self.accepted = 0
        super().__init__(
            as_atoms(atoms),
            rng,
            logfile,
            trajectory,
            loginterval,
            append_trajectory,
            temperature_K,
        )

    def _crystal(self, atoms: Atoms) -> Crystal:
        crystal = Crystal.from_atoms(atoms, species=self.energy.species)
        refuse_empty_sites(crystal, atoms)
        return crystal

    def _lay(self, atoms: Atoms) -> None:
        crystal = self._crystal(atoms)
        geometry, energy_eV = geometry_of(crystal.grid), self.energy.energy(crystal)
        free = np.ones(len(atoms), dtype=bool)
        free[fixed_atoms(atoms)] = False
        self.crystal, self.geometry, self._energy_eV = crystal, geometry, energy_eV
        self.padded = pad(crystal.grid, crystal.occupation)
        self._offsets, self._pair = self.energy.kernel_arrays(crystal.grid)
        atom_at = np.argsort(crystal.site_of_atom)
        sites = np.flatnonzero(free[atom_at])
        self._candidates = padded_sites(crystal.grid, sites)
        self._free, self._origin = atom_at[sites], np.arange(len(sites))

    @property
    def energy_eV(self) -> float:
        """Formation energy of the atoms as they are, eV."""
        self._notice()
        return self._energy_eV

    @property
    def occupation(self) -> NDArray[np.int8]:
        """Species codes by site, shape (n_sites,)."""
        self._notice()
        return unpad(self.crystal.grid, self.padded)

    def _advance(self, steps: int) -> int:
        if not len(self._candidates):
            return 0
        accepted, change = swap_sweep(
            self.geometry,
            self.padded,
            self._candidates,
            self._offsets,
            self._pair,
            self._betas(steps),
            steps,
            self.rng_state,
            self._origin,
        )
        self.accepted += accepted
        self._energy_eV += change
        return steps

    def _nothing_left(self) -> str:
        return "all atoms are fixed"

    def _update_atoms(self) -> None:
        exchange(self.atoms, self._free, self._origin)
        self._origin = np.arange(len(self._free))

    def _log_header(self) -> str:
        return f"{'attempts':>12} {'accepted':>12} {'energy/eV':>14} {'T/K':>8}"

    def _log_line(self) -> str:
        return (
            f"{self.nsteps:12d} {self.accepted:12d} {self._energy_eV:14.6f} "
            f"{self.temperature_K:8.1f}"
        )

    def _identity(self) -> dict[str, NDArray[Any]]:
        return {
            **identity(self.atoms, "positions"),
            "composition": np.sort(self.atoms.numbers),
            "masses": np.sort(self.atoms.get_masses()),
        }

    def _state(self) -> dict[str, NDArray[Any]]:
        return {"energy_eV": np.array(self._energy_eV), "accepted": np.array(self.accepted)}

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        if not np.array_equal(np.sort(saved["numbers"]), np.sort(self.atoms.numbers)):
            raise ValueError(f"{path}: numbers are not those of this crystal")

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        energy = self.energy.energy(self._crystal(self._saved_atoms(saved)))
        if abs(energy - float(saved["energy_eV"])) > ENERGY_TOLERANCE_EV:
            raise ValueError("the restart was written with another energy")

    def _restore(self, state: Any) -> None:
        self._lay(self.atoms)
        self._energy_eV = float(state["energy_eV"])
        self.accepted = int(state["accepted"])
