"""Training pairs of fields: small runs, interpolated and relaxed, whose patches evolve alone.

    z0 = phi(x),   mean = (1/K) sum_I (D_I^+ + D_I^-) / 2,   dz = mean + (D_J^+ - D_J^-) / 2

D_I^+- are the changes of phi of patch I when it evolves alone with random numbers xi and with -xi.
The even part of a change is its drift, without the noise of first order; averaged over the K
patches it is the drift of the whole, in which what one patch gains from its neighbour cancels. The
odd part of one patch J, drawn at random, is its noise. So dz has the mean of the whole and the
noise of one patch, K times that of the whole in covariance. "single" increments, dz = D_J^+, also
hold the difference between the patch's drift and that of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rng import coerce_rng, stream
from ..systems.field_growing import interpolate, local_relax
from ..systems.field_patches import FieldPatches
from ..systems.predator_prey import PredatorPrey

Array = NDArray[np.float64]
Closure = Callable[[Array], Array]
"""From tiles, shape (n, n_fields, core), to closure variables, shape (n, c)."""
INCREMENTS = ("antithetic", "single")
SWEEP = 0.2


@dataclass(frozen=True)
class FieldSampling:
    """How pairs are made.

    Attributes
    ----------
    patches : FieldPatches
    small : int
        Cells of the small system.
    spacing : float
        Edge of its cells, in those of the large one. As large as the factor of interpolation, it
        makes the small system a coarse picture of the large one; 1 keeps the cells as they are and
        stretches what interpolation makes of them. The noise per length is that of the large.
    means, amplitudes : (float, float)
        Ranges of m and k of the small runs' initial waves.
    half_waves : float
        As in `PredatorPrey.initial`.
    ages : tuple of float
        Of the states that are kept.
    relax_time : float
        How long windows relax after interpolation, though never longer than a state is old.
    dt : float
        How long a patch evolves.
    time_step : float
        Of the simulation.
    increments : {"antithetic", "single"}
    """

    patches: FieldPatches
    small: int
    spacing: float
    means: tuple[float, float]
    amplitudes: tuple[float, float]
    half_waves: float
    ages: tuple[float, ...]
    relax_time: float
    dt: float
    time_step: float
    increments: str = "antithetic"

    @property
    def factor(self) -> int:
        """Of the interpolation."""
        return self.patches.system.grid[0] // self.small

    @property
    def small_system(self) -> PredatorPrey:
        """The small system."""
        large: Any = self.patches.system
        small: PredatorPrey = large.on_grid(self.small, self.spacing)
        return small


def snapshots(sampling: FieldSampling, starts: int, rng: np.random.Generator) -> Array:
    """Large states from small runs, shape (starts * n_ages, n_fields, n_cells)."""
    small = sampling.small_system
    m, k = (rng.uniform(*limits, starts) for limits in (sampling.means, sampling.amplitudes))
    initial = small.wave(m, k, sampling.half_waves)
    grown = []
    for age, x in zip(
        sampling.ages,
        small.run(initial, sampling.ages, sampling.time_step, rng).swapaxes(0, 1),
    ):
        time, step = min(age, sampling.relax_time), sampling.time_step
        fine = interpolate(x, sampling.factor)
        grown.append(local_relax(sampling.patches, fine, time, SWEEP, step, rng))
    return np.stack(grown, axis=1).reshape(-1, *grown[0].shape[1:])


def start_of(patches: FieldPatches, fields: Array, closure: Closure) -> Array:
    """Observables and closure variables of large states, shape (n, d)."""
    tiles = patches.tiles(fields)
    own = closure(tiles.reshape(-1, *tiles.shape[2:])).reshape(len(fields), patches.number, -1)
    return np.concatenate([patches.system.observe(fields), own.mean(axis=1)], axis=1)


def changes(
    sampling: FieldSampling, fields: Array, closure: Closure, seed: np.random.SeedSequence
) -> tuple[Array, Array]:
    """Changes D^+ and D^- of every patch evolved alone, each shape (n_replicas, K, d)."""
    patches = sampling.patches
    before = _tile_values(patches.tiles(fields), closure)
    there, back = (
        _tile_values(patches.evolve(fields, sampling.dt, sampling.time_step, seed, sign), closure)
        for sign in (1, -1)
    )
    return there - before, back - before


def _tile_values(tiles: Array, closure: Closure) -> Array:
    """Means of the fields and closure variables of tiles, shape (n_replicas, K, d)."""
    flat = tiles.reshape(-1, *tiles.shape[2:])
    values = np.concatenate([flat.mean(axis=-1), closure(flat)], axis=1)
    return values.reshape(*tiles.shape[:2], -1)


def evolve_all(
    sampling: FieldSampling, fields: Array, closure: Closure, seed: np.random.SeedSequence
) -> tuple[Array, Array, Array]:
    """z0, (n_replicas, d); dz of every patch, (n_replicas, K, d); mean, (n_replicas, d)."""
    there, back = changes(sampling, fields, closure, seed)
    mean = (there + back).mean(axis=1) / 2
    dz = there if sampling.increments == "single" else mean[:, None] + (there - back) / 2
    return start_of(sampling.patches, fields, closure), dz, mean


def pairs_chunk(
    sampling: FieldSampling, starts: int, closure: Closure, seed: int, number: int
) -> dict[str, NDArray[Any]]:
    """Pairs of some small runs; ``number`` is that of the chunk.

    Returns
    -------
    dict
        ``z0``, ``dz`` and ``mean``, shape (n, d), one row a snapshot; ``snapshot``, shape (n,),
        the small run it is from. With single increments ``mean`` is ``dz``.
    """
    states, evolution, choice = stream(seed, "field-pairs", number).spawn(3)
    fields = snapshots(sampling, starts, coerce_rng(states))
    z0, dz, mean = evolve_all(sampling, fields, closure, evolution)
    one = coerce_rng(choice).integers(0, sampling.patches.number, len(fields))
    drawn = dz[np.arange(len(fields)), one]
    return {
        "z0": z0,
        "dz": drawn,
        "mean": drawn if sampling.increments == "single" else mean,
        "snapshot": number * starts + np.repeat(np.arange(starts), len(sampling.ages)),
    }


def tiles_chunk(sampling: FieldSampling, starts: int, seed: int) -> dict[str, NDArray[Any]]:
    """``tiles`` of large states in random order, shape (n, n_fields, core), at most 20,000."""
    rng = coerce_rng(stream(seed, "field-tiles"))
    tiles = sampling.patches.tiles(snapshots(sampling, starts, rng))
    flat = tiles.reshape(-1, *tiles.shape[2:])
    return {"tiles": rng.permutation(flat)[:20_000]}
