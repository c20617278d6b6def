"""The simulations of a study as chunks: small runs, patches, wholes and direct runs of any system.

    z0 = phi(x),   dz = (1/J) sum_I K [phi(x with I evolved) - phi(x)]

Each is a function of a system, a plan and a seed alone, that another process can run, and returns
arrays by name.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from ..arrays import Array, Chunk
from ..rng import coerce_rng, stream
from ..systems.base import (
    Closure,
    Condition,
    EventSystem,
    PatchPairs,
    Plan,
    States,
    System,
    no_closure,
)

MOST_TILES = 20_000
WHOLE_EVERY = 4


def pairs_chunk(
    system: System,
    plan: Plan,
    starts: int,
    closure: Closure,
    condition: Condition,
    seed: np.random.SeedSequence,
    number: int,
) -> Chunk:
    """Training pairs from some small runs; ``number`` is that of the chunk.

    ``z0`` and ``dz``, shape (n, d), one row a large state; ``mean`` where the system tells its mean
    with less noise; ``snapshot``, shape (n,), the small run that it is from.
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
) -> Chunk:
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
) -> Chunk:
    """``tiles`` of large states in random order, shape (n, ...), to make closures from."""
    rng = coerce_rng(seed)
    tiles = system.tiles(plan, system.snapshots(plan, starts, condition, rng).states)
    return {"tiles": rng.permutation(tiles.reshape(-1, *tiles.shape[2:]))[:MOST_TILES]}


def direct_chunk(
    system: System,
    plan: Plan,
    start: Any,
    runs: int,
    times: Array,
    closure: Closure,
    condition: Condition,
    seeds: tuple[np.random.SeedSequence, np.random.SeedSequence],
) -> Chunk:
    """Direct runs of the large system from one start: ``z``, shape (runs, n_t, d).

    ``start`` is as `System.start` takes it; ``seeds`` are those of its states and of the runs.
    """
    first, then = map(coerce_rng, seeds)
    states = system.start(plan, start, runs, condition, first)
    return {"z": system.wholes(plan, states, times, closure, condition, then)}


def small_chunk(
    system: EventSystem,
    n_events: float,
    condition: Condition,
    seed: int,
    item: tuple[int, ...],
    start: States | None = None,
) -> Chunk:
    """One small run, the fields of `Trajectory`; ``item`` is its own, for the random stream.

    From a typical initial state, or from ``start``.
    """
    own = stream(seed, "small", *item)
    run = system.small_trajectory(n_events, condition, own, start)
    return {f.name: np.atleast_1d(getattr(run, f.name)) for f in fields(run)}


def grown_pairs_chunk(
    system: EventSystem,
    plan: Plan,
    states: States,
    healing_events: Array,
    first: int,
    repeats: int,
    condition: Condition,
    seed: int,
    number: int,
    patches: int = 0,
) -> Chunk:
    """Grow states of small runs, evolve patches of each alone, and some as a whole.

    Small ``states``, shape (n, n_small), are numbered from ``first`` on; patches have
    ``healing_events``, shape (n,), between growing and the pairs, and evolve ``repeats`` times from
    the same large state: all patches (0), or so many, ``patches``, chosen at random each time.
    ``number`` is that of the condition, for the random streams. Returns the fields of `PatchPairs`;
    ``evolved``, how many patches were chosen with this one; ``seam``, shape (n, 2, d); and of every
    fourth state ``whole_snapshot``, ``whole_z0`` and ``whole_dz``, its increment when all of it
    evolves.
    """
    pairs, seams, whole = [], [], []
    model_condition, times = system.model_condition(condition), np.array([0.0, plan.dt])
    for k, (state, healing) in enumerate(zip(states, healing_events)):
        snapshot = first + k
        up, pair, full = stream(seed, "pairs", number, snapshot).spawn(3)
        grown, seam = system.upsample(state, float(healing), condition, up)
        large = grown[None]
        again = [stream(seed, "repeats", number, snapshot, r) for r in range(1, repeats)]
        for own in (pair, *again):
            rng = np.random.default_rng(own)
            made = system.increments(plan, large, no_closure, condition, rng, patches)
            pairs.append(PatchPairs.of(made, np.array([snapshot]), plan.dt, model_condition))
        seams.append(seam)
        if snapshot % WHOLE_EVERY == 0:
            rng = np.random.default_rng(full)
            z = system.wholes(plan, large, times, no_closure, condition, rng)[0]
            whole.append((snapshot, z[0], z[1] - z[0]))
    result = {
        f.name: np.concatenate([getattr(p, f.name) for p in pairs]) for f in fields(PatchPairs)
    }
    if patches:
        result["evolved"] = np.concatenate([np.full(len(p.patch), len(p.patch)) for p in pairs])
    n_z = result["z0"].shape[1]
    return result | {
        "seam": np.array(seams),
        "whole_snapshot": np.array([number for number, _, _ in whole], dtype=np.int64),
        "whole_z0": np.array([z0 for _, z0, _ in whole]).reshape(-1, n_z),
        "whole_dz": np.array([dz for _, _, dz in whole]).reshape(-1, n_z),
    }


def direct_run_chunk(
    system: EventSystem,
    state: States,
    times: Array,
    condition: Condition,
    seed: int,
    item: tuple[int, ...],
) -> Chunk:
    """One direct run of a large state: ``times``, ``z`` (n_t, d) and ``extra`` (n_t, e)."""
    z, extra = system.direct(state, times, condition, stream(seed, "direct", *item))
    return {"times": times, "z": z, "extra": extra}
