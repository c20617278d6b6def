"""The Lennard-Jones fluid as a system of forces: a particle is an atom, with x and v.

Chen and Li, arXiv 2410.23938: the temperature of a fluid that starts from minimised atoms with
velocities of temperature T0, at constant energy. In their family of runs all start from the same
atoms in the same directions, and T0 alone varies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..engines.patches.partial_forces import Bins, LennardJonesForce, choose_block
from ..rng import Seed, coerce_rng
from .forces import FINER, ForceSystem, States, TrueRuns, uniform
from .lennard_jones import LARGEST_SEED, FluidRun, LennardJones, Start
from .pooled_features import PooledForces, RadialBasis, pooled

LONGEST_STEP = 0.005


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
class LennardJonesForces(ForceSystem):
    """The fluid, and runs of it that differ in their first temperature.

    Attributes
    ----------
    fluid : LennardJones
    temperatures : (float, float)
        Range of T0, which is uniform.
    position_seed, velocity_seed : int
        Of LAMMPS's generators.
    every, frames : int
        Steps between states that are kept, and how many are, the first included.
    """

    fluid: LennardJones
    temperatures: tuple[float, float]
    position_seed: int
    velocity_seed: int
    every: int
    frames: int
    particles: ClassVar[str] = "atoms"

    @property
    def described(self) -> str:
        """What it is."""
        return (
            f"{self.n_particles} Lennard-Jones atoms at constant energy, from the same atoms and "
            "directions, with velocities of several temperatures"
        )

    @property
    def z_names(self) -> tuple[str, ...]:
        """The temperature."""
        return ("temperature",)

    @property
    def n_particles(self) -> int:
        """Atoms."""
        return self.fluid.n_atoms

    @property
    def states_per_run(self) -> int:
        """Kept states."""
        return self.frames

    @property
    def evaluations_per_run(self) -> int:
        """Of the force on an atom: one a step, without the minimisation that all runs share."""
        return int(self.steps[-1] + 1) * self.n_particles

    @property
    def observables(self) -> Temperature:
        """The temperature."""
        return Temperature(self.n_particles)

    @property
    def steps(self) -> NDArray[np.int64]:
        """Kept steps."""
        return self.every * np.arange(self.frames)

    @property
    def times(self) -> Array:
        """Kept times."""
        return np.asarray(self.fluid.timestep * self.steps, dtype=np.float64)

    def training_states(self, runs: int, rng: np.random.Generator) -> States:
        """States at every kept step."""
        made = self.fluid.runs(self._starts(runs, rng), self.steps)
        return np.concatenate([run.states.astype(np.float32) for run in made])

    def test_runs(self, runs: int, rng: np.random.Generator) -> TrueRuns:
        """True runs, and the same with a finer time step."""
        starts, fine = self._starts(runs, rng), self._stepping(1 / FINER)
        coarse = list(self.fluid.runs(starts, self.steps))
        start = np.concatenate([run.states[:1] for run in coarse])
        again = temperatures(fine.fluid.runs(starts, fine.steps))
        return TrueRuns(self.times, start, temperatures(coarse), again)

    def coarser(self) -> LennardJonesForces:
        """With the longest time step up to ``LONGEST_STEP`` that meets every kept time."""
        most = int(LONGEST_STEP / self.fluid.timestep + 1e-9)
        return self._stepping(max(k for k in range(1, max(most, 1) + 1) if self.every % k == 0))

    def _stepping(self, longer: float) -> LennardJonesForces:
        """With a time step longer by a factor, and the same times."""
        fluid = replace(self.fluid, timestep=self.fluid.timestep * longer)
        return replace(self, fluid=fluid, every=round(self.every / longer))

    def spread(
        self, runs: int, temperatures: Seed, seeds: np.random.SeedSequence | None
    ) -> list[Start]:
        """Temperatures spread evenly over their range, each at random within its share.

        ``seeds`` draws seeds of its own for each run; without it all have those of the system.
        """
        low, high = self.temperatures
        at = low + (high - low) * (np.arange(runs) + coerce_rng(temperatures).random(runs)) / runs
        own = np.full((runs, 2), (self.position_seed, self.velocity_seed))
        if seeds is not None:
            own = coerce_rng(seeds).integers(1, LARGEST_SEED, size=(runs, 2))
        return [Start(float(t), int(a), int(b)) for t, (a, b) in zip(at, own)]

    def _starts(self, runs: int, rng: np.random.Generator) -> list[Start]:
        seeds = self.position_seed, self.velocity_seed
        return [Start(float(t), *seeds) for t in uniform(self.temperatures, runs, rng)]

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


@dataclass(frozen=True)
class PooledFluid:
    """What runs of a fluid say of features that are means over its atoms.

    Attributes
    ----------
    system : LennardJonesForces
    block_atoms : int
        Atoms whose forces L_{x,p} sees.
    basis : RadialBasis
    """

    system: LennardJonesForces
    block_atoms: int
    basis: RadialBasis

    def training(self, starts: list[Start], rng: np.random.Generator) -> dict[str, Array]:
        """All kept configurations, as `PooledForces`; a block is drawn from each."""
        parts, fluid = [], self.system.fluid
        for run in fluid.runs(starts, self.system.steps):
            for x, v, f in zip(run.positions, run.velocities, run.forces):
                atoms = fluid.to_atoms(x)
                block = choose_block(atoms, self.block_atoms, rng)
                parts.append(PooledForces.measure(atoms, v, f, block, self.basis))
        return PooledForces.join(parts).arrays()

    def test(self, starts: list[Start], rng: np.random.Generator) -> dict[str, Array]:
        """Paths of the temperature, and the features of the first configurations."""
        runs = list(self.system.fluid.runs(starts, self.system.steps))
        firsts = [(self.system.fluid.to_atoms(r.positions[0]), r.velocities[0]) for r in runs]
        values = [pooled(*first, self.basis)[0] for first in firsts]
        return {"path": temperatures(runs), "values": np.stack(values)}


def temperatures(runs: Iterable[FluidRun]) -> Array:
    """T of runs as observables, shape (runs, n_t, 1)."""
    return np.stack([run.temperatures for run in runs])[..., None]
