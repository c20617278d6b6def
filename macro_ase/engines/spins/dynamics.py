"""Glauber, Metropolis and Wolff dynamics of spin lattices as ASE drivers."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ...kinetics.ising import MAGNETISATION
from ...kinetics.nfold_way import first_slots
from ...reals import require_positive
from ...rng import Seed, coerce_rng
from ..kernel_dynamics import KernelDynamics
from ..restart_identity import identity
from ..shared_state import fixed_atoms
from ..temperature import Temperature
from .calculators import SpinCalculator
from .ensemble import SpinEnsemble
from .lattice import spins_of
from .models import Ising

SPINS_PER_CHUNK = 2**24


def _first(temperature: Temperature) -> float:
    return temperature(0) if callable(temperature) else temperature


class SpinDynamics(KernelDynamics):
    """What drivers of spins share; the model is that of the atoms' calculator.

    Parameters
    ----------
    atoms : ase.Atoms
        Initial magnetic moments 1 or -1, with an `IsingCalculator` or `CurieWeissCalculator`.
        Between steps you may change moments, the calculator and its parameters, the order of the
        atoms and `FixAtoms`: a spin of an atom under it is held.
    temperature : float or callable
        In the calculator's unit of energy, k_B = 1; a callable, such as a `Ramp`, is told the
        steps since it was set.
    rng : int, SeedSequence, Generator or None
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in steps.

    Attributes
    ----------
    ensemble : SpinEnsemble
        Of one replica.

    Raises
    ------
    ValueError
        If there is no such calculator, or the atoms or the temperature do not fit.
    """

    kernel = "heat-bath"
    _watched = ("initial_magmoms", "positions")
    _taken_up = frozenset({*_watched, "cell", "pbc", "constraints"})

    def __init__(
        self,
        atoms: Atoms,
        temperature: Temperature,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1,
        append_trajectory: bool = False,
    ) -> None:
        self._lay(atoms, _first(temperature), coerce_rng(rng))
        self.longest_chunk = math.ceil(SPINS_PER_CHUNK / len(atoms))
        super().__init__(atoms, logfile, trajectory, loginterval, append_trajectory, temperature)

    def _lay(self, atoms: Atoms, temperature: float, rng: Any) -> None:
        """Take model, sites and spins from the atoms."""
        if not isinstance(atoms.calc, SpinCalculator):
            raise ValueError("atoms.calc must be an IsingCalculator or a CurieWeissCalculator")
        model, sites = atoms.calc.model(atoms)
        spins = np.empty(len(atoms), dtype=np.int8)
        spins[sites] = spins_of(atoms)
        ensemble = SpinEnsemble(
            model, spins, temperature, rng, self._free_sites(atoms, sites), kernel=self.kernel
        )
        self._refuse_model(ensemble)
        self.ensemble, self._site_of_atom = ensemble, sites
        self._parameters = dict(atoms.calc.parameters)

    @staticmethod
    def _free_sites(atoms: Atoms, sites: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Sites whose spins are not held; None stands for all."""
        held = fixed_atoms(atoms)
        if not len(held):
            return None
        if len(held) == len(atoms):
            raise ValueError("all spins are held by FixAtoms")
        return np.delete(sites, held)

    def _refuse_model(self, ensemble: SpinEnsemble) -> None:
        """Raise ValueError, before any work, if this dynamics cannot do the model."""

    @property
    def temperature(self) -> float:
        """Temperature of the present step; set it as `temperature_K`, in reduced units."""
        return self.temperature_K

    @temperature.setter
    def temperature(self, given: Temperature) -> None:
        self.temperature_K = given

    @property
    def magnetisation(self) -> float:
        """Mean spin, of the atoms as they are now."""
        self._notice()
        return float(self.ensemble.tally[0, MAGNETISATION]) / len(self.atoms)

    @property
    def energy(self) -> float:
        """H of the atoms as they are now."""
        self._notice()
        return float(self.ensemble.energy[0])

    def _notice(self, rows: Any = None) -> None:
        super()._notice(rows)
        calculator = self.atoms.calc
        if not isinstance(calculator, SpinCalculator) or calculator.parameters != self._parameters:
            self._read_atoms(frozenset())

    def _read_atoms(self, changed: frozenset[str]) -> None:
        before = self.ensemble
        self._lay(self.atoms, self.temperature, 0)
        self.ensemble.rng_state, self.ensemble.time = before.rng_state, before.time

    def _advance(self, steps: int) -> int:
        assert self._schedule is not None
        done = 0
        for temperature, lasts in self._schedule.stretches(self.nsteps, steps):
            self.ensemble.temperature = temperature
            self._walk(self.nsteps + done, lasts)
            done += lasts
        return done

    @abstractmethod
    def _walk(self, first: int, steps: int) -> None:
        """Do steps from ``first`` on at the ensemble's temperature."""

    def _update_atoms(self) -> None:
        self.atoms.set_initial_magnetic_moments(
            self.ensemble.spins[0][self._site_of_atom].astype(float)
        )

    def _log_header(self) -> str:
        return f"{'step':>12} {'m':>12} {'energy/spin':>14}"

    def _log_line(self) -> str:
        per_spin = self.energy / len(self.atoms)
        return f"{self.nsteps:12d} {self.magnetisation:12.6f} {per_spin:14.6f}"

    def _setup(self) -> dict[str, Any]:
        model = self.ensemble.model
        parameters = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(model).items()}
        return {
            "driver": type(self).__name__,
            "model": type(model).__name__,
            **parameters,
            "kernel": self.ensemble.kernel,
        }

    def _identity(self) -> dict[str, NDArray[Any]]:
        return identity(self.atoms, "positions")

    def _common_state(self) -> dict[str, NDArray[Any]]:
        return self.ensemble.state()

    def _restore_common(self, state: Any) -> None:
        self.ensemble.restore(state)
        self._update_atoms()

    def _state(self) -> dict[str, NDArray[Any]]:
        return {}

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        _require_spins(path, self.ensemble, saved)

    def _restore(self, state: Any) -> None:
        pass


class Glauber(SpinDynamics):
    """Continuous-time Glauber dynamics, rate 1 / (1 + exp(dH / T)) for every spin.

    A step is a stretch of physical time; the unit is one attempt a site. The time stands in
    ``atoms.info["time"]``.

    Parameters
    ----------
    atoms, temperature, rng, logfile, trajectory, loginterval, append_trajectory
        As in `SpinDynamics`.
    timestep : float
        Physical time of a step; it changes no rate.
    kernel : {"heat-bath", "n-fold"}
        As in `SpinEnsemble`.
    """

    def __init__(
        self,
        atoms: Atoms,
        temperature: Temperature,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1,
        append_trajectory: bool = False,
        timestep: float = 1.0,
        kernel: str = "heat-bath",
    ) -> None:
        self.timestep, self.kernel = require_positive(timestep, "timestep"), kernel
        super().__init__(
            atoms, temperature, rng, logfile, trajectory, loginterval, append_trajectory
        )
        self._start = float(self._appended.info.get("time", 0.0))
        self.ensemble.time[:] = self._start
        atoms.info["time"] = self.time

    @property
    def time(self) -> float:
        """Physical time since the start, or, of a trajectory that goes on, since its start."""
        return float(self.ensemble.time[0])

    def _walk(self, first: int, steps: int) -> None:
        self.ensemble.advance(self._start + (first + 1 + np.arange(steps)) * self.timestep)

    def _update_atoms(self) -> None:
        super()._update_atoms()
        self.atoms.info["time"] = self.time

    def _log_header(self) -> str:
        return f"{super()._log_header()} {'time':>14}"

    def _log_line(self) -> str:
        return f"{super()._log_line()} {self.time:14.6f}"

    def _setup(self) -> dict[str, Any]:
        return {**super()._setup(), "timestep": self.timestep}

    def _state(self) -> dict[str, NDArray[Any]]:
        return {"start": np.array(self._start)}

    def _restore(self, state: Any) -> None:
        self._start = float(state["start"])


class Metropolis(SpinDynamics):
    """Random-site Metropolis; a step is a sweep of n attempts, and no physical time.

    Parameters are those of `SpinDynamics`; it needs an `IsingCalculator`.
    """

    def _refuse_model(self, ensemble: SpinEnsemble) -> None:
        ensemble.metropolis(n_records=0)

    def _walk(self, first: int, steps: int) -> None:
        self.ensemble.metropolis(interval=steps)


class Wolff(SpinDynamics):
    """Wolff's cluster moves, without a field; a step is one cluster, and no physical time.

    Parameters are those of `SpinDynamics`; it needs an `IsingCalculator`.
    """

    def _refuse_model(self, ensemble: SpinEnsemble) -> None:
        ensemble.wolff(n_records=0)

    def _walk(self, first: int, steps: int) -> None:
        self.ensemble.wolff(interval=steps)


def _require_spins(
    path: str | Path, ensemble: SpinEnsemble, saved: dict[str, NDArray[Any]]
) -> None:
    """Refuse spins other than 1 and -1, tallies and lists of other spins, times below 0.

    Raises
    ------
    ValueError
    """
    spins, slots = saved["spins"], saved["slots"]
    if not np.all(np.abs(spins) == 1):
        raise ValueError(f"{path}: spins must be 1 or -1")
    if not np.array_equal(saved["tally"][:, MAGNETISATION], spins.sum(axis=1)):
        raise ValueError(f"{path}: tally is not that of the spins")
    if np.any(saved["time"] < 0):
        raise ValueError(f"{path}: time must be 0 or more")
    if slots.size and isinstance(ensemble.model, Ising):
        own = first_slots(spins, ensemble.model.lattice, ensemble._active)
        if not np.array_equal(np.sort(slots, axis=1), np.sort(own, axis=1)):
            raise ValueError(f"{path}: slots are not those of the spins")
