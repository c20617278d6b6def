"""The study of predator-prey without noise, learned from forces on some of its cells.

Chen and Li, arXiv 2410.23938: waves u = m + k cos(half_waves pi x), v = 1 - u between walls; z* are
the means of both species.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...systems.predator_prey import PredatorPrey
from ..settings import require_multiple, require_steps
from .results import write_results
from .study import ForcesFindings, ForcesStudy
from .system import Array, States, TestRuns, uniform

PUBLISHED = {
    ("Lz", 600): 1.86e-2,
    ("Lx_partial", 600): 4.00e-3,
    ("Lz", 24000): 7.93e-4,
    ("Lx_partial", 24000): 5.70e-4,
}
LIMITS = {("Lx_partial", 600): 4.0e-3, ("Lx_partial", 24000): 5.7e-4}
FINER = 2


@dataclass(frozen=True)
class PredatorPreyForces:
    """Predator-prey as `forces.system.ForceSystem`; a particle is a cell, with u and v.

    Attributes
    ----------
    system : PredatorPrey
        Without noise.
    data : dict
        The study's table of that name.
    """

    system: PredatorPrey
    data: dict[str, Any]
    z_names: ClassVar[tuple[str, ...]] = PredatorPrey.names

    @property
    def n_particles(self) -> int:
        """Cells."""
        return self.system.n_cells

    @property
    def states_per_run(self) -> int:
        """Kept times."""
        return len(self.times)

    @property
    def features(self) -> None:
        """None: components of the states themselves."""
        return None

    @cached_property
    def observables(self) -> Any:
        """Means of u and of v."""
        from ...learning.encoders.first_layer import LinearObservables

        return LinearObservables(np.repeat(np.eye(2) / self.n_particles, self.n_particles, axis=1))

    def training_states(self, runs: int, rng: np.random.Generator) -> States:
        """States at every kept time, shape (runs * n_t, 2 * n_cells)."""
        start = self._start(runs, rng)
        paths = self.system.run(start, self.times, self.data["dt"], None, "rk4")
        return paths.reshape(-1, 2 * self.n_particles)

    def test_runs(self, runs: int, rng: np.random.Generator) -> TestRuns:
        """True runs, and the same with a finer time step."""
        start, dt = self._start(runs, rng), self.data["dt"]
        z = self.system.direct(start, self.times, dt, None, "rk4")
        again = self.system.direct(start, self.times, dt / FINER, None, "rk4")
        return TestRuns(self.times, start.reshape(runs, -1), z, again)

    @property
    def times(self) -> Array:
        """Kept times."""
        steps = round(self.data["time"] / self.data["interval"])
        return self.data["interval"] * np.arange(steps + 1)

    def columns(self, particles: NDArray[np.int64]) -> NDArray[np.int64]:
        """u, then v, of cells."""
        return np.concatenate([particles, particles + self.n_particles], axis=-1)

    def forces(self, states: States, particles: NDArray[np.int64] | None = None) -> Array:
        """Right-hand side, of all coordinates or of those of some cells of each state."""
        rates = self.system.rates(states.reshape(-1, 2, self.n_particles)).reshape(len(states), -1)
        if particles is None:
            return rates
        return np.take_along_axis(rates, self.columns(particles), axis=1)

    def _start(self, runs: int, rng: np.random.Generator) -> Array:
        means = uniform(self.data["means"], runs, rng)
        amplitudes = uniform(self.data["amplitudes"], runs, rng)
        return self.system.wave(means, amplitudes, self.data["half_waves"])


class PredatorPreyForcesStudy(ForcesStudy):
    """Means of both species predicted from forces on some cells, as `ForcesStudy`."""

    def make_system(self) -> PredatorPreyForces:
        """The system that the settings name."""
        table, data = dict(self.config["system"]), self.config["data"]
        table.pop("model")
        system = PredatorPrey(**table, noise=0.0)
        for key in ("means", "amplitudes"):
            if len(data[key]) != 2 or not 0 <= data[key][0] <= data[key][1] < 1:
                raise ValueError(
                    f"data.{key} must be two ascending numbers in 0..1, not {data[key]}"
                )
        if not 0 < data["interval"] <= data["time"]:
            raise ValueError(
                f"data.interval must be above 0 and at most data.time, not {data['interval']}"
            )
        require_steps(self.config, {"data.dt": "data.time", "data.interval": "data.time"})
        require_multiple(data["time"], data["interval"], "data.time", "data.interval")
        system.number_of_steps(data["time"], data["dt"], "rk4")
        return PredatorPreyForces(system, data)

    def write(self, folder: Path, quick: bool, findings: ForcesFindings) -> None:
        """Write metrics, tables and figures."""
        summary = (
            f"Predators and prey on {self.system.n_particles} cells without noise, predicted by "
            f"dz/dt = g(z) with g learned from the forces on all cells, or on a share p = "
            f"{self.p:g} of them drawn anew for each configuration, at equal numbers of force "
            "evaluations" + (" (quick form)." if quick else ".")
        )
        write_results(self, folder, summary, findings, PUBLISHED, LIMITS)
