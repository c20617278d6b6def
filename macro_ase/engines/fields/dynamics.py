"""Field equations as an ASE driver: one atom a cell, the fields in ``atoms.arrays``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.io import write
from numpy.typing import ArrayLike, NDArray

from ...arrays import Array
from ...rng import Seed, kernel_state
from ..appended import Appended
from ..kernel_dynamics import KernelDynamics
from ..restart_identity import identity
from ..shared_state import fixed_atoms

CELLS_PER_CHUNK = 2**24
SUFFIXES = (".xyz", ".extxyz")


class Fields(Protocol):
    """What the driver asks of a system; `systems.field.FieldSystem` has it."""

    fields: Any
    names: Any

    def from_atoms(self, atoms: Atoms) -> Array:
        """Fields, shape (n_fields, *grid)."""

    def cells_of(self, atoms: Atoms) -> NDArray[np.int64]:
        """The cell of each atom."""

    def pad(self, fields: ArrayLike) -> Array:
        """Fields of replicas with ghost cells."""

    def unpad(self, padded: Array) -> Array:
        """Fields of replicas without ghost cells."""

    def observe(self, fields: ArrayLike) -> Array:
        """Observables of replicas."""

    def number_of_steps(self, time: float, dt: float, scheme: str) -> int:
        """Steps in a time; ValueError if they are too long."""

    def advance_padded(
        self, padded: Array, n_steps: int, dt: float, scheme: str, states: NDArray[np.uint64]
    ) -> None:
        """Advance fields and generators in place."""


class FieldDynamics(KernelDynamics):
    """Steps of a field equation; fields and the order of cells may be changed between steps.

    Parameters
    ----------
    atoms : ase.Atoms
        As ``system.to_atoms`` makes them; changed in place. The time stands in
        ``atoms.info["time"]``.
    system : Fields
    timestep : float
    scheme : {"euler-maruyama", "rk4"}
    rng : int, SeedSequence, Generator or None
    logfile, loginterval, append_trajectory
        As in ASE, in steps.
    trajectory : str or Path, optional
        An extended xyz file: ASE's own trajectories keep no arrays of a user's.

    Raises
    ------
    ValueError
        If the step is too long, the atoms or the trajectory's name do not fit, or a cell is held
        by a constraint.
    """

    @property
    def _watched(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*self.system.fields, "positions")

    @property
    def _taken_up(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset(self._watched)

    def __init__(
        self,
        atoms: Atoms,
        system: Fields,
        timestep: float,
        scheme: str = "euler-maruyama",
        rng: Seed = None,
        logfile: Any = None,
        trajectory: str | Path | None = None,
        loginterval: int = 1,
        append_trajectory: bool = False,
    ) -> None:
        if trajectory is not None and Path(trajectory).suffix not in SUFFIXES:
            raise ValueError(f"trajectory must end in {' or '.join(SUFFIXES)}, not {trajectory}")
        system.number_of_steps(1.0, timestep, scheme)
        self.system, self.timestep, self.scheme = system, float(timestep), scheme
        if len(fixed_atoms(atoms)):
            raise ValueError("FixAtoms cannot hold cells of a field: take the constraint away")
        self._lay(atoms)
        self.rng_state = kernel_state(rng)
        self.longest_chunk = max(1, CELLS_PER_CHUNK // len(atoms))
        super().__init__(atoms, logfile, None, loginterval)
        self.frames = None if trajectory is None else Path(trajectory)
        self._appended = Appended.to(self.frames if append_trajectory else None, atoms)
        self._start = float(self._appended.info.get("time", 0.0))
        atoms.info["time"] = self.time
        if self.frames is not None:
            if not append_trajectory:
                self.frames.unlink(missing_ok=True)
            self.attach(self._write_frame, interval=loginterval)

    def _lay(self, atoms: Atoms) -> None:
        """Take the fields and their order from the atoms."""
        fields = self.system.from_atoms(atoms)
        if not np.isfinite(fields).all():
            raise ValueError("a field of the atoms is not finite")
        for name in self.system.fields:
            atoms.arrays[name] = atoms.arrays[name].astype(float, copy=False)
        self._cells, self._padded = self.system.cells_of(atoms), self.system.pad(fields[None])

    @property
    def time(self) -> float:
        """Time since the start, or, of a trajectory that goes on, since its start."""
        return self._start + self.nsteps * self.timestep

    @property
    def fields(self) -> Array:
        """A copy of the fields, shape (n_fields, *grid)."""
        return self.system.unpad(self._padded)[0, ...]

    def _read_atoms(self, changed: frozenset[str]) -> None:
        self._lay(self.atoms)

    def _advance(self, steps: int) -> int:
        states = self.rng_state[None]
        self.system.advance_padded(self._padded, steps, self.timestep, self.scheme, states)
        return steps

    def _update_atoms(self) -> None:
        fields = self.fields.reshape(len(self.system.fields), -1)
        for name, field in zip(self.system.fields, fields):
            self.atoms.arrays[name][:] = field[self._cells]
        self.atoms.info["time"] = self.time

    def _write_frame(self) -> None:
        assert self.frames is not None
        if self._appended.holds(self.nsteps):
            return
        write(self.frames, self.atoms, format="extxyz", append=True)
        self._appended = self._appended.written(self.nsteps)

    def _log_header(self) -> str:
        names = "".join(f" {name:>16}" for name in self.system.names)
        return f"{'step':>12} {'time':>14}{names}"

    def _log_line(self) -> str:
        z = "".join(f" {value:16.8f}" for value in self.system.observe(self.fields[None])[0])
        return f"{self.nsteps:12d} {self.time:14.6f}{z}"

    def _setup(self) -> dict[str, Any]:
        return {
            "driver": type(self).__name__,
            "system": repr(self.system),
            "timestep": self.timestep,
            "scheme": self.scheme,
        }

    def _state(self) -> dict[str, NDArray[Any]]:
        start = np.array(self._start)
        return {"fields": self._padded, "rng_state": self.rng_state, "start": start}

    def _identity(self) -> dict[str, NDArray[Any]]:
        return identity(self.atoms, "positions")

    def _restore(self, state: Any) -> None:
        self._padded, self.rng_state = state["fields"], state["rng_state"]
        self._start = float(state["start"])
        self._update_atoms()
