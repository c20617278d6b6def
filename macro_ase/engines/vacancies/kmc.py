"""Vacancy kinetic Monte Carlo as an ASE driver."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms, units
from numpy.typing import NDArray

from ...barriers import BarrierModel
from ...crystal import Crystal, as_atoms
from ...kinetics.tracers import replay
from ...kinetics.vacancy_walk import SLOWEST_PER_S
from ...rng import Seed
from ..lattice_dynamics import LatticeDynamics, refuse_empty_sites
from ..restart_identity import TOLERANCE, identity
from ..shared_state import fixed_atoms
from ..temperature import Temperature
from .walker import ATTEMPT_RATE_PER_S, VacancyWalker, number

STRETCH = 100_000
TIME, RESIDENCE = "time_s", "residence_s"


class _Laid(NamedTuple):
    """Atoms on their sites, ready to hop."""

    crystal: Crystal
    walker: VacancyWalker
    label: NDArray[np.int64]  # (n_sites,) atom on each site, kept up to date
    hops: NDArray[np.bool_]  # (n_vacancies,) which vacancies are not fixed


class VacancyKMC(LatticeDynamics):
    """Rejection-free kinetic Monte Carlo of the vacancies ``X`` of a crystal.

    A step is one hop, at rate 1e13/s exp(-E / k_B T). Atoms keep their index and move: the
    hopping atom and the vacancy exchange places, and positions are unwrapped, so that mean
    square displacements can be read from a trajectory. Atoms and vacancies under `FixAtoms` do
    not hop.

    Every frame has its time in ``info["time_s"]`` and the mean residence time of its state, 1 over
    the sum of rates, in ``info["residence_s"]``: frames a number of hops apart make averages over
    time when weighted by it.

    Parameters
    ----------
    atoms : ase.Atoms or pymatgen Structure
        A block of the lattice of the barriers (bcc), periodic along all three axes, with vacancies
        marked ``X``; `Atoms` are changed in place, of a `Structure` the attribute ``atoms`` holds a
        copy.
    barriers : BarrierModel
    temperature_K : float or callable
        A callable, such as a `Ramp`, gives the temperature of every hop and of the time before it.
    rng : int, SeedSequence, Generator or None
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in hops. With ``append_trajectory`` the clock goes on from the last frame of
        the file.
    attempt_rate : float
        nu, in 1/s.

    Attributes
    ----------
    time : float
        Physical time in s.
    bond_counts : int64 array, shape (S, S)
        Ordered first-neighbour counts, always up to date.

    Raises
    ------
    ValueError
        If there is no vacancy, the crystal is not such a block, the temperature is not positive,
        or the barrier model knows nothing of the crystal's hops.
    """

    def __init__(
        self,
        atoms: Atoms,
        barriers: BarrierModel,
        temperature_K: Temperature,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
        attempt_rate: float = ATTEMPT_RATE_PER_S,
    ) -> None:
        self.barriers, self.attempt_rate = barriers, attempt_rate
        super().__init__(
            as_atoms(atoms),
            rng,
            logfile,
            trajectory,
            loginterval,
            append_trajectory,
            temperature_K,
        )
        self._tell()

    def _enter(self, atoms: Atoms) -> None:
        self._clock = np.array([_last_time(self._appended.info)])
        super()._enter(atoms)
        self.barriers.check_use(self.crystal)

    def _laid(self, atoms: Atoms) -> _Laid:
        """Put atoms on their sites; the driver stays as it is."""
        crystal, held = self.barriers.crystal(atoms), fixed_atoms(atoms)
        if len(crystal.vacancies) == 0:
            raise ValueError("the crystal has no vacancy (X): put some in with --vacancies N")
        refuse_empty_sites(crystal, atoms)
        self.barriers.remarks(crystal)
        label = np.argsort(crystal.site_of_atom)
        vacant = np.flatnonzero(atoms.numbers == 0)
        hops = ~np.isin(vacant, held)
        assert self._schedule is not None
        walker = VacancyWalker(
            crystal.grid,
            crystal.occupation,
            self.barriers,
            self._schedule.at(self._schedule.first),
            self.rng_state,
            crystal.site_of_atom[vacant[hops]],
            self.attempt_rate,
            held=crystal.site_of_atom[held],
        )
        walker.clock = self._clock
        return _Laid(crystal, walker, label, hops)

    def _lay(self, atoms: Atoms) -> None:
        self._laid_now = self._laid(atoms)
        self.crystal, self._walker, self._label, self._hops = self._laid_now
        self.geometry, self.padded = self._walker.geometry, self._walker.padded
        self._displacement = np.zeros((len(atoms), 3), dtype=np.int64)
        self._start = atoms.positions.copy()

    def _read_atoms(self, changed: frozenset[str]) -> None:
        before = self.crystal.counts
        super()._read_atoms(changed)
        if not np.array_equal(self.crystal.counts, before):
            self.barriers.check_use(self.crystal)

    @property
    def time(self) -> float:
        """Physical time in s, since the start or that of the trajectory appended to."""
        return float(self._clock[0])

    @property
    def bond_counts(self) -> NDArray[np.int64]:
        """Ordered first-neighbour counts N[A, B], shape (S, S)."""
        self._notice()
        bonds: NDArray[np.int64] = self._walker.bonds[0]
        return bonds

    @property
    def rates(self) -> NDArray[np.float64]:
        """Rates of the next hops in 1/s, shape (n_vacancies, Z), vacancies in order of atoms."""
        self._notice()
        return self._rates()

    def _rates(self) -> NDArray[np.float64]:
        self._walker.betas = self._betas(1)
        return _with_fixed(self._laid_now)

    def _walk(self, steps: int, end_time: float) -> int:
        trail = np.empty((steps, 2), dtype=np.int64)
        self._walker.betas = self._betas(steps)
        hops = self._walker.advance(end_time, steps, trail).hops
        basis = np.array(self.crystal.grid.lattice.basis, dtype=np.int64)
        replay(self.geometry, basis, trail, hops, self._label, self._displacement)
        return hops

    def _advance(self, steps: int) -> int:
        return self._walk(steps, np.inf)

    def run_until(self, time: float) -> int:
        """Run to a physical time in s; every observer is called at the end, once.

        Returns
        -------
        int
            Hops done; 0, with the clock advanced, if none came in time.

        Raises
        ------
        ValueError
            If the time lies before the present or is not finite.
        """
        time = number(time, "time")
        if time < self.time:
            raise ValueError(f"time {time:g} s lies before the present {self.time:g} s")
        self._notice()
        start = self.nsteps
        if start == 0:
            self._leave()
            self.call_observers()
        if time == self.time:
            return 0
        if not self._can_hop():
            warnings.warn(f"no hop until {time:g} s: {self._nothing_left()}", stacklevel=2)
        assert self._schedule is not None
        stretch = STRETCH if self._schedule.constant else STRETCH // 100
        while self.time < time:
            self.nsteps += self._walk(stretch, time)
        self._update_atoms()
        self._leave()
        for function, _, args, kwargs in self.observers:
            function(*args, **kwargs)
        return self.nsteps - start

    def _can_hop(self) -> bool:
        return bool(self._rates().sum() >= SLOWEST_PER_S)

    def _nothing_left(self) -> str:
        if not self._hops.any():
            return "all vacancies are fixed"
        return f"no vacancy can hop at {self.temperature_K:g} K, all rates are 0"

    def _update_atoms(self) -> None:
        self.atoms.positions = self._start + self._displacement @ self._half_A

    @property
    def _half_A(self) -> NDArray[np.float64]:
        """Half the vectors of a conventional cell, shape (3, 3), A."""
        size = np.array(self.crystal.grid.size)[:, None]
        half_A: NDArray[np.float64] = 0.5 * self.atoms.cell.array / size
        return half_A

    def _leave(self, rows: Any = None) -> None:
        self._tell()
        super()._leave(rows)

    def _tell(self) -> None:
        """Time, and mean residence time, of the state that the atoms are in."""
        total = float(self._rates().sum())
        self.atoms.info |= {TIME: self.time, RESIDENCE: 1 / total if total > 0 else math.inf}

    def _log_header(self) -> str:
        return f"{'hops':>12} {'time/s':>14} {'T/K':>8} {'vacancies':>10}"

    def _log_line(self) -> str:
        n_vacancies = len(self._hops)
        return f"{self.nsteps:12d} {self.time:14.6e} {self.temperature_K:8.1f} {n_vacancies:10d}"

    def _identity(self) -> dict[str, NDArray[Any]]:
        return identity(self.atoms, "numbers", "masses")

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            "clock": self._clock,
            "displacement": self._displacement,
            "start": self._start,
            "rates": self._rates(),
        }

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        if saved["clock"][0] < 0:
            raise ValueError(f"{path}: clock must be 0 or more, not {saved['clock'][0]:g}")
        if not np.array_equal(saved["numbers"], self.atoms.numbers):
            raise ValueError(f"{path}: numbers are not those of this crystal")
        positions = saved["start"] + saved["displacement"] @ self._half_A
        if not np.allclose(positions, saved["positions"], rtol=0, atol=TOLERANCE):
            raise ValueError(f"{path}: positions are not start and displacement")

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        laid = self._laid(self._saved_atoms(saved))
        laid.walker.betas = 1 / (units.kB * saved["schedule"][1:])
        if not np.allclose(_with_fixed(laid), saved["rates"], rtol=1e-9, atol=0.0):
            raise ValueError("the restart was written with other barriers or attempt rate")

    def _restore(self, state: Any) -> None:
        self._clock[0] = state["clock"][0]
        self._lay(self.atoms)
        self._displacement[:] = state["displacement"]
        self._start[:] = state["start"]


def _with_fixed(laid: _Laid) -> NDArray[np.float64]:
    """Rates of all vacancies, shape (n_vacancies, Z): 0 for those that are fixed."""
    own = laid.walker.rates
    rates = np.zeros((len(laid.hops), own.shape[1]))
    rates[laid.hops] = own
    return rates


def _last_time(info: dict[str, Any]) -> float:
    """Time of the last frame of a trajectory to be appended to, 0 if it has none.

    Raises
    ------
    ValueError
        If it is no time.
    """
    time = info.get(TIME, 0.0)
    if not (isinstance(time, float | int) and 0 <= time < math.inf):
        raise ValueError(f"cannot append: the last frame has {TIME} = {time!r}")
    return float(time)
