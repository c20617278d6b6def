"""The three kinds of simulation in a study, each a chunk: small, pairs, direct."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rng import stream
from ..systems.base import MicroSystem, PatchPairs

WHOLE_EVERY = 4


def small_chunk(
    system: MicroSystem, temperature: float, n_events: float, seed: int, item: tuple[int, int]
) -> dict[str, NDArray[Any]]:
    """One small trajectory; ``item`` is (temperature number, run)."""
    run = system.small_trajectory(temperature, n_events, stream(seed, "small", *item))
    return {
        "times": run.times,
        "z": run.z,
        "states": run.states,
        "kept": run.kept,
        "tau_w": np.array([run.tau_w]),
        "extra": run.extra,
    }


def pairs_chunk(
    system: MicroSystem,
    temperature: float,
    states: NDArray[np.int8],
    healing_events: NDArray[np.float64],
    first: int,
    dt: float,
    repeats: int,
    seed: int,
    number: int,
) -> dict[str, NDArray[Any]]:
    """Upsample small states, evolve every patch of each alone, and some as a whole.

    Parameters
    ----------
    states : array, shape (n, n_small)
        Small states; they are numbered from ``first`` on.
    healing_events : array, shape (n,)
        Events of every patch between upsampling and the pairs.
    dt : float
        Physical time that patches evolve.
    repeats : int
        How often each patch of a large state evolves, every time from that state.
    number : int
        Number of the temperature, for the random streams.

    Returns
    -------
    dict
        The fields of `PatchPairs`; ``seam``, shape (n, 2, d); and of every fourth state
        ``whole_snapshot``, ``whole_z0`` and ``whole_dz``, its increment when all of it evolves.
    """
    pairs: list[PatchPairs] = []
    seams, whole = [], []
    for k, (state, healing) in enumerate(zip(states, healing_events)):
        snapshot = first + k
        up, pair, full = stream(seed, "pairs", number, snapshot).spawn(3)
        large, seam = system.upsample(state, temperature, float(healing), up)
        again = [stream(seed, "repeats", number, snapshot, r) for r in range(1, repeats)]
        for own in (pair, *again):
            pairs.append(system.patch_pairs(large, temperature, dt, snapshot, own))
        seams.append(seam)
        if snapshot % WHOLE_EVERY == 0:
            z, _ = system.direct(large, temperature, np.array([0.0, dt]), full)
            whole.append((snapshot, z[0], z[1] - z[0]))
    result = {
        f.name: np.concatenate([getattr(p, f.name) for p in pairs]) for f in fields(PatchPairs)
    }
    n_z = result["z0"].shape[1]
    return result | {
        "seam": np.array(seams),
        "whole_snapshot": np.array([number for number, _, _ in whole], dtype=np.int64),
        "whole_z0": np.array([z0 for _, z0, _ in whole]).reshape(-1, n_z),
        "whole_dz": np.array([dz for _, _, dz in whole]).reshape(-1, n_z),
    }


def direct_chunk(
    system: MicroSystem,
    state: NDArray[np.int8],
    temperature: float,
    times: NDArray[np.float64],
    seed: int,
    item: tuple[int, int],
) -> dict[str, NDArray[Any]]:
    """One direct run of the large system; ``item`` is (temperature number, run)."""
    z, extra = system.direct(state, temperature, times, stream(seed, "direct", *item))
    return {"times": times, "z": z, "extra": extra}
