"""How far a model's order is on its way when its own small runs are a quarter, half, ... of theirs.

    python benchmarks/small_paths.py RUN [--pair Mo-Ta] [--paths 12]

RUN is a run of `nbmota` that has learned a model. At every temperature both begin with the states
of the small runs, at their size; progress is 0 there and 1 in the mean of the runs' second halves.
Of each quarter: the model's progress less that of the runs, when the runs' mean gets there, with
its error by the scatter of runs. No direct run of the large system is looked at, so that settings
of the model may be chosen by it: a memory, how much a drift may bend.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from macro_ase.arrays import Array
from macro_ase.commands.alloy_run import AlloyRun
from macro_ase.rng import stream
from macro_ase.sampling.store import Store
from macro_ase.studies.alloys.study import time_step

LEVELS = (0.25, 0.5, 0.75, 0.9)
LONG = 6.0
"""Slowest relaxation times that are looked at."""


def ahead(runs: Array, rest: float, path: Array) -> tuple[Array, Array]:
    """How far a path, (n_t,), is ahead of runs, (r, n_t), at each of `LEVELS`; with errors."""
    start = runs[:, 0].mean()
    own, model = (runs - start) / (rest - start), (path - start) / (rest - start)
    mean, error = own.mean(axis=0), own.std(axis=0, ddof=1) / np.sqrt(len(own))
    at = [int(np.argmax(mean >= level)) for level in LEVELS]
    return (model - mean)[at], error[at]


def rows(run: AlloyRun, pair: str, paths: int) -> list[str]:
    """A line for each temperature."""
    d, model, store = run.design, run.model, Store(run.folder / "data.zarr")
    small = {key: store.read(key) for t in d.temperatures for key in d.keys("small", t)}
    scan, alone = time_step(d, small), d.system.alone()
    each, k = round(scan.chosen / d.system.record_events), d.system.names.index(pair)
    lines = []
    for t, slowest in zip(d.temperatures, scan.slowest_chosen):
        z = np.array([small[key]["z"][::each] for key in d.keys("small", t)])
        steps = min(int(LONG * slowest / scan.chosen) + 1, z.shape[1] - 1)
        start = np.resize(z[:, 0], (paths, z.shape[2]))
        size = alone.small.n_sites, alone.n_patches(alone.large_state)
        condition, seed = (
            d.system.model_condition({"T": t}),
            stream(d.seed, "paths", round(1000 * t)),
        )
        made = model.simulate(start, condition, steps, *size, paths, seed).z[..., k]
        late = float(z[:, z.shape[1] // 2 :, k].mean())
        found = ahead(z[:, : steps + 1, k], late, made.mean(axis=(0, 1)))
        cells = (f"{value:+.3f} ± {error:.3f}" for value, error in zip(*found))
        lines.append(f"| {t:g} | {slowest:,.0f} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--pair", default="Mo-Ta", help="whose order")
    parser.add_argument("--paths", type=int, default=12, help="of every member")
    args = parser.parse_args()
    print("| T (K) | slowest relaxation (hops) | " + " | ".join(f"{x:g}" for x in LEVELS) + " |")
    print("|" + "---|" * (2 + len(LEVELS)))
    print("\n".join(rows(AlloyRun(args.run), args.pair, args.paths)))


if __name__ == "__main__":
    main()
