"""Patches of fields against wholes: what time step, buffer and boundary do to drift and noise.

From the same large states, patches evolve alone and wholes entirely, each with random numbers and
with their opposites. Even parts of the changes are drifts, odd parts noise. A whole is a patch of
all cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...rng import coerce_rng, stream
from ...sampling.field_pairs import Array, FieldSampling, changes, snapshots
from ...systems.field_patches import FieldPatches
from ..stages import Stages


@dataclass(frozen=True)
class ScanRow:
    """One way to evolve, for one time step.

    Attributes
    ----------
    name : str
    dt : float
    drift_error : array, shape (2,)
        Of the mean over patches against the whole: root mean square over states, in units of the
        spread of the drift.
    noise_ratio : array, shape (2,)
        Variance of a patch's noise over that of the whole, divided by K.
    single_ratio : array, shape (2,)
        The same of single increments: with what sets a patch's drift apart from the whole's.
    """

    name: str
    dt: float
    drift_error: Array
    noise_ratio: Array
    single_ratio: Array


def scan_fields(
    stages: Stages,
    sampling: FieldSampling,
    times: list[float],
    buffers: list[int],
    starts: int,
    seed: int,
) -> list[ScanRow]:
    """Rows by time step: patches with each buffer, and periodic ones."""
    system, core = sampling.patches.system, sampling.patches.core
    shapes = {f"frozen, buffer {b}": FieldPatches(system, core, b) for b in buffers}
    shapes["periodic"] = FieldPatches(system, core, boundary="periodic")
    whole = FieldPatches(system, system.grid)
    jobs = {
        f"scan/{k}": (
            [replace(sampling, patches=shape, dt=dt) for shape in (whole, *shapes.values())],
            starts,
            stream(seed, "field-scan", k),
        )
        for k, dt in enumerate(times)
    }
    done = stages.chunks("scan", scan_chunk, jobs)
    return [
        ScanRow(name, dt, *(done[key][part][k] for part in ("drift", "noise", "single")))
        for key, dt in zip(jobs, times)
        for k, name in enumerate(shapes)
    ]


def scan_chunk(
    samplings: list[FieldSampling], starts: int, seed: np.random.SeedSequence
) -> dict[str, Array]:
    """Each way after the first against the first, the whole; arrays of shape (n_ways, 2)."""
    own, evolution = seed.spawn(2)
    fields = snapshots(samplings[1], starts, coerce_rng(own))
    parts = [_even_and_odd(sampling, fields, evolution) for sampling in samplings]
    (even, odd), others = parts[0], parts[1:]
    drift, noise = even[:, 0], (odd**2).mean(axis=(0, 1))
    k = samplings[1].patches.number
    error = [np.sqrt(((e.mean(axis=1) - drift) ** 2).mean(axis=0)) for e, _ in others]
    apart = [((e - e.mean(axis=1, keepdims=True)) ** 2).mean(axis=(0, 1)) for e, _ in others]
    ratio = [(o**2).mean(axis=(0, 1)) / noise / k for _, o in others]
    return {
        "drift": np.array(error) / drift.std(axis=0),
        "noise": np.array(ratio),
        "single": np.array(ratio) + np.array(apart) / noise / k,
    }


def _even_and_odd(
    sampling: FieldSampling, fields: Array, seed: np.random.SeedSequence
) -> tuple[Array, Array]:
    there, back = changes(sampling, fields, lambda tiles: np.zeros((len(tiles), 0)), seed)
    return (there + back) / 2, (there - back) / 2
