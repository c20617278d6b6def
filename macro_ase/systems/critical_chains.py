"""Large critical snapshots that patches relax, and what every patch does from them.

Small periodic systems are repeated until they have the large side; after each repetition windows
as large as the small system, at random places, take turns to move while all else stands still.
Close to T_c that goes on for long: every mode of the large system has to come to equilibrium at
its magnetisation. From each snapshot, every few sweeps, all patches evolve for dt, each alone:

    dm = (1/K) sum_I dm_I,    mean = (1/K) sum_I integral of the rate at which patch I changes m.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Chunk
from ..kinetics.multispin import REPLICAS, pack, unpack
from ..rng import coerce_rng, stream
from .ising import IsingSystem
from .ising_patches import PatchBlocks, relax
from .spin_system import Spins
from .tiles import repeated

Way = tuple[float, int]
"""dt and buffer of patches; in place of a buffer `WHOLE`: the whole lattice moves."""
WHOLE = -1
DYNAMIC_EXPONENT = 2.17
BURNED_CLUSTERS = 100


@dataclass(frozen=True)
class CriticalSampling:
    """How snapshots and pairs of one size and temperature are made.

    Attributes
    ----------
    temperature : float
    side, patch : int
        L of the large system; that of the small system, of windows and of patches.
    small_time : float
        Age of the small systems.
    relax_sweeps, gap : int
        Sweeps before the first snapshot at the side of two patches, which grow as side^2.17 like
        critical relaxation, and between snapshots.
    rounds : int
        Snapshots of each of the 64 replicas of a chunk.
    """

    temperature: float
    side: int
    patch: int
    small_time: float
    relax_sweeps: int
    gap: int
    rounds: int

    @property
    def system(self) -> IsingSystem:
        """The model without a field."""
        return IsingSystem(self.temperature, 0.0)

    @property
    def repetitions(self) -> list[tuple[int, int, int]]:
        """Factor, side and sweeps afterwards: by the smallest factors that there are."""
        side, found = self.patch, []
        while side < self.side:
            ratio = self.side // side
            factor = next(f for f in range(2, ratio + 1) if ratio % f == 0)
            side *= factor
            growth = (side / (2 * self.patch)) ** DYNAMIC_EXPONENT
            found.append((factor, side, max(1, math.ceil(self.relax_sweeps * growth))))
        return found

    def attempts(self, way: Way) -> dict[str, float]:
        """Attempted flips of all replicas of a chunk, by what they are for."""
        dt, buffer = way
        edge = self.patch + 2 * buffer
        moving = edge if edge + 2 <= self.side else self.side
        grown = sum(side**2 * sweeps for _, side, sweeps in self.repetitions)
        one = {
            "small runs": self.patch**2 * self.small_time,
            "relaxation": grown + self.rounds * self.gap * self.side**2,
            "patches": self.rounds * (self.side // self.patch) ** 2 * moving**2 * dt,
        }
        return {stage: REPLICAS * number for stage, number in one.items()}

    def rng(self, seed: int, stage: str, *items: int) -> np.random.Generator:
        """Of the size, the temperature and what else a stage has."""
        label = round(1e6 * self.temperature)
        return coerce_rng(stream(seed, stage, self.side, label, *items))


def chain(sampling: CriticalSampling, rng: np.random.Generator) -> Iterator[Spins]:
    """Snapshots of 64 replicas, shape (64, side**2), from small ones of every magnetisation."""
    system, small = sampling.system, sampling.patch
    initial = system.random_states(small, rng.uniform(-1, 1, REPLICAS), rng)
    _, states = system.run(initial, small, [sampling.small_time], rng)
    words = pack(np.ascontiguousarray(states[:, 0]))
    for factor, side, sweeps in sampling.repetitions:
        words = pack(repeated(unpack(words), factor))
        relax(words, system, side, small, sweeps, rng)
    for _ in range(sampling.rounds):
        relax(words, system, sampling.side, small, sampling.gap, rng)
        yield unpack(words)


def wolff_chain(sampling: CriticalSampling, rng: np.random.Generator) -> Iterator[Spins]:
    """Snapshots by Wolff clusters of the large system, ``gap`` clusters apart: a diagnostic."""
    up = np.ones((REPLICAS, sampling.side**2), dtype=np.int8)
    ensemble = sampling.system.ensemble(up, sampling.side, rng)
    ensemble.wolff(1, BURNED_CLUSTERS)
    for _ in range(sampling.rounds):
        ensemble.wolff(1, sampling.gap)
        yield ensemble.spins


def increments(
    states: Iterable[Spins], own: CriticalSampling, ways: Sequence[Way], rng: np.random.Generator
) -> Chunk:
    """What patches do from snapshots, in several ways.

    ``m``, shape (64, rounds): magnetisation of the snapshots; ``dm``, ``mean`` and ``square``,
    shape (n_ways, 64, rounds): mean increment of the patches, the same without the noise of flips,
    and the mean square of single patches' increments.
    """
    side, state = own.side, rng.integers(1, 2**64, size=4, dtype=np.uint64)
    blocks = [
        PatchBlocks.of(side, side if buffer == WHOLE else own.patch, max(buffer, 0))
        for _, buffer in ways
    ]
    m = np.empty((own.rounds, REPLICAS), dtype=np.float32)
    rows = np.empty((own.rounds, 3, len(ways), REPLICAS), dtype=np.float32)
    for k, spins in enumerate(states):
        m[k] = spins.mean(axis=1)
        for i, (dt, _) in enumerate(ways):
            dm, mean = blocks[i].evolve(spins, own.system, dt, state)
            rows[k, :, i] = dm.mean(axis=1), mean.mean(axis=1), (dm**2).mean(axis=1)
    return {"m": m.T} | dict(zip(("dm", "mean", "square"), rows.transpose(1, 2, 3, 0)))


def chain_chunk(
    sampling: CriticalSampling, ways: Sequence[Way], seed: int, stage: str, number: int
) -> Chunk:
    """`increments` along relaxed chains; ``stage`` and ``number`` name the random stream."""
    rng = sampling.rng(seed, stage, number)
    return increments(chain(sampling, rng), sampling, ways, rng)


def wolff_chunk(sampling: CriticalSampling, ways: Sequence[Way], seed: int) -> Chunk:
    """`increments` from snapshots by Wolff clusters."""
    rng = sampling.rng(seed, "critical-wolff")
    return increments(wolff_chain(sampling, rng), sampling, ways, rng)
