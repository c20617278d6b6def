"""Drivers that go on from a file bit for bit, or say what in it is not theirs."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from ase import Atoms
from numpy.typing import NDArray

from .appended import Appended
from .restart_files import read_restart_file, require_like, whole_of, write_restart_file
from .restart_identity import identity, refuse_others
from .temperature import Schedule


class Restartable:
    """A driver whose state can be written and read; what it holds is asked from its family."""

    atoms: Atoms
    nsteps: int
    _schedule: Schedule | None
    _appended: Appended
    _free_lengths: ClassVar[frozenset[str]] = frozenset()
    """Arrays of a restart whose length may differ from that of the driver's own."""

    @abstractmethod
    def _setup(self) -> dict[str, Any]:
        """What a restart must share with the run that wrote it."""

    @abstractmethod
    def _state(self) -> dict[str, NDArray[Any]]:
        """Arrays that a restart needs beside those of `_common_state`."""

    @abstractmethod
    def _restore(self, state: Any) -> None:
        """Take back what `_state` gave."""

    def _identity(self) -> dict[str, NDArray[Any]]:
        """What in the atoms no step changes, by name: a restart must find it as it was."""
        return identity(self.atoms)

    def _common_state(self) -> dict[str, NDArray[Any]]:
        """Arrays that all drivers of a family keep."""
        return {}

    def _restore_common(self, state: Any) -> None:
        """Take back what `_common_state` gave."""

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        """Raise ValueError if saved arrays, of the right kinds, hold what cannot be."""

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        """Raise ValueError if a saved state belongs to other energies or rates."""

    @abstractmethod
    def _notice(self, rows: Any = None) -> None:
        """Take up what others changed in the atoms."""

    @abstractmethod
    def _leave(self, rows: Any = None) -> None:
        """Remember the atoms as the driver leaves them."""

    def write_restart(self, path: str | Path) -> None:
        """Save all that `read_restart` needs to go on bit for bit.

        The file is written beside its place and renamed: a kill leaves the former one.
        """
        self._notice()
        state: dict[str, Any] = {
            **self._setup(),
            **{f"identity {name}": array for name, array in self._identity().items()},
            "nsteps": self.nsteps,
            **self._common_state(),
            **self._state(),
        }
        if self._schedule is not None:
            state |= self._schedule.state(self.nsteps)
        write_restart_file(path, state)

    def read_restart(self, path: str | Path) -> None:
        """Go on from a saved state.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is damaged, or was written by another driver, system, temperature or model, or
            for atoms in another order; the driver stays as it was.
        """
        self._notice()
        saved = read_restart_file(path)
        try:
            for key, value in self._setup().items():
                if saved[key].tolist() != value:
                    raise ValueError(f"{path} was written with {key} = {saved[key]}, not {value}")
            there = {name: saved[f"identity {name}"] for name in self._identity()}
            refuse_others(path, self._identity(), there)
            steps = whole_of(path, saved, "nsteps")
            own = {**self._common_state(), **self._state()}
            require_like(path, saved, own, self._free_lengths)
            self._check_restart(path, saved)
            schedule = None if self._schedule is None else self._schedule.resumed(saved, steps)
            self._refuse_other_model(saved)
        except KeyError as error:
            raise ValueError(f"{path} is not a complete restart file: no {error}") from error
        self.nsteps, self._schedule = steps, schedule
        self._restore_common(saved)
        self._restore(saved)
        self._appended = self._appended.resumed()
        self._leave()
