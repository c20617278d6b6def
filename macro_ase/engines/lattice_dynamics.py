"""What lattice drivers share: ASE's manners around a compiled kernel.

Observers may be attached at any whole interval. Between two calls the kernel runs
uninterrupted, for the greatest common divisor of the intervals.
"""

from __future__ import annotations

import math
import zipfile
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.optimize.optimize import Dynamics
from numpy.typing import NDArray

from ..kinetics.padding import geometry_of, pad
from ..lattice import Crystal
from ..rng import Seed, kernel_state

LONGEST_CHUNK = 100_000


def require_temperature(temperature_K: float) -> float:
    """The temperature, if it is one.

    Raises
    ------
    ValueError
        If it is not positive and finite.
    """
    if not (math.isfinite(temperature_K) and temperature_K > 0):
        raise ValueError(f"temperature must be above 0 K, not {temperature_K:g}")
    return float(temperature_K)


def refuse_empty_sites(crystal: Crystal, atoms: Atoms) -> None:
    """Raise ValueError if the crystal has sites for which there is no atom, not even ``X``."""
    empty = len(crystal.template) - len(atoms)
    if empty:
        raise ValueError(f"{empty} sites are empty: mark vacancies as X")


def _load(path: str | Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path) as file:
            return dict(file)
    except FileNotFoundError:
        raise
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a restart file") from error


class LatticeDynamics(Dynamics):
    """An ASE driver whose steps are events of a compiled kernel.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place: always what the kernel's arrays say when an observer looks.
    crystal : Crystal
        The same atoms on their sites.
    temperature_K : float
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
        temperature_K: float,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
    ) -> None:
        self.temperature_K = require_temperature(temperature_K)
        self.crystal = crystal
        self.geometry = geometry_of(crystal.grid)
        self.padded = pad(crystal.grid, crystal.occupation)
        self.rng_state = kernel_state(rng)
        super().__init__(
            atoms,
            logfile=logfile,
            trajectory=trajectory,
            loginterval=loginterval,
            append_trajectory=append_trajectory,
        )
        if logfile is not None:
            self.attach(self._write_log, interval=loginterval)

    @abstractmethod
    def _advance(self, steps: int) -> int:
        """Let the kernel do up to ``steps`` events; return how many it did."""

    @abstractmethod
    def _update_atoms(self) -> None:
        """Write the kernel's state into the atoms."""

    @abstractmethod
    def _log_line(self) -> str:
        """A line of the log; the first is preceded by `_log_header`."""

    @abstractmethod
    def _log_header(self) -> str:
        """Names and units of what a log line holds."""

    @abstractmethod
    def _state(self) -> dict[str, NDArray[Any]]:
        """Arrays that a restart needs beside the common ones."""

    @abstractmethod
    def _restore(self, state: Any) -> None:
        """Take back what `_state` gave."""

    def todict(self) -> dict[str, Any]:
        """What a trajectory says of the run that wrote it."""
        return {"type": "lattice-dynamics", "driver": type(self).__name__}

    def _write_log(self) -> None:
        if self.nsteps == 0:
            self.logfile.write(self._log_header() + "\n")
        self.logfile.write(self._log_line() + "\n")

    def _chunk(self) -> int:
        """Steps until an observer may have to be called."""
        intervals = [interval for _, interval, _, _ in self.observers]
        periods = [abs(i) for i in intervals if i != 0]
        period = math.gcd(*periods) if periods else LONGEST_CHUNK
        return period - self.nsteps % period

    def irun(self, steps: int = 1) -> Iterator[bool]:
        """Run, yielding False after every chunk between observers.

        Raises
        ------
        ValueError
            If ``steps`` is negative.
        """
        if steps < 0:
            raise ValueError(f"steps must be 0 or more, not {steps}")
        self.max_steps = self.nsteps + steps
        if self.nsteps == 0:
            self.call_observers()
        while self.nsteps < self.max_steps:
            wanted = min(self._chunk(), self.max_steps - self.nsteps, LONGEST_CHUNK)
            done = self._advance(wanted)
            self.nsteps += done
            self._update_atoms()
            if done:
                self.call_observers()
            yield False
            if done < wanted:
                return

    def run(self, steps: int = 1) -> bool:
        """Run ``steps`` events; returns True, as ASE's molecular dynamics does."""
        for _ in self.irun(steps):
            pass
        return True

    def _setup(self) -> dict[str, Any]:
        """What a restart must share with the run that wrote it."""
        return {
            "driver": type(self).__name__,
            "species": list(self.crystal.species),
            "size": list(self.crystal.grid.size),
            "temperature_K": self.temperature_K,
        }

    def write_restart(self, path: str | Path) -> None:
        """Save all that `read_restart` needs to go on bit for bit."""
        state: dict[str, Any] = {
            **self._setup(),
            "nsteps": self.nsteps,
            "rng_state": self.rng_state,
            "padded": self.padded,
            "numbers": self.atoms.numbers,
            "positions": self.atoms.positions,
            **self._state(),
        }
        with open(path, "wb") as file:
            np.savez(file, **state)

    def read_restart(self, path: str | Path) -> None:
        """Go on from a saved state.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is damaged, or was written by another driver, crystal, temperature or model.
        """
        saved = _load(path)
        try:
            for key, value in self._setup().items():
                if saved[key].tolist() != value:
                    raise ValueError(f"{path} was written with {key} = {saved[key]}, not {value}")
            self._refuse_other_model(saved)
        except KeyError as error:
            raise ValueError(f"{path} is not a complete restart file: no {error}") from error
        self.nsteps = int(saved["nsteps"])
        self.rng_state = saved["rng_state"]
        self.padded = saved["padded"]
        self.atoms.numbers = saved["numbers"]
        self.atoms.positions = saved["positions"]
        self._restore(saved)

    @abstractmethod
    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        """Raise ValueError if a saved state belongs to other energies or rates."""
