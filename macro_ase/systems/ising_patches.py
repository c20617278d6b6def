"""Many Ising replicas on one lattice: windows that move in turn, and what every patch does alone.

The kernels are of the Ising model without a field on a square lattice: 64 replicas in the bits of a
word relax in windows, and small blocks evolve one after another without being copied by numpy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..kinetics.ising import glauber_rates, periodic_lattice
from ..kinetics.multispin import relax_windows
from ..kinetics.patch_increments import patch_increments
from .ising import IsingSystem
from .spin_system import LONGEST_INTERVAL, Spins
from .tiles import Sites, block_sites, inner_sites, tile_corners

Words = NDArray[np.uint64]
WINDOW_SWEEPS = 2


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

    blocks: Sites
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
            corner, everything = np.arange(patch), inner_sites(side, 0).astype(np.int32)
            core = (corner[:, None] * side + corner).ravel().astype(np.int32)
            return cls(block_sites(corners, side, side), side, everything, core)
        active, core = (inner_sites(edge, m).astype(np.int32) for m in (1, buffer + 1))
        return cls(block_sites(corners - buffer - 1, edge, side), edge, active, core)

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
