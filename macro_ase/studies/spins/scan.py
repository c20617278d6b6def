"""Patches against wholes: what time step, buffer and boundary do to drift and noise.

From the same states, patches evolve alone and wholes evolve entirely. Compared are the mean change
per unit of time, and its variance times the number of sites that it stands for, which are alike if
patches are independent and each does what it does in the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Array
from ...rng import coerce_rng, stream
from ...systems.lattice import PatchShape, tile_corners
from ...systems.spin_system import SpinSystem
from ..stages import Stages

CHUNK = 512
WHOLE = "whole"
TILES = 8


@dataclass(frozen=True)
class ScanRow:
    """One way to evolve, for one time step.

    Attributes
    ----------
    name : str
    dt : float
    drift, drift_error : array, shape (d,)
        Mean change per unit of time.
    variance, variance_error : array, shape (d,)
        Of the change, times sites that it stands for, per unit of time.
    """

    name: str
    dt: float
    drift: Array
    drift_error: Array
    variance: Array
    variance_error: Array


@dataclass(frozen=True)
class Scan:
    """All rows, wholes first for each time step."""

    patch: int
    rows: list[ScanRow]


def scan_patches(
    stages: Stages, system: SpinSystem, side: int, table: dict[str, Any], seed: int
) -> Scan:
    """Evolve patches and wholes of large states that grew old directly."""
    patch = table["patch"]
    ways = {f"frozen, buffer {b}": PatchShape(patch, b) for b in table["buffers"]}
    ways["periodic"] = PatchShape(patch, 0, "periodic")
    number = -(-table["states"] // CHUNK)
    jobs = {
        f"scan/{k}": (system, side, table, ways, seed, k, min(CHUNK, table["states"]))
        for k in range(number)
    }
    done = stages.chunks("scan", scan_chunk, jobs)
    whole = np.concatenate([done[key]["whole"] for key in jobs], axis=1)
    alone = np.concatenate([done[key]["patches"] for key in jobs], axis=2)
    rows = []
    for i, dt in enumerate(table["times"]):
        rows.append(_row(WHOLE, dt, whole[i], side))
        rows += [_row(name, dt, alone[i, j], patch) for j, name in enumerate(ways)]
    return Scan(patch, rows)


def _row(name: str, dt: float, change: Array, side: int) -> ScanRow:
    mean, std = change.mean(axis=0), change.std(axis=0, ddof=1)
    variance = side**2 * std**2 / dt
    error = variance * np.sqrt(2 / (len(change) - 1))
    return ScanRow(name, dt, mean / dt, std / dt / np.sqrt(len(change)), variance, error)


def scan_chunk(
    system: SpinSystem,
    side: int,
    table: dict[str, Any],
    ways: dict[str, PatchShape],
    seed: int,
    number: int,
    states: int,
) -> dict[str, NDArray[Any]]:
    """Changes of z: of wholes, shape (n_dt, states, d), and of patches, (n_dt, n_ways, n, d)."""
    rng = coerce_rng(stream(seed, "scan", number))
    start = system.random_states(side, np.full(states, table["magnetisation"]), rng)
    _, old = system.run(start, side, [table["age"]], rng)
    patch, large, shifts = table["patch"], old[:, 0], []
    corners = rng.permutation(tile_corners(side, patch))[:TILES]
    before, whole = system.observe(large, side), []
    for dt in table["times"]:
        whole.append(system.direct(large, side, [dt], rng)[:, 0] - before)
        moved = [system.move(large, side, corners, s, dt, {}, rng) for s in ways.values()]
        shifts.append([m.change.reshape(-1, before.shape[1]) for m in moved])
    return {"whole": np.array(whole), "patches": np.array(shifts)}
