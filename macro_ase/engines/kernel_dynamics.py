"""ASE's manners around a compiled kernel: observers, logs, restarts.

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

LONGEST_CHUNK = 100_000


def _load(path: str | Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path) as file:
            return dict(file)
    except FileNotFoundError:
        raise
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a restart file") from error


class KernelDynamics(Dynamics):
    """An ASE driver whose steps are done by a compiled kernel, many at a time.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place: always what the kernel's arrays say when an observer looks.
    logfile : file, str or None
    trajectory : str, Path, Trajectory or None
    loginterval : int
        Steps between lines of the log and frames of the trajectory.
    append_trajectory : bool
    """

    longest_chunk = LONGEST_CHUNK

    def __init__(
        self,
        atoms: Atoms,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
    ) -> None:
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
        """Let the kernel do up to ``steps`` steps; return how many it did."""

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
    def _setup(self) -> dict[str, Any]:
        """What a restart must share with the run that wrote it."""

    @abstractmethod
    def _state(self) -> dict[str, NDArray[Any]]:
        """Arrays that a restart needs beside those of `_common_state`."""

    @abstractmethod
    def _restore(self, state: Any) -> None:
        """Take back what `_state` gave."""

    def _common_state(self) -> dict[str, NDArray[Any]]:
        """Arrays that all drivers of a family keep."""
        return {}

    def _restore_common(self, state: Any) -> None:
        """Take back what `_common_state` gave."""

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        """Raise ValueError if a saved state belongs to other energies or rates."""

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
        period = math.gcd(*periods) if periods else self.longest_chunk
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
            wanted = min(self._chunk(), self.max_steps - self.nsteps, self.longest_chunk)
            done = self._advance(wanted)
            self.nsteps += done
            self._update_atoms()
            if done:
                self.call_observers()
            yield False
            if done < wanted:
                return

    def run(self, steps: int = 1) -> bool:
        """Run ``steps`` steps; returns True, as ASE's molecular dynamics does."""
        for _ in self.irun(steps):
            pass
        return True

    def write_restart(self, path: str | Path) -> None:
        """Save all that `read_restart` needs to go on bit for bit."""
        state: dict[str, Any] = {
            **self._setup(),
            "nsteps": self.nsteps,
            **self._common_state(),
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
            If it is damaged, or was written by another driver, system, temperature or model.
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
        self._restore_common(saved)
        self._restore(saved)
