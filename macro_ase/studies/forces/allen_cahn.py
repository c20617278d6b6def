"""The study of shrinking rings under the Allen-Cahn equation, learned from forces on some cells.

Chen and Li, arXiv 2410.23938: rings of one phase around the middle of a square; z* is the free
energy E. The square is its own mirror image in both axes through its middle, and walls reflect, so
that one quarter between walls is computed: its cells stand for their images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...systems.allen_cahn import AllenCahn
from .results import write_results
from .study import ForcesFindings, ForcesStudy
from .system import Array, States, TestRuns, uniform

QUARTERS = 4
FINER = 2
WAVES = 6


@dataclass(frozen=True)
class QuarterFreeEnergy:
    """E of the square from its quarter, with dE/dv = - (rate of v) x (area of a cell)."""

    quarter: AllenCahn

    def __call__(self, states: States) -> Array:
        """E, (n, N) to (n, 1)."""
        return QUARTERS * self.quarter.observe(self._fields(states))

    def jacobian(self, states: States) -> Array:
        """dE/dv of the quarter's cells, shape (n, 1, N)."""
        rates = self.quarter.rates(self._fields(states))
        return -QUARTERS * self.quarter.cell**2 * rates.reshape(len(states), 1, -1)

    def _fields(self, states: States) -> Array:
        shape = (len(states), 1, *self.quarter.grid)
        return np.asarray(states, dtype=np.float64).reshape(shape)


@dataclass(frozen=True)
class AllenCahnForces:
    """Rings as `forces.system.ForceSystem`; a particle is a cell of the quarter.

    Attributes
    ----------
    whole, quarter : AllenCahn
    data : dict
        The study's table of that name.
    """

    whole: AllenCahn
    quarter: AllenCahn
    data: dict[str, Any]
    z_names: ClassVar[tuple[str, ...]] = AllenCahn.names

    @property
    def n_particles(self) -> int:
        """Cells of the quarter."""
        return self.quarter.n_side**2

    @property
    def states_per_run(self) -> int:
        """Snapshots."""
        return self.data["snapshots"]

    @property
    def features(self) -> Array:
        """Cosine waves weighted by 1 / (1 + k^2 + l^2), k and l < ``WAVES``, as rows."""
        x = (np.arange(self.quarter.n_side) + 0.5) / self.quarter.n_side
        number = np.arange(WAVES)
        waves = np.cos(np.pi * number[:, None] * x)
        weights = 1 / (1 + number[:, None] ** 2 + number**2) / self.n_particles
        rows = weights[:, :, None, None] * waves[:, None, :, None] * waves[None, :, None]
        return rows.reshape(WAVES**2, -1)

    @property
    def observables(self) -> QuarterFreeEnergy:
        """The free energy."""
        return QuarterFreeEnergy(self.quarter)

    def training_states(self, runs: int, rng: np.random.Generator) -> States:
        """A few states of each run, shape (runs * snapshots, N): spaced evenly in E, one late.

        States at rest are all alike, and E falls fast while a ring's hole, or the ring, vanishes.
        """
        return np.concatenate([self._snapshots(rng) for _ in range(runs)])

    def _snapshots(self, rng: np.random.Generator) -> States:
        frames = self.quarter.run(self._start(1, rng), self.times, self.step, None, "rk4")[0]
        energy, number = self.quarter.free_energy(frames), self.data["snapshots"] - 1
        levels = energy[0] * (number - np.arange(number) - rng.random(number)) / number
        rows = np.minimum(np.searchsorted(-energy, -levels), len(frames) - 1)
        rows = np.append(rows, rng.integers(len(frames)))
        return frames[rows].reshape(len(rows), -1).astype(np.float32)

    def test_runs(self, runs: int, rng: np.random.Generator) -> TestRuns:
        """True runs, and the same with a finer time step."""
        start, times = self._start(runs, rng), self.times[:: self.data["test_every"]]
        z = self.quarter.direct(start, times, self.step, None, "rk4")
        again = self.quarter.direct(start, times, self.step / FINER, None, "rk4")
        return TestRuns(times, start.reshape(runs, -1), QUARTERS * z, QUARTERS * again)

    @property
    def step(self) -> float:
        """Time step; the setting is in squares of the spacing."""
        return self.data["dt"] * self.quarter.cell**2

    @property
    def times(self) -> Array:
        """Times at which states may be kept."""
        return np.linspace(0.0, self.data["time"], self.data["frames"] + 1)

    def columns(self, particles: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cells are coordinates."""
        return particles

    def forces(self, states: States, particles: NDArray[np.int64] | None = None) -> Array:
        """Right-hand side, of all cells or of some of each state."""
        fields = np.asarray(states, dtype=np.float64).reshape(len(states), 1, *self.quarter.grid)
        rates = self.quarter.rates(fields).reshape(len(states), -1)
        return rates if particles is None else np.take_along_axis(rates, particles, axis=1)

    def _start(self, runs: int, rng: np.random.Generator) -> Array:
        outer = uniform(self.data["outer"], runs, rng)
        inner = uniform(self.data["inner"], runs, rng)
        half = self.quarter.n_side
        return np.ascontiguousarray(self.whole.torus(outer, inner)[:, :, :half, :half])


class AllenCahnForcesStudy(ForcesStudy):
    """Free energy predicted from forces on some cells, as `ForcesStudy`."""

    def make_system(self) -> AllenCahnForces:
        """The system that the settings name."""
        side, data = self.config["system"]["n_side"], self.config["data"]
        if side < 8 or side % 2:
            raise ValueError(f"system.n_side must be even and at least 8, not {side}")
        low, high = sorted(data["inner"]), sorted(data["outer"])
        if len(low) != 2 or len(high) != 2 or not 0 < low[1] < high[0] or high[1] >= 0.5:
            raise ValueError(
                "data.inner and data.outer must be two radii each, the inner ones above 0 and "
                f"smaller, the outer ones below .5, not {data['inner']} and {data['outer']}"
            )
        for key, least in (("snapshots", 2), ("frames", 2), ("test_every", 1)):
            if data[key] < least:
                raise ValueError(f"data.{key} must be at least {least}, not {data[key]}")
        whole, quarter = AllenCahn(side), AllenCahn(side // 2, edge=0.5)
        quarter.number_of_steps(data["time"], data["dt"] * quarter.cell**2, "rk4")
        return AllenCahnForces(whole, quarter, data)

    @property
    def published(self) -> dict[tuple[str, int], float]:
        """Published errors, whatever amount of data is used here."""
        values = {"Lz": 6.93e-3, "Lx_partial": 3.98e-3}
        sizes = self.config["forces"]["equivalents"]
        return {(loss, n): v for loss, v in values.items() for n in sizes}

    def write(self, folder: Path, quick: bool, findings: ForcesFindings) -> None:
        """Write metrics, tables and figures."""
        side = self.config["system"]["n_side"]
        summary = (
            f"Rings on {side} x {side} cells, predicted by dz/dt = g(z) with g learned from the "
            f"forces on all cells, or on a share p = {self.p:g} of them drawn anew for each "
            "configuration, at equal numbers of force evaluations"
            + (" (quick form)." if quick else ".")
        )
        limits = {("Lx_partial", n): 4.0e-3 for n in self.config["forces"]["equivalents"]}
        write_results(self, folder, summary, findings, self.published, limits)
