"""What drivers of atoms share beside ASE's manners: a random stream, a restart, ramps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ase import Atoms
from numpy.typing import NDArray

from ..rng import Seed, kernel_state
from .kernel_dynamics import KernelDynamics
from .lattice_dynamics import require_temperature

__all__ = ["Driver", "Ramp", "require_temperature"]


@dataclass(frozen=True)
class Ramp:
    """A temperature that goes evenly from one to another, and stays there.

    Attributes
    ----------
    start_K, end_K : float
    steps : int
        Steps that it takes.

    Raises
    ------
    ValueError
        If they are fewer than one.
    """

    start_K: float
    end_K: float
    steps: int

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"a ramp takes one step or more, not {self.steps}")

    def __call__(self, step: int) -> float:
        return self.start_K + (self.end_K - self.start_K) * min(step / self.steps, 1.0)


class Driver(KernelDynamics):
    """An ASE driver of atoms whose steps are done many at a time.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place.
    rng : int, SeedSequence, Generator or None
    logfile, trajectory, loginterval, append_trajectory
        As in ASE.
    """

    def __init__(
        self,
        atoms: Atoms,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
    ) -> None:
        self.rng_state = kernel_state(rng)
        super().__init__(atoms, logfile, trajectory, loginterval, append_trajectory)

    def _common_state(self) -> dict[str, NDArray[Any]]:
        return {
            "rng_state": self.rng_state,
            "numbers": self.atoms.numbers,
            "positions": self.atoms.positions,
        }

    def _restore_common(self, state: Any) -> None:
        self.rng_state = state["rng_state"]
        self.atoms.numbers = state["numbers"]
        self.atoms.positions = state["positions"]
