"""Vacancy kinetic Monte Carlo as an ASE driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..barriers import BarrierModel
from ..kinetics.tracers import replay
from ..kinetics.vacancy_walk import hop_rates
from ..lattice import VACANCY, as_atoms
from ..rng import Seed
from .lattice_dynamics import LatticeDynamics, refuse_empty_sites
from .restart_files import require_vacancies
from .temperature import require_temperature
from .vacancy_walker import ATTEMPT_RATE_PER_S, VacancyWalker


class VacancyKMC(LatticeDynamics):
    """Rejection-free kinetic Monte Carlo of the vacancies ``X`` of a bcc crystal.

    A step is one hop, at rate 1e13/s exp(-E / k_B T). Atoms keep their index and move: the
    hopping atom and the vacancy exchange places, and positions are unwrapped, so that mean
    square displacements can be read from a trajectory.

    Parameters
    ----------
    atoms : ase.Atoms or pymatgen Structure
        A bcc block with vacancies marked ``X``; `Atoms` are changed in place, of a `Structure`
        the attribute ``atoms`` holds a copy.
    barriers : BarrierModel
    temperature_K : float
    rng : int, SeedSequence, Generator or None
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in hops.
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
        If there is no vacancy, the crystal is not bcc, or the temperature is not positive.
    """

    def __init__(
        self,
        atoms: Atoms,
        barriers: BarrierModel,
        temperature_K: float,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1000,
        append_trajectory: bool = False,
        attempt_rate: float = ATTEMPT_RATE_PER_S,
    ) -> None:
        require_temperature(temperature_K)
        atoms = as_atoms(atoms)
        crystal = barriers.crystal(atoms)
        if len(crystal.vacancies) == 0:
            raise ValueError("the crystal has no vacancy (X): put some in with --vacancies N")
        refuse_empty_sites(crystal, atoms)
        barriers.check_use(crystal)
        self.barriers = barriers
        self._label = np.empty(crystal.grid.n_sites, dtype=np.int64)
        self._label[crystal.site_of_atom] = np.arange(len(atoms))
        self._displacement = np.zeros((len(atoms), 3), dtype=np.int64)
        self._start = atoms.positions.copy()
        super().__init__(
            atoms, crystal, temperature_K, rng, logfile, trajectory, loginterval, append_trajectory
        )
        vacancy_atoms = np.flatnonzero(np.array(atoms.get_chemical_symbols()) == VACANCY)
        self._walker = VacancyWalker(
            crystal.grid,
            crystal.occupation,
            barriers,
            temperature_K,
            self.rng_state,
            crystal.site_of_atom[vacancy_atoms],
            attempt_rate,
        )
        self.padded = self._walker.padded

    @property
    def time(self) -> float:
        """Physical time since the start, in s."""
        return float(self._walker.clock[0])

    @property
    def bond_counts(self) -> NDArray[np.int64]:
        """Ordered first-neighbour counts N[A, B], shape (S, S)."""
        return self._walker.bonds[0]

    @property
    def rates(self) -> NDArray[np.float64]:
        """Rates of all hops in 1/s, shape (n_vacancies, 8), vacancies in order of atoms."""
        return self._walker.rates

    def _walk(self, steps: int, end_time: float) -> int:
        trail = np.empty((steps, 2), dtype=np.int64)
        hops = self._walker.advance(end_time, steps, trail).hops
        basis = np.array(self.crystal.grid.lattice.basis, dtype=np.int64)
        replay(self.geometry, basis, trail, hops, self._label, self._displacement)
        return hops

    def _advance(self, steps: int) -> int:
        return self._walk(steps, np.inf)

    def run_until(self, time: float) -> int:
        """Run to a physical time in s; observers are called at the end only.

        Returns
        -------
        int
            Hops done.
        """
        if time < self.time:
            raise ValueError(f"time {time:g} s lies before the present {self.time:g} s")
        start = self.nsteps
        while self.time < time:
            done = self._walk(100_000, time)
            self.nsteps += done
            if done == 0:
                break
        self._update_atoms()
        self.call_observers()
        return self.nsteps - start

    def _update_atoms(self) -> None:
        half = 0.5 * self.atoms.cell.array / np.array(self.crystal.grid.size)[:, None]
        self.atoms.positions = self._start + self._displacement @ half
        self.atoms.info["time_s"] = self.time

    def _log_header(self) -> str:
        return f"{'hops':>12} {'time/s':>14} {'T/K':>8} {'vacancies':>10}"

    def _log_line(self) -> str:
        n_vacancies = len(self._walker.sites)
        return f"{self.nsteps:12d} {self.time:14.6e} {self.temperature_K:8.1f} {n_vacancies:10d}"

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            "clock": self._walker.clock,
            "sites": self._walker.sites,
            "bonds": self._walker.bonds,
            "label": self._label,
            "displacement": self._displacement,
            "start": self._start,
            "rates": self.rates,
        }

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        super()._check_restart(path, saved)
        require_vacancies(path, self.crystal, saved)

    def _refuse_other_model(self, saved: dict[str, NDArray[Any]]) -> None:
        walker = self._walker
        rates = hop_rates(
            walker.tables,
            saved["padded"],
            saved["sites"],
            walker.geometry.n_basis,
            walker.kinetics,
        )
        if not np.allclose(rates, saved["rates"], rtol=1e-9, atol=0.0):
            raise ValueError("the restart was written with other barriers or attempt rate")

    def _restore(self, state: Any) -> None:
        walker = self._walker
        walker.padded, walker.rng_state = self.padded, self.rng_state
        walker.clock = state["clock"].copy()
        walker.sites = state["sites"].copy()
        walker.bonds = state["bonds"].copy()
        self._label = state["label"].copy()
        self._displacement = state["displacement"].copy()
        self._start = state["start"].copy()
