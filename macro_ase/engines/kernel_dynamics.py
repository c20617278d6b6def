"""ASE's manners around a compiled kernel: observers, logs, changes by the user.

Observers may be attached at any whole interval. Between two calls the kernel runs
uninterrupted, for the greatest common divisor of the intervals. Before each such stretch the
driver looks at what it shares with its user: what changed is taken up, or refused by name.
"""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from ase import Atoms
from ase.optimize.optimize import Dynamics

from ..counts import require_count
from .appended import Appended
from .copies import Copyable
from .restarts import Restartable
from .shared_state import NAMES, SharedState, fixed_atoms, require_sound
from .temperature import Schedule, Temperature, require_temperature

LONGEST_CHUNK = 100_000


class KernelDynamics(Copyable, Restartable, Dynamics):
    """An ASE driver whose steps are done by a compiled kernel, many at a time.

    A copy of a driver, and what is unpickled, goes on from where it was, but writes neither log
    nor trajectory; what cannot be copied, such as some calculators, is named by a TypeError.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place: always what the kernel's arrays say when an observer looks. What others
        change in them is noticed before the next step.
    logfile : file, str or None
    trajectory : str, Path, Trajectory or None
        Every frame carries its step in ``info["step"]``.
    loginterval : int
        Steps between lines of the log and frames of the trajectory.
    append_trajectory : bool
        A first frame that the file ends with is not written twice.
    temperature : float or callable, optional
        Of the driver; see `temperature_K`.

    Raises
    ------
    ValueError
        If an argument makes no sense, a constraint is not `FixAtoms`, or the trajectory to be
        appended to holds other atoms.
    """

    longest_chunk = LONGEST_CHUNK
    _heated: ClassVar[bool] = False
    """Whether every run needs a temperature."""
    _watched: ClassVar[tuple[str, ...]] = ()
    """Arrays of the atoms that the dynamics depends on."""
    _taken_up: ClassVar[frozenset[str]] = frozenset()
    """Changes that `_read_atoms` can follow: of those arrays, of cell, pbc, constraints."""

    def __init__(
        self,
        atoms: Atoms,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
        temperature: Temperature | None = None,
    ) -> None:
        fixed_atoms(atoms)
        require_sound(atoms)
        interval = require_count(loginterval, "loginterval", 1)
        if temperature is None and self._heated:
            require_temperature(temperature)
        self._schedule = None if temperature is None else Schedule(temperature)
        self._appended = Appended.to(trajectory if append_trajectory else None, atoms)
        self._enter(atoms)
        super().__init__(
            atoms,
            logfile=logfile,
            trajectory=trajectory,
            loginterval=interval,
            append_trajectory=append_trajectory,
        )
        if logfile is not None:
            self.attach(self._write_log, interval=interval)
        self._left = SharedState(atoms, self._watched)

    def attach(self, function: Any, interval: int = 1, *args: Any, **kwargs: Any) -> None:
        """Let a function be called every ``interval`` steps, or at step ``-interval`` alone.

        Raises
        ------
        ValueError
            If the interval is no whole number.
        """
        interval = require_count(interval, "interval of an observer", -(2**62))
        super().attach(function, interval, *args, **kwargs)

    @property
    def temperature_K(self) -> float:
        """Temperature of the present step.

        Set it to a number, or to a callable of the steps since then, such as a `Ramp`: it acts
        from the next step on.

        Raises
        ------
        ValueError
            If it is none, or would act on nothing.
        """
        return self._present_temperature()

    @temperature_K.setter
    def temperature_K(self, given: Temperature) -> None:
        self._refuse_temperature()
        self._schedule = Schedule(given, self.nsteps)

    def _present_temperature(self) -> float:
        if self._schedule is None:
            raise AttributeError(f"this {type(self).__name__} has no temperature")
        return self._schedule.at(self.nsteps)

    def _refuse_temperature(self) -> None:
        """Raise ValueError if a temperature would act on nothing."""
        if self._schedule is None:
            raise ValueError(f"{type(self).__name__} has no temperature")

    def _enter(self, atoms: Atoms) -> None:
        """Read the atoms for the first time, before any file is opened.

        Raises
        ------
        ValueError
            If they do not fit the driver.
        """

    @abstractmethod
    def _advance(self, steps: int) -> int:
        """Let the kernel do up to ``steps`` steps; return how many it did."""

    @abstractmethod
    def _update_atoms(self) -> None:
        """Write the kernel's state into the atoms."""

    def _read_atoms(self, changed: frozenset[str]) -> None:
        """Take up what others changed, all of it in `_taken_up`.

        Raises
        ------
        ValueError
            If the atoms do not fit the driver any more; the driver stays as it was.
        """

    @property
    def _rows(self) -> Any:
        """Rows of the atoms' arrays that steps depend on and change; None stands for all."""
        return None

    def _begin(self) -> None:
        """What has to be known before observers look for the first time."""

    def _nothing_left(self) -> str:
        """Why no further step could be done."""
        return "nothing can happen any more"

    @abstractmethod
    def _log_line(self) -> str:
        """A line of the log; the first is preceded by `_log_header`."""

    @abstractmethod
    def _log_header(self) -> str:
        """Names and units of what a log line holds."""

    def todict(self) -> dict[str, Any]:
        """What a trajectory says of the run that wrote it."""
        return {"type": "lattice-dynamics", "driver": type(self).__name__}

    def _write_log(self) -> None:
        if self.nsteps == 0:
            self.logfile.write(self._log_header() + "\n")
        self.logfile.write(self._log_line() + "\n")

    def _traj_write_image(self, description: dict[str, Any]) -> None:
        if not self._appended.holds(self.nsteps):
            super()._traj_write_image(description)
            self._appended = self._appended.written(self.nsteps)

    def _chunk(self) -> int:
        """Steps until an observer may have to be called."""
        intervals = [interval for _, interval, _, _ in self.observers]
        periods = [abs(i) for i in intervals if i != 0]
        period = math.gcd(*periods) if periods else self.longest_chunk
        return period - self.nsteps % period

    def _notice(self, rows: Any = None) -> None:
        """Take up what others changed in the atoms.

        Raises
        ------
        ValueError
            If the driver cannot follow; it names what was changed.
        """
        changed = self._left.changes(self.atoms, rows)
        refused = sorted(NAMES.get(name, name) for name in changed - self._taken_up)
        if refused:
            raise ValueError(
                f"the {', '.join(refused)} changed since the last step: "
                f"{type(self).__name__} cannot go on with that, make a new one"
            )
        if changed:
            require_sound(self.atoms, rows)
            self._read_atoms(changed)
            self._leave()

    def _leave(self, rows: Any = None) -> None:
        """Remember the atoms as the driver leaves them."""
        self.atoms.info["step"] = self.nsteps
        self._left.leave(self.atoms, rows)

    def irun(self, steps: int = 1) -> Iterator[bool]:
        """Run, yielding False after every chunk between observers.

        Raises
        ------
        ValueError
            If ``steps`` is no whole number or negative, or others changed the atoms in a way that
            the driver cannot follow.
        """
        steps = require_count(steps, "steps")
        self._open_run()
        yield from self._stretches(steps)

    def _open_run(self) -> None:
        """What goes before the stretches of a run."""
        self._notice()
        if self.nsteps == 0:
            self._begin()
            self._leave(self._rows)
            self.call_observers()

    def _stretches(self, steps: int) -> Iterator[bool]:
        """Run from one call of an observer to the next, yielding False after each."""
        self.max_steps = self.nsteps + steps
        while self.nsteps < self.max_steps:
            wanted = self._open_stretch()
            done = self._advance(wanted)
            self._close_stretch(done)
            yield False
            if done < wanted:
                left = self.max_steps - self.nsteps
                warnings.warn(
                    f"{left} of {steps} steps were not done: {self._nothing_left()}", stacklevel=4
                )
                return

    def _open_stretch(self) -> int:
        """Look at the atoms; steps until an observer may have to be called, or the end."""
        self._notice(self._rows)
        return min(self._chunk(), self.max_steps - self.nsteps, self.longest_chunk)

    def _close_stretch(self, done: int) -> None:
        """Let the atoms, and those who observe them, follow the steps that were done."""
        self.nsteps += done
        self._update_atoms()
        self._leave(self._rows)
        if done:
            self.call_observers()

    def run(self, steps: int = 1) -> bool:
        """Run ``steps`` steps; returns True, as ASE's molecular dynamics does."""
        for _ in self.irun(steps):
            pass
        return True
