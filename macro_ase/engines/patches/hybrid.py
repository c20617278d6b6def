"""Molecular dynamics and Monte Carlo of one patch by turns.

Swaps take atoms past barriers that dynamics never climbs; dynamics lets them vibrate and relax.
An atom that is swapped takes its momentum along (`belongings`), so that swaps leave the
Maxwell-Boltzmann law as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...counts import require_count
from ..driver import Driver
from ..kernel_dynamics import KernelDynamics
from ..restart_files import whole_of
from ..temperature import Schedule, Temperature
from .mc import PatchMC
from .md import PatchMD


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
    temperature_K : float or callable, optional
        Of both, by block; default: those that they have.
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in blocks.

    Raises
    ------
    ValueError
        If the two do not fit together, or a number is below 1.
    """

    _taken_up = frozenset({"cell", "pbc", "constraints"})

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
        temperature_K: Temperature | None = None,
    ) -> None:
        self.md, self.mc = md, mc
        self.md_steps = require_count(md_steps, "md_steps", 1)
        self.mc_attempts = require_count(mc_attempts, "mc_attempts", 1)
        _require_same_atoms(md, mc)
        super().__init__(
            md.atoms, logfile, trajectory, loginterval, append_trajectory, temperature_K
        )
        self._warm(0)

    def _refuse_temperature(self) -> None:
        """Both parts have one, or the dynamics has no thermostat."""

    def _present_temperature(self) -> float:
        return self.mc.temperature_K if self._schedule is None else super()._present_temperature()

    def _warm(self, block: int) -> None:
        """Give both the temperature of a block; raise ValueError if theirs differ."""
        thermostat = self.md.ensemble != "nve"
        if self._schedule is not None:
            self.mc.temperature_K = self._schedule.at(block)
            if thermostat:
                self.md.temperature_K = self._schedule.at(block)
        if thermostat and self.md.temperature_K != self.mc.temperature_K:
            raise ValueError(
                f"md is at {self.md.temperature_K:g} K, mc at {self.mc.temperature_K:g} K: "
                "set temperature_K of this driver, or of both"
            )

    def _notice(self, rows: Any = None) -> None:
        super()._notice(rows)
        for _, part in self._parts():
            part._notice(None if rows is None else part._rows)

    @property
    def _rows(self) -> Any:
        return self.md._rows

    def _advance(self, steps: int) -> int:
        for block in range(self.nsteps, self.nsteps + steps):
            self._warm(block)
            self._turn(self.md, self.md_steps)
            self.mc.read_atoms()
            self._turn(self.mc, self.mc_attempts)
            self.md.read_atoms()
            self.md._leave(self.md._rows)
        return steps

    def _turn(self, part: Driver, steps: int) -> None:
        """Let one of both run, at a cost that does not depend on the size of the system."""
        part._leave(part._rows)
        if part.nsteps == 0:
            part.call_observers()
        for _ in part._stretches(steps):
            pass

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

    def _identity(self) -> dict[str, NDArray[Any]]:
        return {
            **super()._identity(),
            "composition": np.sort(self.atoms.numbers),
            "masses": np.sort(self.atoms.get_masses()),
        }

    @property
    def _free_lengths(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset(p + name for p, part in self._parts() for name in part._free_lengths)

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        for p, part in self._parts():
            arrays = _of(p, saved)
            whole_of(path, arrays, "nsteps")
            part._check_restart(path, arrays)

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        for p, part in self._parts():
            arrays = _of(p, saved)
            _schedule_of(part, arrays)
            part._refuse_other_model(arrays)

    def _restore(self, state: dict[str, NDArray[Any]]) -> None:
        for p, part in self._parts():
            arrays = _of(p, state)
            part.nsteps = int(arrays["nsteps"])
            part._schedule = _schedule_of(part, arrays)
            part._restore_common(arrays)
            part._restore(arrays)
        for _, part in self._parts():
            part._leave()


def _all_arrays(part: Driver) -> dict[str, NDArray[Any]]:
    schedule = {} if part._schedule is None else part._schedule.state(part.nsteps)
    return {
        "nsteps": np.array(part.nsteps),
        **schedule,
        **part._common_state(),
        **part._state(),
    }


def _schedule_of(part: Driver, arrays: dict[str, NDArray[Any]]) -> Schedule | None:
    if part._schedule is None:
        return None
    return part._schedule.resumed(arrays, int(arrays["nsteps"]))


def _of(prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)}


def _require_same_atoms(md: PatchMD, mc: PatchMC) -> None:
    if md.atoms is not mc.atoms:
        raise ValueError("md and mc must have the same atoms, the very object")
    outside = np.setdiff1d(mc.region.active, md.patched.active)
    if len(outside):
        raise ValueError(f"{len(outside)} atoms of the patch of mc lie outside that of md")
