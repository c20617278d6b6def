"""What drivers of crystals share: a padded lattice that the kernel owns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

from ..crystal import Crystal
from ..kinetics.padding import Geometry
from .driver import Driver
from .restart_identity import identity
from .shared_state import NAMES


def refuse_empty_sites(crystal: Crystal, atoms: Atoms) -> None:
    """Raise ValueError if the crystal has sites for which there is no atom, not even ``X``."""
    empty = len(crystal.template) - len(atoms)
    if empty:
        raise ValueError(f"{empty} sites are empty: mark vacancies as X")


class LatticeDynamics(Driver):
    """An ASE driver whose steps are events of a compiled kernel on a crystal.

    The atoms are put on their sites when the driver is made, and again when others have changed
    them: species, positions, cell or constraints.

    Attributes
    ----------
    crystal : Crystal
        The atoms on their sites, as the driver last found them.
    padded : int8 array
        Species codes now, with halo.
    """

    _heated = True
    _watched = ("numbers", "positions")
    _taken_up = frozenset({"numbers", "positions", "cell", "pbc", "constraints"})

    crystal: Crystal
    geometry: Geometry
    padded: NDArray[np.int8]

    @abstractmethod
    def _lay(self, atoms: Atoms) -> None:
        """Put the atoms on their sites.

        Raises
        ------
        ValueError
            If they do not fit; the driver stays as it was.
        """

    def _enter(self, atoms: Atoms) -> None:
        self._lay(atoms)

    def _read_atoms(self, changed: frozenset[str]) -> None:
        try:
            self._lay(self.atoms)
        except ValueError as error:
            names = ", ".join(sorted(NAMES.get(name, name) for name in changed))
            raise ValueError(f"{names} of the atoms changed: {error}") from error

    def _betas(self, steps: int) -> NDArray[np.float64]:
        """1 / k_B T of the coming steps, in 1/eV; one number if it is constant."""
        assert self._schedule is not None
        return 1 / (units.kB * self._schedule.over(self.nsteps, steps))

    def _setup(self) -> dict[str, Any]:
        return {
            "driver": type(self).__name__,
            "species": list(self.crystal.species),
            "size": list(self.crystal.grid.size),
        }

    def _identity(self) -> dict[str, NDArray[Any]]:
        return identity(self.atoms)

    def _saved_atoms(self, saved: Mapping[str, NDArray[Any]]) -> Atoms:
        """The atoms of a restart file."""
        atoms: Atoms = self.atoms.copy()
        atoms.numbers[:], atoms.positions[:] = saved["numbers"], saved["positions"]
        return atoms
