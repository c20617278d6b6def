"""Training pairs of lattice spins: small runs, upsampled and relaxed, whose patches evolve alone.

    z0 = phi(x),   dz = (1/J) sum_I K [phi(x with I evolved) - phi(x)]

The mean over the J patches of one snapshot has the covariance Sigma_p dt / J of J independent
patches. Closure variables are means over tiles of a function of the tile's own spins, so their
change is that of the core alone.

Beside dz goes its mean given the patch's path, the time integral of the flips' rates, without the
noise of the flips themselves: drift is learned from that, noise from dz.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rng import coerce_rng, stream
from ..systems.spin_system import Array, Spins, SpinSystem
from .lattice_patches import PatchShape, grow, square_sites, tile_corners

BASELINES = ("none", "naive")
LONGEST_INTERVAL = 0.25
Closure = Callable[[Spins], Array]
"""From tiles, shape (n, side**2), to closure variables, shape (n, c)."""


def no_closure(tiles: Spins) -> Array:
    """No closure variables, shape (n, 0)."""
    return np.zeros((len(tiles), 0))


@dataclass(frozen=True)
class SpinSampling:
    """How pairs are made.

    Attributes
    ----------
    small, large : int
        Sides of the small system, which is also the core of a patch, and of the large one.
    magnetisation : (float, float)
        Range of the small runs' initial mean spins.
    times : tuple of float
        Ages of the states that are kept.
    relax_time : float
        How long windows relax after each repetition, though never longer than a state is old.
    dt : float
        How long a patch evolves.
    buffer : int
    boundary : {"frozen", "periodic"}
    baseline : {"none", "naive"}
        "naive": observables of the evolved patch itself stand for those of the whole after the
        step, as if it were the whole.
    """

    small: int
    large: int
    magnetisation: tuple[float, float]
    times: tuple[float, ...]
    relax_time: float
    dt: float
    buffer: int = 0
    boundary: str = "frozen"
    baseline: str = "none"

    @property
    def shape(self) -> PatchShape:
        """The patches."""
        return PatchShape(self.small, self.buffer, self.boundary, ceil(self.dt / LONGEST_INTERVAL))

    @property
    def corners(self) -> NDArray[np.int64]:
        """Tiles of the large system, shape (K, 2)."""
        return tile_corners(self.large, self.small)

    @property
    def sites_per_pair(self) -> int:
        """Sites whose increments a pair stands for: the model's n_s."""
        return self.large**2


def snapshots(
    system: SpinSystem, sampling: SpinSampling, starts: int, rng: np.random.Generator
) -> Spins:
    """Large states from small runs, shape (starts * n_times, large**2)."""
    small = sampling.small
    magnetisations = rng.uniform(*sampling.magnetisation, starts)
    initial = system.random_states(small, magnetisations, rng)
    _, states = system.run(initial, small, sampling.times, rng)
    grown = [
        grow(system, states[:, k], small, sampling.large, min(age, sampling.relax_time), rng)
        for k, age in enumerate(sampling.times)
    ]
    return np.stack(grown, axis=1).reshape(-1, sampling.large**2)


def tile_closure(spins: Spins, sampling: SpinSampling, closure: Closure) -> Array:
    """Closure variables of whole states, shape (n_replicas, c): means over their tiles."""
    tiles = spins[:, square_sites(sampling.corners, sampling.small, sampling.large)]
    values = closure(tiles.reshape(-1, sampling.small**2))
    return values.reshape(len(spins), len(sampling.corners), -1).mean(axis=1)


def evolve_all(
    system: SpinSystem,
    sampling: SpinSampling,
    large: Spins,
    closure: Closure,
    rng: np.random.Generator,
) -> tuple[Array, Array, Array]:
    """Evolve every patch of states alone.

    Returns
    -------
    z0 : array, shape (n_replicas, d)
        Observables of the whole, then closure variables.
    dz : array, shape (n_replicas, K, d)
        K times the change of these by each patch.
    mean : array, shape (n_replicas, K, d)
        The same without the noise of flips; closure variables and the naive baseline as ``dz``.
    """
    n_core, side, corners = sampling.small**2, sampling.large, sampling.corners
    evolved = sampling.shape.evolve(system, large, side, corners, sampling.dt, rng)
    tiles = large[:, square_sites(corners, sampling.small, side)].reshape(-1, n_core)
    after = closure(evolved.core.reshape(-1, n_core))
    before = closure(tiles)
    change = (after - before).reshape(len(large), len(corners), -1)
    average = before.reshape(len(large), len(corners), -1).mean(axis=1)
    z0 = np.concatenate([system.observe(large, side), average], axis=-1)
    if sampling.baseline == "naive":
        own = system.observe(evolved.core.reshape(-1, n_core), sampling.small)
        own = np.concatenate([own, after], axis=-1).reshape(len(large), len(corners), -1)
        return z0, own - z0[:, None], own - z0[:, None]
    dz, mean = system.dz(evolved.tally, n_core), evolved.mean / (n_core * np.array(system.per_site))
    return z0, np.concatenate([dz, change], axis=-1), np.concatenate([mean, change], axis=-1)


def pairs_chunk(
    system: SpinSystem,
    sampling: SpinSampling,
    starts: int,
    closure: Closure,
    seed: int,
    number: int,
) -> dict[str, NDArray[Any]]:
    """Pairs of some small runs; ``number`` is that of the chunk.

    Returns
    -------
    dict
        ``z0``, ``dz`` and ``mean``, shape (n, d), one row a snapshot; ``snapshot``, shape (n,),
        the small run it is from. With the naive baseline ``dz`` is that of one patch.
    """
    rng = coerce_rng(stream(seed, "spin-pairs", sampling.small, number))
    large = snapshots(system, sampling, starts, rng)
    z0, dz, mean = evolve_all(system, sampling, large, closure, rng)
    one = sampling.baseline == "naive"
    return {
        "z0": z0,
        "dz": dz[:, 0] if one else dz.mean(axis=1),
        "mean": mean[:, 0] if one else mean.mean(axis=1),
        "snapshot": number * starts + np.repeat(np.arange(starts), len(sampling.times)),
    }


def check_chunk(
    system: SpinSystem, sampling: SpinSampling, starts: int, seed: int, number: int = 0
) -> dict[str, NDArray[Any]]:
    """Patches and wholes from the same snapshots, as `analysis.assumptions.check_patches` asks."""
    rng = coerce_rng(stream(seed, "spin-check", sampling.small, number))
    large = snapshots(system, sampling, starts, rng)
    z0, dz, _ = evolve_all(system, sampling, large, no_closure, rng)
    whole = system.direct(large, sampling.large, [0.0, sampling.dt], rng)
    rows, patches = dz.shape[:2]
    snapshot = number * rows + np.arange(rows)
    return {
        "z0": np.repeat(z0, patches, axis=0),
        "dz": dz.reshape(rows * patches, -1),
        "snapshot": np.repeat(snapshot, patches),
        "n_patches": np.full(rows * patches, patches),
        "met": np.zeros(rows * patches, dtype=np.int8),
        "whole_snapshot": snapshot,
        "whole_z0": z0,
        "whole_dz": whole[:, 1] - whole[:, 0],
    }
