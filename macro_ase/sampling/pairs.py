"""The simulations of a study as chunks: small runs, patches, wholes and direct runs of any system.

    z0 = phi(x),   dz = (1/J) sum_I K [phi(x with I evolved) - phi(x)]

Each is a function of a system, a plan and a seed alone, that another process can run, and returns
arrays by name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rng import coerce_rng
from ..systems.base import Closure, Condition, Plan, System, no_closure

MOST_TILES = 20_000


def pairs_chunk(
    system: System,
    plan: Plan,
    starts: int,
    closure: Closure,
    condition: Condition,
    seed: np.random.SeedSequence,
    number: int,
) -> dict[str, NDArray[Any]]:
    """Training pairs from some small runs; ``number`` is that of the chunk.

    Returns
    -------
    dict
        ``z0`` and ``dz``, shape (n, d), one row a large state, and ``mean`` where the system tells
        its mean with less noise; ``snapshot``, shape (n,), the small run it is from.
    """
    states, evolution, choice = system.streams(seed)
    large = system.snapshots(plan, starts, condition, states)
    made = system.increments(plan, large.states, closure, condition, evolution)
    dz, mean = plan.rows(made, choice)
    result = {"z0": made.z0, "dz": dz} | ({} if mean is None else {"mean": mean})
    return result | {"snapshot": number * starts + large.run}


def wholes_chunk(
    system: System,
    plan: Plan,
    starts: int,
    condition: Condition,
    seed: np.random.SeedSequence,
    number: int = 0,
) -> dict[str, NDArray[Any]]:
    """Patches and wholes from the same states, as `analysis.assumptions.check_patches` asks."""
    states, evolution, _ = system.streams(seed)
    large = system.snapshots(plan, starts, condition, states).states
    made = system.increments(plan, large, no_closure, condition, evolution)
    times = np.array([0.0, plan.dt])
    whole = system.wholes(plan, large, times, no_closure, condition, evolution)
    rows, patches = made.dz.shape[:2]
    snapshot = number * rows + np.arange(rows)
    return {
        "z0": np.repeat(made.z0, patches, axis=0),
        "dz": made.dz.reshape(rows * patches, -1),
        "snapshot": np.repeat(snapshot, patches),
        "n_patches": np.full(rows * patches, patches),
        "met": np.zeros(rows * patches, dtype=np.int8),
        "whole_snapshot": snapshot,
        "whole_z0": made.z0,
        "whole_dz": whole[:, 1] - whole[:, 0],
    }


def tiles_chunk(
    system: System, plan: Plan, starts: int, condition: Condition, seed: np.random.SeedSequence
) -> dict[str, NDArray[Any]]:
    """``tiles`` of large states in random order, shape (n, ...), to make closures from."""
    rng = coerce_rng(seed)
    tiles = system.tiles(plan, system.snapshots(plan, starts, condition, rng).states)
    return {"tiles": rng.permutation(tiles.reshape(-1, *tiles.shape[2:]))[:MOST_TILES]}


def direct_chunk(
    system: System,
    plan: Plan,
    start: Any,
    runs: int,
    times: NDArray[np.float64],
    closure: Closure,
    condition: Condition,
    seeds: tuple[np.random.SeedSequence, np.random.SeedSequence],
) -> dict[str, NDArray[Any]]:
    """Direct runs of the large system from one start: ``z``, shape (runs, n_t, d).

    Parameters
    ----------
    start : object
        As `System.start` takes it.
    seeds : (SeedSequence, SeedSequence)
        Of the states to start from, and of the runs.
    """
    first, then = map(coerce_rng, seeds)
    states = system.start(plan, start, runs, condition, first)
    return {"z": system.wholes(plan, states, times, closure, condition, then)}
