"""Glauber, Metropolis and Wolff dynamics of spin lattices as ASE drivers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..kinetics.ising import MAGNETISATION
from ..rng import Seed, coerce_rng
from .kernel_dynamics import KernelDynamics
from .spin_calculators import SpinCalculator
from .spin_ensemble import SpinEnsemble
from .spin_lattice import spins_of

SPINS_PER_CHUNK = 2**24


class SpinDynamics(KernelDynamics):
    """What drivers of spins share; the model is that of the atoms' calculator.

    Parameters
    ----------
    atoms : ase.Atoms
        Initial magnetic moments 1 or -1, with an `IsingCalculator` or `CurieWeissCalculator`.
        Moments that are changed between two runs are noticed.
    temperature : float
        In the calculator's unit of energy, k_B = 1.
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

    def __init__(
        self,
        atoms: Atoms,
        temperature: float,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1,
        append_trajectory: bool = False,
    ) -> None:
        if not isinstance(atoms.calc, SpinCalculator):
            raise ValueError("atoms.calc must be an IsingCalculator or a CurieWeissCalculator")
        model, self._site_of_atom = atoms.calc.model(atoms)
        self._atom_of_site = np.argsort(self._site_of_atom)
        spins = spins_of(atoms)[self._atom_of_site]
        self.ensemble = SpinEnsemble(model, spins, temperature, coerce_rng(rng), kernel=self.kernel)
        self._refuse_model()
        self.longest_chunk = math.ceil(SPINS_PER_CHUNK / len(atoms))
        super().__init__(atoms, logfile, trajectory, loginterval, append_trajectory)

    def _refuse_model(self) -> None:
        """Raise ValueError, before any work, if this dynamics cannot do the model."""

    @property
    def magnetisation(self) -> float:
        """Mean spin."""
        return float(self.ensemble.tally[0, MAGNETISATION]) / len(self.atoms)

    @property
    def energy(self) -> float:
        """H, kept up to date by the kernel."""
        return float(self.ensemble.energy[0])

    def irun(self, steps: int = 1) -> Iterator[bool]:
        """Run, yielding False after every chunk between observers; ValueError if steps < 0."""
        spins = spins_of(self.atoms)[self._atom_of_site]
        if np.any(spins != self.ensemble.spins[0]):
            self.ensemble.spins[0] = spins
            self.ensemble.recount()
        yield from super().irun(steps)

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
            "temperature": float(self.ensemble.temperature[0]),
            "kernel": self.ensemble.kernel,
        }

    def _common_state(self) -> dict[str, NDArray[Any]]:
        return self.ensemble.state()

    def _restore_common(self, state: Any) -> None:
        self.ensemble.restore(state)
        self._update_atoms()

    def _state(self) -> dict[str, NDArray[Any]]:
        return {}

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
        temperature: float,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 1,
        append_trajectory: bool = False,
        timestep: float = 1.0,
        kernel: str = "heat-bath",
    ) -> None:
        if not (math.isfinite(timestep) and timestep > 0):
            raise ValueError(f"timestep must be above 0, not {timestep}")
        self.timestep, self.kernel = float(timestep), kernel
        super().__init__(
            atoms, temperature, rng, logfile, trajectory, loginterval, append_trajectory
        )
        atoms.info["time"] = 0.0

    @property
    def time(self) -> float:
        """Physical time since the start."""
        return float(self.ensemble.time[0])

    def _advance(self, steps: int) -> int:
        self.ensemble.advance((self.nsteps + 1 + np.arange(steps)) * self.timestep)
        return steps

    def _update_atoms(self) -> None:
        super()._update_atoms()
        self.atoms.info["time"] = self.time

    def _log_header(self) -> str:
        return f"{super()._log_header()} {'time':>14}"

    def _log_line(self) -> str:
        return f"{super()._log_line()} {self.time:14.6f}"

    def _setup(self) -> dict[str, Any]:
        return {**super()._setup(), "timestep": self.timestep}


class Metropolis(SpinDynamics):
    """Random-site Metropolis; a step is a sweep of n attempts, and no physical time.

    Parameters are those of `SpinDynamics`; it needs an `IsingCalculator`.
    """

    def _refuse_model(self) -> None:
        self.ensemble.metropolis(n_records=0)

    def _advance(self, steps: int) -> int:
        self.ensemble.metropolis(interval=steps)
        return steps


class Wolff(SpinDynamics):
    """Wolff's cluster moves, without a field; a step is one cluster, and no physical time.

    Parameters are those of `SpinDynamics`; it needs an `IsingCalculator`.
    """

    def _refuse_model(self) -> None:
        self.ensemble.wolff(n_records=0)

    def _advance(self, steps: int) -> int:
        self.ensemble.wolff(interval=steps)
        return steps
