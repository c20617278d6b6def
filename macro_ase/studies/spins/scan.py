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
from ...report import Table, Value
from ...rng import coerce_rng, stream
from ...systems.base import NO_CONDITION
from ...systems.tiles import PatchShape, tile_corners
from ..runner import Runner
from .design import SpinDesign

CHUNK = 512
WHOLE = "whole"
TILES = 8


@dataclass(frozen=True)
class ScanRow:
    """One way to evolve, for one time step.

    ``drift`` is the mean change per unit of time, ``variance`` that of the change, times sites that
    it stands for, per unit of time; both of shape (d,), as their errors.
    """

    name: str
    dt: float
    drift: Array
    drift_error: Array
    variance: Array
    variance_error: Array

    @classmethod
    def of(cls, name: str, dt: float, change: Array, side: int) -> ScanRow:
        """From changes of z, shape (n, d)."""
        mean, std = change.mean(axis=0), change.std(axis=0, ddof=1)
        variance = side**2 * std**2 / dt
        error = variance * np.sqrt(2 / (len(change) - 1))
        return cls(name, dt, mean / dt, std / dt / np.sqrt(len(change)), variance, error)


def scan_patches(runner: Runner, design: SpinDesign) -> list[ScanRow]:
    """Rows by time step, wholes first, of large states that grew old directly."""
    table = design.scan
    ways = {f"frozen, buffer {b}": PatchShape(table.patch, b) for b in table.buffers}
    ways["periodic"] = PatchShape(table.patch, 0, "periodic")
    states = min(CHUNK, table.states)
    jobs = {
        f"scan/{k}": (design, ways, states, stream(design.seed, "scan", k))
        for k in range(-(-table.states // CHUNK))
    }
    done = runner.chunks("scan", scan_chunk, jobs)
    whole = np.concatenate([done[key]["whole"] for key in jobs], axis=1)
    alone = np.concatenate([done[key]["patches"] for key in jobs], axis=2)
    rows = []
    for i, dt in enumerate(table.times):
        rows.append(ScanRow.of(WHOLE, dt, whole[i], design.side))
        rows += [ScanRow.of(name, dt, alone[i, j], table.patch) for j, name in enumerate(ways)]
    return rows


def scan_chunk(
    design: SpinDesign, ways: dict[str, PatchShape], states: int, seed: np.random.SeedSequence
) -> dict[str, NDArray[Any]]:
    """Changes of z: of wholes, shape (n_dt, states, d), and of patches, (n_dt, n_ways, n, d)."""
    system, side, table, rng = design.system, design.side, design.scan, coerce_rng(seed)
    start = system.random_states(side, np.full(states, table.magnetisation), rng)
    large = system.run(start, side, [table.age], rng)[1][:, 0]
    corners = rng.permutation(tile_corners(side, table.patch))[:TILES]
    before, whole, shifts = system.observe(large), [], []
    for dt in table.times:
        whole.append(system.direct(large, side, [dt], rng)[:, 0] - before)
        moved = [system.move(large, side, corners, s, dt, NO_CONDITION, rng) for s in ways.values()]
        shifts.append([m.change.reshape(-1, before.shape[1]) for m in moved])
    return {"whole": np.array(whole), "patches": np.array(shifts)}


def scan_table(design: SpinDesign, rows: list[ScanRow]) -> Table:
    """Drift and noise by time step, buffer and boundary."""
    names, patch = design.system.names, design.scan.patch
    columns = [f"{what} of {name}" for what in ("drift", "variance") for name in names]
    return Table(
        f"Patches of {patch} x {patch} and wholes from the same states; variance: of the change, "
        "times sites, per unit of time",
        ["dt", "evolved", *columns],
        [
            [f"{row.dt:g}", row.name]
            + [Value(*pair, form="+.5f") for pair in zip(row.drift, row.drift_error)]
            + [Value(*pair, form=".3f") for pair in zip(row.variance, row.variance_error)]
            for row in rows
        ],
    )
