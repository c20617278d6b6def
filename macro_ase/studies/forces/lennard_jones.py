"""The study of the Lennard-Jones fluid, learned from forces on some of its atoms.

Chen and Li, arXiv 2410.23938: the temperature of a fluid that starts from minimised atoms with
velocities of temperature T0, at constant energy. In their family of runs all start from the same
atoms in the same directions, and T0 alone varies.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...engines.patches.partial_forces import Bins, LennardJonesForce
from ...systems.lennard_jones import LARGEST_SEED, FluidRun, LennardJones, Start
from ..settings import require_multiple, require_numbers, require_steps
from .results import write_results
from .study import Array, ForcesFindings, ForcesStudy, States, TestRuns

PUBLISHED = {"Lz": 4.45e-3, "Lx_partial": 1.17e-3}
LIMIT = 1.2e-3
FINER = 2


@dataclass(frozen=True)
class Temperature:
    """T = sum_i v_i^2 / (3 (n - 1)) of states (x, v)."""

    n_atoms: int

    def __call__(self, states: States) -> Array:
        """T, (n, 6 n_atoms) to (n, 1)."""
        v = self._velocities(states)
        squares: Array = (v**2).sum(axis=1, keepdims=True)
        return squares / (3 * (self.n_atoms - 1))

    def jacobian(self, states: States) -> Array:
        """dT/d(x, v), shape (n, 1, 6 n_atoms)."""
        v = self._velocities(states)
        by_velocity = 2 * v / (3 * (self.n_atoms - 1))
        return np.concatenate([np.zeros_like(v), by_velocity], axis=1)[:, None]

    def _velocities(self, states: States) -> Array:
        return np.asarray(states[:, states.shape[1] // 2 :], dtype=np.float64)


@dataclass(frozen=True)
class LennardJonesForces:
    """The fluid as `forces.system.ForceSystem`; a particle is an atom, with x and v.

    Attributes
    ----------
    fluid : LennardJones
    data : dict
        The study's table of that name.
    """

    fluid: LennardJones
    data: dict[str, Any]
    z_names: ClassVar[tuple[str, ...]] = ("temperature",)
    features: ClassVar[Array | None] = None

    @property
    def n_particles(self) -> int:
        """Atoms."""
        return self.fluid.n_atoms

    @property
    def states_per_run(self) -> int:
        """States that are kept of a training run."""
        return len(self.steps)

    @property
    def observables(self) -> Temperature:
        """The temperature."""
        return Temperature(self.n_particles)

    def training_states(self, runs: int, rng: np.random.Generator) -> States:
        """States at every kept step, shape (runs * n_t, 6 n_atoms)."""
        made = self.fluid.runs(self._starts(runs, rng), self.steps)
        return np.concatenate([run.states.astype(np.float32) for run in made])

    def test_runs(self, runs: int, rng: np.random.Generator) -> TestRuns:
        """True runs, and the same with a finer time step."""
        starts, steps = self._starts(runs, rng), self.steps
        coarse = list(self.fluid.runs(starts, steps))
        finer = LennardJones(
            self.fluid.n_atoms, self.fluid.density, self.fluid.cutoff, self.fluid.timestep / FINER
        )
        fine = finer.runs(starts, FINER * steps)
        start = np.concatenate([run.states[:1] for run in coarse])
        return TestRuns(self.times, start, temperatures(coarse), temperatures(fine))

    def _starts(self, runs: int, rng: np.random.Generator) -> list[Start]:
        seeds = self.data["position_seed"], self.data["velocity_seed"]
        low, high = self.data["temperatures"]
        return [Start(float(t), *seeds) for t in rng.uniform(low, high, runs)]

    @property
    def steps(self) -> NDArray[np.int64]:
        """Kept steps."""
        return steps_of(self.data)

    @property
    def times(self) -> Array:
        """Kept times."""
        return np.asarray(self.fluid.timestep * self.steps, dtype=np.float64)

    def columns(self, particles: NDArray[np.int64]) -> NDArray[np.int64]:
        """x, then v, of atoms."""
        place = (3 * particles[..., None] + np.arange(3)).reshape(*particles.shape[:-1], -1)
        return np.concatenate([place, place + 3 * self.n_particles], axis=-1)

    def forces(self, states: States, particles: NDArray[np.int64] | None = None) -> Array:
        """(v, F), of all atoms or of some of each state: no other forces are computed."""
        rates = []
        for k, state in enumerate(states):
            x, v = np.reshape(state, (2, -1, 3)).astype(np.float64)
            bins = Bins(self.fluid.to_atoms(x), self.fluid.cutoff)
            chosen = np.arange(len(x)) if particles is None else particles[k]
            force = LennardJonesForce(cutoff_A=self.fluid.cutoff)(bins, chosen)
            rates.append(np.concatenate([v[chosen].ravel(), force.ravel()]))
        return np.stack(rates)


def steps_of(data: dict[str, Any]) -> NDArray[np.int64]:
    """Steps that are kept."""
    return np.arange(0, round(data["time"] / data["dt"]) + 1, data["every"])


def temperatures(runs: Any) -> Array:
    """T of runs as observables, shape (runs, n_t, 1)."""
    made: list[FluidRun] = list(runs)
    return np.stack([run.temperatures for run in made])[..., None]


def fluid_of(config: dict[str, Any], n_atoms: int) -> LennardJones:
    """The fluid that the settings name.

    Raises
    ------
    ValueError
        If a setting makes no sense.
    """
    data, system = config["data"], config["system"]
    seeds = ("data.position_seed", "data.velocity_seed")
    require_numbers(config, dict.fromkeys(seeds, 1), (), dict.fromkeys(seeds, LARGEST_SEED))
    require_steps(config, {"data.dt": "data.time"})
    if len(data["temperatures"]) != 2 or not 0 < data["temperatures"][0] <= data["temperatures"][1]:
        raise ValueError(
            f"data.temperatures must be two, ascending, above 0, not {data['temperatures']}"
        )
    require_multiple(data["time"], data["dt"], "data.time", "data.dt")
    if not (data["every"] >= 1 and len(steps_of(data)) > 1):
        raise ValueError(f"data.every must leave two frames or more, not {data['every']}")
    return LennardJones(n_atoms, system["density"], system["cutoff"], data["dt"])


class LennardJonesForcesStudy(ForcesStudy):
    """Temperature predicted from forces on some atoms, as `ForcesStudy`."""

    def make_system(self) -> LennardJonesForces:
        """The system that the settings name."""
        require_numbers(self.config, {}, ("forces.error",))
        fluid = fluid_of(self.config, self.config["system"]["n_atoms"])
        return LennardJonesForces(fluid, self.config["data"])

    def write(self, folder: Path, quick: bool, findings: ForcesFindings) -> None:
        """Write metrics, tables and figures."""
        sizes = self.config["forces"]["equivalents"]
        summary = (
            f"{self.system.n_particles} Lennard-Jones atoms at constant energy, predicted by dz/dt "
            f"= g(z) with g learned from the forces on all atoms, or on a share p = {self.p:g} of "
            "them drawn anew for each configuration, at equal numbers of force evaluations. All "
            "runs start from the same atoms and directions; their first temperature alone varies"
            + (" (quick form)." if quick else ".")
        )
        most = max(sizes)
        published = {(loss, most): value for loss, value in PUBLISHED.items()}
        limits = {("Lx_partial", most): LIMIT}
        error = self.config["forces"]["error"]
        write_results(self, folder, summary, findings, published, limits, saved_at=error)
