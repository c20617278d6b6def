"""Molecular dynamics of a patch in its frozen surroundings, as an ASE driver.

Core and buffer move, everything else stays where it is, bit for bit. ASE's own integrators act on
the moving atoms; forces come from a cut-out around them, so that a step costs what the patch
costs, whatever the size of the system.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.nose_hoover_chain import NoseHooverChainNVT
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet
from numpy.typing import NDArray

from ...patches import Patch
from ...reals import require_positive
from ...rng import Seed
from ..driver import Driver
from ..restart_files import require_generator
from ..restart_identity import identity
from ..shared_state import SharedState
from ..temperature import Temperature
from .frozen_surroundings import FrozenSurroundings, occupied, unfixed
from .local_energy import LONGEST_A, laid, require_forces, required_halo

Ensemble = Literal["nve", "langevin", "nose-hoover"]
FRICTION = 0.01 / units.fs
TDAMP_STEPS = 100


class PatchMD(Driver):
    """Molecular dynamics of the atoms of a patch.

    Parameters
    ----------
    atoms : ase.Atoms
        The whole system, changed in place after every step. Vacancies ``X`` and atoms under
        `FixAtoms` stay where they are.
    patch : Patch, optional
        Default: all atoms.
    calculator : ase Calculator, optional
        Of the cut-out. Default: that of the atoms.
    timestep : float
        In ASE's unit of time.
    temperature_K : float, optional
        Of the thermostat. If no atom of the patch has a momentum yet, momenta are drawn from the
        Maxwell-Boltzmann distribution, and their sum is not removed: the surroundings hold
        the frame.
    ensemble : {"nve", "langevin", "nose-hoover"}
        ASE's `VelocityVerlet`, `Langevin` or `NoseHooverChainNVT`.
    halo_A : float, optional
        How far from a moving atom forces depend on other atoms. Default: the calculator's.
    skin_A : float
        How far atoms may move before a new halo is cut out.
    friction : float
        Of Langevin dynamics, per ASE unit of time; default 0.01 / fs.
    tdamp : float, optional
        Period of the Nose-Hoover chain, default 100 time steps.
    rng : int, SeedSequence, Generator or None
    logfile, trajectory, loginterval, append_trajectory
        As in ASE, in steps. The log is of the moving atoms, a frame of the trajectory holds all.

    Attributes
    ----------
    active : ase.Atoms
        The moving atoms, in the order of ``region.active``. Their energy is what they add to
        their surroundings; their temperature counts 3 degrees of freedom an atom.
    region : Region
        The moving atoms.
    patched : Region
        All atoms of the patch: also vacancies and fixed atoms.

    Raises
    ------
    ValueError
        If there is no calculator, a number is out of range, a thermostat has no temperature, no
        atom can move, or a constraint is not `FixAtoms`.
    """

    _watched = (
        "numbers",
        "positions",
        "momenta",
        "masses",
        "initial_magmoms",
        "initial_charges",
    )
    _taken_up = frozenset({*_watched, "cell", "pbc", "constraints"})

    def __init__(
        self,
        atoms: Atoms,
        patch: Patch | None = None,
        calculator: Any = None,
        *,
        timestep: float,
        temperature_K: Temperature | None = None,
        ensemble: Ensemble = "nve",
        halo_A: float | None = None,
        skin_A: float = 1.0,
        friction: float = FRICTION,
        tdamp: float | None = None,
        rng: Seed = None,
        logfile: Any = None,
        trajectory: Any = None,
        loginterval: int = 100,
        append_trajectory: bool = False,
    ) -> None:
        calculator = atoms.calc if calculator is None else calculator
        if calculator is None:
            raise ValueError("no calculator: give one, or attach one to the atoms")
        _require_ensemble(ensemble, temperature_K)
        self.ensemble, self.dt = ensemble, require_positive(timestep, "timestep")
        self.friction = require_positive(friction, "friction")
        self.tdamp = require_positive(TDAMP_STEPS * self.dt if tdamp is None else tdamp, "tdamp")
        super().__init__(
            atoms, rng, logfile, trajectory, loginterval, append_trajectory, temperature_K
        )
        self.rng = np.random.default_rng(self.rng_state)
        self.patched = laid(atoms, patch)
        halo_A = 0.0 if patch is None else required_halo(atoms, self.patched, calculator, halo_A)
        self._free = unfixed(atoms, self.patched)
        skin_A = require_positive(skin_A, "skin_A", "A", LONGEST_A)
        region = occupied(atoms, self._free)
        self.surroundings = FrozenSurroundings(
            atoms, self.patched, region, calculator, halo_A, skin_A
        )
        require_forces(self.surroundings.cut.atoms, calculator)
        if not atoms.has("momenta"):
            atoms.set_momenta(np.zeros((len(atoms), 3)))
        self._lay_patch()
        if self._schedule is not None and not self.active.get_momenta().any():
            MaxwellBoltzmannDistribution(
                self.active, temperature_K=self.temperature_K, rng=self.rng
            )
        self._start_integrator()
        self._update_atoms()
        self._left = SharedState(atoms, self._watched)

    def _refuse_temperature(self) -> None:
        if self.ensemble == "nve":
            raise ValueError("nve has no thermostat: scale the momenta instead")

    @property
    def _rows(self) -> Any:
        return self.surroundings.around

    def _read_atoms(self, changed: frozenset[str]) -> None:
        if changed == {"momenta"}:
            self.active.arrays["momenta"][:] = self.atoms.arrays["momenta"][self.region.active]
            return
        free = unfixed(self.atoms, self.patched)
        region = occupied(self.atoms, free)
        self._free = free
        if not changed <= {"momenta", "masses"}:
            self.surroundings.lay(region)
            require_forces(self.surroundings.cut.atoms, self.surroundings.calculator)
        self._follow()

    def _follow(self) -> None:
        """Go on with the moving atoms as they are in the system; the thermostat stays as it is."""
        thermostat = self._thermostat()
        self._lay_patch()
        self._start_integrator()
        self._set_thermostat(thermostat)

    def _lay_patch(self) -> None:
        """Take the moving atoms as they are now."""
        self.region = occupied(self.atoms, self._free)
        rows, arrays = self.region.active, self.atoms.arrays
        self.active = Atoms(
            arrays["numbers"][rows], arrays["positions"][rows], cell=self.atoms.cell
        )
        self.active.pbc = self.atoms.pbc
        for name in sorted({"momenta", "masses"} & arrays.keys()):
            self.active.set_array(name, arrays[name][rows])
        self.active.calc = self.surroundings

    def _start_integrator(self) -> None:
        active, dt = self.active, self.dt
        T = self._bath_K = 0.0 if self._schedule is None else self.temperature_K
        self.integrator: VelocityVerlet | Langevin | NoseHooverChainNVT
        if self.ensemble == "nve":
            self.integrator = VelocityVerlet(active, dt)
        elif self.ensemble == "langevin":
            self.integrator = Langevin(
                active, dt, temperature_K=T, friction=self.friction, fixcm=False, rng=self.rng
            )
        else:
            self.integrator = NoseHooverChainNVT(active, dt, temperature_K=T, tdamp=self.tdamp)

    def _update_atoms(self) -> None:
        """Positions and momenta of the moving atoms, into the system."""
        self.atoms.positions[self.region.active] = self.active.positions
        self.atoms.arrays["momenta"][self.region.active] = self.active.arrays["momenta"]

    def read_atoms(self) -> None:
        """Take up species, positions and momenta of the patch that something else has changed."""
        self.surroundings.read_species(occupied(self.atoms, self._free))
        self._follow()

    def _thermostat(self) -> NDArray[np.float64]:
        """Positions and momenta of the Nose-Hoover chain, shape (2, length)."""
        if not isinstance(self.integrator, NoseHooverChainNVT):
            return np.zeros((2, 0))
        chain = self.integrator._thermostat
        return np.array([chain._eta, chain._p_eta])

    def _set_thermostat(self, state: NDArray[np.float64]) -> None:
        if isinstance(self.integrator, NoseHooverChainNVT):
            chain = self.integrator._thermostat
            chain._eta[:], chain._p_eta[:] = state

    def _advance(self, steps: int) -> int:
        for step in range(self.nsteps, self.nsteps + steps):
            if self.ensemble != "nve":
                self._warm(step)
            self.integrator.step()
        return steps

    def _warm(self, step: int) -> None:
        """Set the thermostat to the temperature of a step."""
        assert self._schedule is not None
        temperature_K = self._schedule.at(step)
        if temperature_K == self._bath_K:
            return
        self._bath_K = temperature_K
        if isinstance(self.integrator, Langevin):
            self.integrator.set_temperature(temperature_K=temperature_K)
            return
        thermostat = self._thermostat()
        self.integrator = NoseHooverChainNVT(
            self.active, self.dt, temperature_K=temperature_K, tdamp=self.tdamp
        )
        self._set_thermostat(thermostat)

    def get_time(self) -> float:
        """Time since the start, in ASE's unit."""
        return self.nsteps * self.dt

    def get_conserved_energy(self) -> float:
        """Energy of the moving atoms and of the Nose-Hoover chain, eV; Langevin keeps none."""
        if isinstance(self.integrator, NoseHooverChainNVT):
            return self.integrator.get_conserved_energy()
        return float(self.active.get_potential_energy() + self.active.get_kinetic_energy())

    def todict(self) -> dict[str, Any]:
        """What a trajectory says of the run that wrote it."""
        return {
            "type": "molecular-dynamics",
            "md-type": type(self).__name__,
            "timestep": self.dt,
            "ensemble": self.ensemble,
            "temperature_K": None if self._schedule is None else self.temperature_K,
        }

    def _log_header(self) -> str:
        names = ("time/ps", "conserved/eV", "potential/eV", "kinetic/eV", "T/K")
        return "{:>12} {:>14} {:>14} {:>12} {:>8}".format(*names)

    def _log_line(self) -> str:
        potential, kinetic = self.active.get_potential_energy(), self.active.get_kinetic_energy()
        return (
            f"{self.get_time() / (1000 * units.fs):12.4f} {self.get_conserved_energy():14.6f} "
            f"{potential:14.6f} {kinetic:12.6f} {self.active.get_temperature():8.1f}"
        )

    def _setup(self) -> dict[str, Any]:
        return {
            "driver": type(self).__name__,
            "ensemble": self.ensemble,
            "calculator": type(self.surroundings.calculator).__name__,
            "timestep": self.dt,
            "patch": self.patched.active.tolist(),
        }

    def _identity(self) -> dict[str, NDArray[Any]]:
        frozen = np.ones(len(self.atoms), dtype=bool)
        frozen[self.region.active] = False
        return {
            **super()._identity(),
            **identity(self.atoms, "numbers", "masses"),
            "positions of frozen atoms": self.atoms.positions[frozen],
        }

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            "momenta": self.atoms.arrays["momenta"],
            "reference": self.surroundings.reference,
            "thermostat": self._thermostat(),
            "generator": np.array(json.dumps(self.rng.bit_generator.state)),
        }

    def _check_restart(self, path: str | Path, saved: dict[str, NDArray[Any]]) -> None:
        require_generator(path, saved)

    def _restore(self, state: dict[str, NDArray[Any]]) -> None:
        self.atoms.arrays["momenta"] = state["momenta"]
        patched, positions = self.patched.active, self.atoms.positions
        now = positions[patched].copy()
        self.surroundings.read_species(occupied(self.atoms, self._free))
        self.surroundings.cut_at(state["reference"])
        positions[patched] = now
        self._lay_patch()
        self._start_integrator()
        self._set_thermostat(state["thermostat"])
        self.rng.bit_generator.state = json.loads(str(state["generator"]))


def _require_ensemble(ensemble: str, temperature_K: Temperature | None) -> None:
    if ensemble not in get_args(Ensemble):
        raise ValueError(f"ensemble must be one of {', '.join(get_args(Ensemble))}, not {ensemble}")
    if ensemble != "nve" and temperature_K is None:
        raise ValueError(f"the ensemble {ensemble} needs temperature_K")
