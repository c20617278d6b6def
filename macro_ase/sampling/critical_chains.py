"""Large critical snapshots that patches relax, and what every patch does from them.

Small periodic systems are repeated until they have the large side; after each repetition windows
as large as the small system, at random places, take turns to move while all else stands still.
Close to T_c that goes on for long: every mode of the large system has to come to equilibrium at
its magnetisation. From each snapshot, every few sweeps, all patches evolve for dt, each alone:

    dm = (1/K) sum_I dm_I,    mean = (1/K) sum_I integral of the rate at which patch I changes m.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..kinetics.ising import glauber_rates, periodic_lattice
from ..kinetics.multispin import REPLICAS, pack, relax_windows, unpack
from ..kinetics.patch_increments import patch_increments
from ..rng import coerce_rng, stream
from ..systems.ising import IsingSystem
from ..systems.lattice import block_sites, repeated, tile_corners
from ..systems.spin_system import Spins

Words = NDArray[np.uint64]
DYNAMIC_EXPONENT = 2.17
LONGEST_INTERVAL = 0.25
WINDOW_SWEEPS = 2
BURNED_CLUSTERS = 100


@dataclass(frozen=True)
class CriticalSampling:
    """How snapshots and pairs of one size and temperature are made.

    Attributes
    ----------
    temperature : float
    side : int
        L of the large system.
    patch : int
        Side of the small system, of windows and of patches.
    small_time : float
        Age of the small systems.
    relax_sweeps : int
        Sweeps before the first snapshot at the side of two patches; they grow as side^2.17,
        like critical relaxation.
    gap : int
        Sweeps between snapshots.
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
    def label(self) -> int:
        """The temperature as a whole number, for names of random streams."""
        return round(1e6 * self.temperature)

    def sweeps(self, side: int) -> int:
        """Sweeps after a repetition to a side."""
        growth = (side / (2 * self.patch)) ** DYNAMIC_EXPONENT
        return max(1, math.ceil(self.relax_sweeps * growth))


@dataclass(frozen=True)
class PatchBlocks:
    """Patches cut out with buffer and rim, as `kinetics.patch_increments` takes them.

    A patch that is the whole lattice, or whose block would not fit, keeps the whole lattice; then
    all sites are active, and the patch alone counts.

    Attributes
    ----------
    blocks : int array, shape (K, edge**2)
        Sites of each patch with buffer and rim.
    edge : int
    active, core : int32 arrays
        Places in a block that move, and those that count.
    """

    blocks: NDArray[np.int64]
    edge: int
    active: NDArray[np.int32]
    core: NDArray[np.int32]

    @classmethod
    def of(cls, side: int, patch: int, buffer: int) -> PatchBlocks:
        """All patches of a lattice.

        Raises
        ------
        ValueError
            If they do not fit.
        """
        corners = tile_corners(side, patch)
        edge = patch + 2 * buffer + 2
        if edge > side:
            blocks, edge, margin, rim = block_sites(corners, side, side), side, 0, 0
        else:
            blocks = block_sites(corners - buffer - 1, edge, side)
            margin, rim = buffer + 1, 1
        sites = np.arange(edge**2, dtype=np.int32).reshape(edge, edge)
        core = sites[margin : margin + patch, margin : margin + patch].ravel()
        return cls(blocks, edge, sites[rim : edge - rim, rim : edge - rim].ravel(), core)

    def evolve(
        self, spins: Spins, system: IsingSystem, dt: float, state: Words
    ) -> tuple[Array, Array]:
        """Change of each patch's mean spin, and its mean given the path, shape (n_states, K)."""
        increments = np.empty((len(spins), len(self.blocks)))
        means = np.empty_like(increments)
        lattice = periodic_lattice((self.edge, self.edge))
        rates = glauber_rates(system.model(self.edge).flip_energies, system.temperature)[0]
        nodes = max(1, math.ceil(dt / LONGEST_INTERVAL))
        where = (self.blocks, lattice, self.active, self.core)
        patch_increments(spins, *where, rates, dt, nodes, increments, means, state)
        return increments, means


def relax(
    words: Words, system: IsingSystem, side: int, window: int, sweeps: int, rng: np.random.Generator
) -> None:
    """Windows at random places take turns, for a number of sweeps; words change in place."""
    neighbors, probability = system.model(side).neighbors, math.exp(-4 / system.temperature)
    corners = tile_corners(side, window)
    state = rng.integers(1, 2**64, size=4, dtype=np.uint64)
    for start in range(0, sweeps, WINDOW_SWEEPS):
        windows = block_sites(corners + rng.integers(side, size=2), window, side)
        order, turns = rng.permutation(window**2), rng.permutation(len(windows))
        now = min(WINDOW_SWEEPS, sweeps - start)
        relax_windows(words, neighbors, windows[turns][:, order], now, probability, state)


def first_snapshots(sampling: CriticalSampling, rng: np.random.Generator) -> Words:
    """Relaxed large states of 64 replicas from small ones of every magnetisation."""
    system, side = sampling.system, sampling.patch
    initial = system.random_states(side, rng.uniform(-1, 1, REPLICAS), rng)
    _, states = system.run(initial, side, [sampling.small_time], rng)
    words = pack(np.ascontiguousarray(states[:, 0]))
    while side < sampling.side:
        ratio = sampling.side // side
        factor = next(f for f in range(2, ratio + 1) if ratio % f == 0)
        spins, side = repeated(unpack(words), factor), side * factor
        words = pack(spins)
        relax(words, system, side, sampling.patch, sampling.sweeps(side), rng)
    return words


def chain(sampling: CriticalSampling, rng: np.random.Generator) -> Iterator[Spins]:
    """Snapshots of 64 replicas, shape (64, side**2), one after another."""
    words, system = first_snapshots(sampling, rng), sampling.system
    for _ in range(sampling.rounds):
        relax(words, system, sampling.side, sampling.patch, sampling.gap, rng)
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
    states: Iterable[Spins],
    sampling: CriticalSampling,
    ways: list[tuple[float, int]],
    rng: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    """What patches do from snapshots, in several ways (dt, buffer); buffer -1: the whole moves.

    Returns
    -------
    dict
        ``m``, shape (64, rounds): magnetisation of the snapshots; ``dm``, ``mean`` and
        ``square``, shape (n_ways, 64, rounds): mean increment of the patches, the same without
        the noise of flips, and the mean square of single patches' increments.
    """
    side, state = sampling.side, rng.integers(1, 2**64, size=4, dtype=np.uint64)
    blocks = [
        PatchBlocks.of(side, side if buffer < 0 else sampling.patch, max(buffer, 0))
        for _, buffer in ways
    ]
    m = np.empty((sampling.rounds, REPLICAS), dtype=np.float32)
    rows = np.empty((sampling.rounds, 3, len(ways), REPLICAS), dtype=np.float32)
    for k, spins in enumerate(states):
        m[k] = spins.mean(axis=1)
        for i, (dt, _) in enumerate(ways):
            dm, mean = blocks[i].evolve(spins, sampling.system, dt, state)
            rows[k, :, i] = dm.mean(axis=1), mean.mean(axis=1), (dm**2).mean(axis=1)
    return {"m": m.T} | dict(zip(("dm", "mean", "square"), rows.transpose(1, 2, 3, 0)))


def chain_chunk(
    sampling: CriticalSampling, ways: list[tuple[float, int]], seed: int, stage: str, number: int
) -> dict[str, NDArray[Any]]:
    """`increments` along relaxed chains; ``stage`` and ``number`` name the random stream."""
    rng = coerce_rng(stream(seed, stage, sampling.side, sampling.label, number))
    return increments(chain(sampling, rng), sampling, ways, rng)


def wolff_chunk(
    sampling: CriticalSampling, ways: list[tuple[float, int]], seed: int
) -> dict[str, NDArray[Any]]:
    """`increments` from snapshots by Wolff clusters."""
    rng = coerce_rng(stream(seed, "critical-wolff", sampling.side, sampling.label))
    return increments(wolff_chain(sampling, rng), sampling, ways, rng)
