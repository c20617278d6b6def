"""Molecular dynamics and Monte Carlo of one patch by turns.

Swaps take atoms past barriers that dynamics never climbs; dynamics lets them vibrate and relax.
Monte Carlo exchanges species and leaves momenta to this rule: where an atom of mass m turns into
one of mass m', its momentum becomes

    p' = p sqrt(m' / m),

so each site keeps its kinetic energy and p / sqrt(m) its Maxwell-Boltzmann law, whatever the
swaps (the rule of ``ke yes`` in LAMMPS's ``fix atom/swap``). A vacancy ``X`` has no momentum; an
atom that comes to where one was gets a new momentum from the Maxwell-Boltzmann law.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import units
from ase.data import atomic_masses
from numpy.typing import NDArray

from .driver import Driver
from .kernel_dynamics import KernelDynamics
from .patch_mc import PatchMC
from .patch_md import PatchMD


class HybridMCMD(KernelDynamics):
    """Blocks of molecular dynamics and of Monte Carlo on the same atoms, by turns.

    A step is one block of each.

    Parameters
    ----------
    md : PatchMD
    mc : PatchMC
        Of the same atoms; its patch lies within that of ``md``.
    md_steps, mc_attempts : int
        Of one block.
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in blocks.

    Raises
    ------
    ValueError
        If the two do not fit together, a number is below 1, or the atoms have masses of their own,
        which could not follow their species.
    """

    def __init__(
        self,
        md: PatchMD,
        mc: PatchMC,
        md_steps: int = 100,
        mc_attempts: int = 100,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1,
        append_trajectory: bool = False,
    ) -> None:
        _require_match(md, mc)
        for name, value in (("md_steps", md_steps), ("mc_attempts", mc_attempts)):
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, not {value}")
        self.md, self.mc, self.md_steps, self.mc_attempts = md, mc, md_steps, mc_attempts
        super().__init__(md.atoms, logfile, trajectory, loginterval, append_trajectory)

    def _advance(self, steps: int) -> int:
        for _ in range(steps):
            self.md.run(self.md_steps)
            self.mc.read_atoms()
            active = self.mc.region.active
            before = self.atoms.numbers[active].copy()
            self.mc.run(self.mc_attempts)
            momenta = self.atoms.arrays["momenta"]
            momenta[active] = exchanged_momenta(
                before,
                self.atoms.numbers[active],
                momenta[active],
                self.mc.temperature_K,
                self.md.rng,
            )
            self.md.read_atoms()
        return steps

    def _update_atoms(self) -> None:
        """Both drivers have done so."""

    def todict(self) -> dict[str, Any]:
        """What a trajectory says of the run that wrote it."""
        return {
            **self.md.todict(),
            "md-type": type(self).__name__,
            "md_steps": self.md_steps,
            "mc_attempts": self.mc_attempts,
        }

    def _log_header(self) -> str:
        return f"{'blocks':>8} {self.md._log_header()} {self.mc._log_header()}"

    def _log_line(self) -> str:
        return f"{self.nsteps:8d} {self.md._log_line()} {self.mc._log_line()}"

    def _parts(self) -> tuple[tuple[str, Driver], ...]:
        return ("md ", self.md), ("mc ", self.mc)

    def _setup(self) -> dict[str, Any]:
        own = {
            "driver": type(self).__name__,
            "md_steps": self.md_steps,
            "mc_attempts": self.mc_attempts,
        }
        theirs = {
            p + key: value for p, part in self._parts() for key, value in part._setup().items()
        }
        return {**own, **theirs}

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            p + key: value for p, part in self._parts() for key, value in _all_arrays(part).items()
        }

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        for p, part in self._parts():
            part._refuse_other_model(_of(p, saved))

    def _restore(self, state: dict[str, NDArray[Any]]) -> None:
        for p, part in self._parts():
            arrays = _of(p, state)
            part.nsteps = int(arrays["nsteps"])
            part._restore_common(arrays)
            part._restore(arrays)


def exchanged_momenta(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    momenta: NDArray[np.float64],
    temperature_K: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Momenta after species have changed, by the rule of this module.

    Parameters
    ----------
    before, after : int arrays, shape (n,)
        Atomic numbers; 0 is a vacancy.
    momenta : array, shape (n, 3)
        In ASE's units.
    temperature_K : float
        Of new momenta.
    """
    new_mass = np.where(after == 0, 0.0, atomic_masses[after])
    found = np.sqrt(new_mass / atomic_masses[before])[:, None] * momenta
    filled = np.flatnonzero((before == 0) & (after != 0))
    width = np.sqrt(new_mass[filled] * units.kB * temperature_K)
    found[filled] = width[:, None] * rng.standard_normal((len(filled), 3))
    return found


def _all_arrays(part: Driver) -> dict[str, NDArray[Any]]:
    return {"nsteps": np.array(part.nsteps), **part._common_state(), **part._state()}


def _of(prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)}


def _require_match(md: PatchMD, mc: PatchMC) -> None:
    if md.atoms is not mc.atoms:
        raise ValueError("md and mc must have the same atoms, the very object")
    outside = np.setdiff1d(mc.region.active, md.patched.active)
    if len(outside):
        raise ValueError(f"{len(outside)} atoms of the patch of mc lie outside that of md")
    if md.ensemble != "nve" and md.temperature_K != mc.temperature_K:
        raise ValueError(f"md is at {md.temperature_K:g} K, mc at {mc.temperature_K:g} K")
    if md.atoms.has("masses"):
        raise ValueError("atoms with masses of their own: masses do not follow swapped species")
