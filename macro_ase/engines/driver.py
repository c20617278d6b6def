"""What drivers of atoms share beside ASE's manners: a random stream and a restart."""

from __future__ import annotations

from typing import Any

from ase import Atoms
from numpy.typing import NDArray

from ..rng import Seed, kernel_state
from .kernel_dynamics import KernelDynamics
from .temperature import Temperature

OWN = ("numbers", "positions")
OTHER = "array "
"""Prefix of what else belongs to atoms, in a restart."""


class Driver(KernelDynamics):
    """An ASE driver of atoms whose steps are done many at a time.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place.
    rng : int, SeedSequence, Generator or None
    logfile, trajectory, loginterval, append_trajectory
        As in ASE.
    temperature : float or callable, optional
        See `temperature_K`.
    """

    def __init__(
        self,
        atoms: Atoms,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
        temperature: Temperature | None = None,
    ) -> None:
        self.rng_state = kernel_state(rng)
        super().__init__(atoms, logfile, trajectory, loginterval, append_trajectory, temperature)

    def _common_state(self) -> dict[str, NDArray[Any]]:
        arrays = self.atoms.arrays
        others = {f"{OTHER}{n}": a for n, a in arrays.items() if n not in OWN and a.dtype != object}
        return {
            "rng_state": self.rng_state,
            **{name: arrays[name] for name in OWN},
            **others,
        }

    def _restore_common(self, state: Any) -> None:
        self.rng_state = state["rng_state"]
        for name in OWN:
            self.atoms.arrays[name][:] = state[name]
        for key in state:
            if key.startswith(OTHER):
                self.atoms.set_array(key.removeprefix(OTHER), state[key])
