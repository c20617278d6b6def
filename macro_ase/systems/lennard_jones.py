"""The Lennard-Jones fluid out of equilibrium, by LAMMPS: random atoms, minimised, set in motion.

    x' = v,   v' = F(x),   T = sum_i v_i^2 / (3 (n - 1))

at constant energy, in reduced units: depth and zero of the potential and the mass are 1. LAMMPS
runs the input that ships, ``in.lj_nve``.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..counts import require_count
from ..engines.lammps.files import input_path
from ..engines.lammps.library import open_lammps, run_lines
from ..extras import need

INPUT = "in.lj_nve"
SYMBOL = "Ar"
LARGEST_SEED = 2**31 - 1
VECTORS = ("x", "v", "f")
LOCK = threading.RLock()  # MPI is not started for several threads


class Start(NamedTuple):
    """How a run starts.

    Attributes
    ----------
    temperature : float
        T0, of the first velocities.
    position_seed, velocity_seed : int
        Of LAMMPS's generators, from 1.
    """

    temperature: float
    position_seed: int = 1
    velocity_seed: int = 2


@dataclass(frozen=True)
class FluidRun:
    """Frames of one run; atoms are in the order of their ids.

    Attributes
    ----------
    steps : int array, shape (n_t,)
    positions : array, shape (n_t, n, 3)
        Not wrapped into the cell.
    velocities, forces : arrays, shape (n_t, n, 3)
    temperatures : array, shape (n_t,)
    potential_energies : array, shape (n_t,)
        Per atom.
    """

    steps: NDArray[np.int64]
    positions: Array
    velocities: Array
    forces: Array
    temperatures: Array
    potential_energies: Array

    @property
    def states(self) -> Array:
        """(x, v) of all atoms in one row, shape (n_t, 6 n)."""
        return self._rows(self.positions, self.velocities)

    @property
    def rates(self) -> Array:
        """(v, F), the time derivative of the states, shape (n_t, 6 n)."""
        return self._rows(self.velocities, self.forces)

    @property
    def energies(self) -> Array:
        """Potential and kinetic energy per atom, shape (n_t,)."""
        kinetic: Array = (self.velocities**2).sum(axis=2).mean(axis=1) / 2
        return self.potential_energies + kinetic

    def _rows(self, first: Array, second: Array) -> Array:
        n_t = len(self.steps)
        return np.concatenate([first.reshape(n_t, -1), second.reshape(n_t, -1)], axis=1)


@dataclass(frozen=True)
class LennardJones:
    """A periodic cube of Lennard-Jones atoms at constant energy.

    Parameters
    ----------
    n_atoms : int
    density : float
        Atoms in a unit of volume.
    cutoff : float
    timestep : float

    Raises
    ------
    ValueError
        If a number makes no sense, or the cube is so small that an atom sees another twice.
    """

    n_atoms: int = 800
    density: float = 0.8
    cutoff: float = 2.5
    timestep: float = 0.001

    def __post_init__(self) -> None:
        for name in ("density", "cutoff", "timestep"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        least = int(np.ceil(self.density * (2 * self.cutoff) ** 3))
        if self.n_atoms < least:
            raise ValueError(
                f"n_atoms must be {least} or more for a cutoff of {self.cutoff:g}, "
                f"not {self.n_atoms}"
            )

    @property
    def edge(self) -> float:
        """Of the cube."""
        return float((self.n_atoms / self.density) ** (1 / 3))

    def run(self, start: Start, steps: ArrayLike) -> FluidRun:
        """One run; see `runs`."""
        return next(self.runs([start], steps))

    def runs(self, starts: Sequence[Start], steps: ArrayLike) -> Iterator[FluidRun]:
        """Runs from several starts, by one instance of LAMMPS, as they are done.

        Atoms of one position seed are minimised once if its starts follow each other.

        Parameters
        ----------
        starts : sequence of Start
        steps : int array, shape (n_t,)
            Which steps are kept, ascending.

        Raises
        ------
        ModuleNotFoundError
            If LAMMPS is not installed.
        ValueError
            If a start or the steps make no sense, or LAMMPS refuses.
        """
        wanted = self._checked(starts, steps)
        with _instance() as (lmp, folder):
            minimised = None
            for start in starts:
                if start.position_seed != minimised:
                    self._set_up(lmp, folder, start, "random")
                self._set_up(lmp, folder, start, "read")
                minimised = start.position_seed
                yield self._frames(lmp, wanted)

    def _checked(self, starts: Sequence[Start], steps: ArrayLike) -> NDArray[np.int64]:
        wanted = np.atleast_1d(np.asarray(steps, dtype=np.int64))
        if wanted[0] < 0 or np.any(np.diff(wanted) <= 0):
            raise ValueError("steps must ascend from 0 or later")
        for start in starts:
            if not 0 < start.temperature < np.inf:
                raise ValueError(f"a start has a temperature above 0, not {start}")
            for name in ("position_seed", "velocity_seed"):
                require_count(getattr(start, name), name, 1, LARGEST_SEED)
        need("lammps", "this system")
        return wanted

    def _set_up(self, lmp: Any, folder: str, start: Start, kind: str) -> None:
        """Run the input for no step: what is random is minimised and kept as a restart file."""
        variables = {
            "n": self.n_atoms,
            "density": self.density,
            "cutoff": self.cutoff,
            "timestep": self.timestep,
            "T0": start.temperature,
            "position_seed": int(start.position_seed),
            "velocity_seed": int(start.velocity_seed),
            "steps": 0,
            "dump": "no",
            "start": kind,
            "save": "yes" if kind == "random" else "no",
            "restart": f"{folder}/minimised",
        }
        lines = ["clear"]
        for name, value in variables.items():
            lines += [f"variable {name} delete", f"variable {name} index {value!s}"]
        run_lines(lmp, [*lines, f"include {input_path(INPUT)}"])

    def _frames(self, lmp: Any, steps: NDArray[np.int64]) -> FluidRun:
        shape = (len(steps), self.n_atoms, 3)
        vectors = {name: np.empty(shape) for name in VECTORS}
        energies, now = np.empty(len(steps)), 0
        for row, step in enumerate(steps):
            if step > now:
                run_lines(lmp, [f"run {step - now} pre no post no"])
                now = step
            for name, array in vectors.items():
                array[row] = np.reshape(lmp.gather_atoms(name, 1, 3), shape[1:])
            images = np.reshape(lmp.gather_atoms("image", 0, 3), shape[1:])
            vectors["x"][row] += self.edge * images
            energies[row] = lmp.get_thermo("pe")
        x, v, f = (vectors[name] for name in VECTORS)
        return FluidRun(steps, x, v, f, temperature(v), energies)

    def to_atoms(self, positions: ArrayLike, velocities: ArrayLike | None = None) -> Atoms:
        """One state as atoms of mass 1; the units of ASE stand for the reduced ones.

        Parameters
        ----------
        positions, velocities : arrays, shape (n, 3)
        """
        atoms = Atoms(
            f"{SYMBOL}{self.n_atoms}",
            positions=np.asarray(positions),
            cell=[self.edge] * 3,
            pbc=True,
            masses=np.ones(self.n_atoms),
        )
        if velocities is not None:
            atoms.set_velocities(np.asarray(velocities))
        return atoms

    def from_atoms(self, atoms: Atoms) -> tuple[Array, Array]:
        """Positions and velocities, shape (n, 3) each, of atoms as `to_atoms` makes them.

        Raises
        ------
        ValueError
            If their number or their cell is another.
        """
        if len(atoms) != self.n_atoms:
            raise ValueError(f"the fluid has {self.n_atoms} atoms, not {len(atoms)}")
        if not np.allclose(atoms.cell.array, self.edge * np.eye(3)):
            raise ValueError(f"the cell must be a cube of edge {self.edge:g}")
        return atoms.get_positions(), atoms.get_velocities()


def temperature(velocities: ArrayLike) -> Array:
    """T of velocities whose mean is zero, (..., n, 3) to (...)."""
    v = np.asarray(velocities, dtype=float)
    return np.asarray((v**2).sum(axis=(-1, -2)) / (3 * (v.shape[-2] - 1)))


def run_many(
    fluid: LennardJones, starts: Sequence[Start], steps: ArrayLike, workers: int = 1
) -> list[FluidRun]:
    """Runs from several starts, in processes; the same bytes for any number of them.

    Starts of one position seed go to one process.

    Raises
    ------
    ModuleNotFoundError, ValueError
        As `LennardJones.runs`, before any work starts.
    """
    fluid._checked(starts, steps)
    if workers == 1:
        return list(fluid.runs(starts, steps))
    seeds = sorted({start.position_seed for start in starts})
    of_seed = {s: [k for k, start in enumerate(starts) if start.position_seed == s] for s in seeds}
    done: dict[int, FluidRun] = {}
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        parts = [[starts[k] for k in of_seed[s]] for s in seeds]
        for seed, runs in zip(
            seeds, pool.map(_all_runs, *zip(*[(fluid, p, steps) for p in parts]))
        ):
            done |= dict(zip(of_seed[seed], runs))
    return [done[k] for k in range(len(starts))]


def _all_runs(fluid: LennardJones, starts: Sequence[Start], steps: ArrayLike) -> list[FluidRun]:
    return list(fluid.runs(starts, steps))


@contextmanager
def _instance() -> Iterator[tuple[Any, str]]:
    """An instance of LAMMPS and a folder that go together; threads wait for one another."""
    with LOCK, tempfile.TemporaryDirectory() as folder, closing(open_lammps()) as lmp:
        yield lmp, folder
