"""What drivers of crystals share: a padded lattice that the kernel owns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ase import Atoms
from numpy.typing import NDArray

from ..kinetics.padding import geometry_of, pad
from ..lattice import Crystal
from ..rng import Seed, kernel_state
from .kernel_dynamics import KernelDynamics
from .restart_files import require_codes
from .temperature import Temperature


def refuse_empty_sites(crystal: Crystal, atoms: Atoms) -> None:
    """Raise ValueError if the crystal has sites for which there is no atom, not even ``X``."""
    empty = len(crystal.template) - len(atoms)
    if empty:
        raise ValueError(f"{empty} sites are empty: mark vacancies as X")


class LatticeDynamics(KernelDynamics):
    """An ASE driver whose steps are events of a compiled kernel on a crystal.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place: always what the kernel's arrays say when an observer looks.
    crystal : Crystal
        The same atoms on their sites.
    temperature_K : float or callable
    rng : int, SeedSequence, Generator or None
    logfile : file, str or None
    trajectory : str, Path, Trajectory or None
    loginterval : int
        Steps between lines of the log and frames of the trajectory.
    append_trajectory : bool
    """

    def __init__(
        self,
        atoms: Atoms,
        crystal: Crystal,
        temperature_K: Temperature,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
    ) -> None:
        self.crystal = crystal
        self.geometry = geometry_of(crystal.grid)
        self.padded = pad(crystal.grid, crystal.occupation)
        self.rng_state = kernel_state(rng)
        super().__init__(atoms, logfile, trajectory, loginterval, append_trajectory, temperature_K)

    def _setup(self) -> dict[str, Any]:
        return {
            "driver": type(self).__name__,
            "species": list(self.crystal.species),
            "size": list(self.crystal.grid.size),
        }

    def _common_state(self) -> dict[str, NDArray[Any]]:
        return {
            "rng_state": self.rng_state,
            "padded": self.padded,
            "numbers": self.atoms.numbers,
            "positions": self.atoms.positions,
        }

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        require_codes(path, self.crystal.grid, saved, self.padded)

    def _restore_common(self, state: Any) -> None:
        self.rng_state = state["rng_state"]
        self.padded = state["padded"]
        self.atoms.numbers = state["numbers"]
        self.atoms.positions = state["positions"]
