"""How far a model's order is on its way when its own small runs are a quarter, half, ... of theirs.

    python benchmarks/small_paths.py RUN [--pair Mo-Ta] [--paths 3] [--treated] [--beside ANOTHER]

RUN is a run of `nbmota` that has learned a model. At every temperature both begin with the states
of the small runs, at their size: of those that begin with a random crystal, or of those that begin
where one at another temperature ended. Progress is the sum over runs of their ways from the start
towards the mean of the runs' second halves, over the sum of these ways. Of each quarter: the
model's progress less that of the runs, when the runs get there, with its error by the scatter of
runs. No direct run of the large system is looked at, so that settings of the model may be chosen by
it: a memory, how much a drift may bend. By its own runs a model that bends more is always nearer;
those of ``ANOTHER``, a run of another seed, it has never seen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from macro_ase.arrays import Array
from macro_ase.commands.alloy_run import AlloyRun
from macro_ase.learning.models.macro_model import MacroModel
from macro_ase.rng import stream
from macro_ase.sampling.store import Store
from macro_ase.studies.alloys.study import time_step

LEVELS = (0.25, 0.5, 0.75, 0.9)
LONG = 6.0
"""Slowest relaxation times that are looked at."""


def ahead(runs: Array, rest: float, paths: Array) -> tuple[Array, Array]:
    """How far the model is ahead of runs, (r, n_t), at each of `LEVELS`; with errors.

    ``paths``, shape (r, n_t), are its means from where each run starts. nan where runs do not get.
    """
    way = rest - runs[:, :1]
    whole = np.abs(way).mean()
    own, model = (np.sign(way) * (z - runs[:, :1]) / whole for z in (runs, paths))
    error = (model - own).std(axis=0, ddof=1) / np.sqrt(len(own))
    off = (model - own).mean(axis=0)
    there = own.mean(axis=0)[:, None] >= np.array(LEVELS)
    at, reached = there.argmax(axis=0), there.any(axis=0)
    return np.where(reached, off[at], np.nan), np.where(reached, error[at], np.nan)


def compare(
    run: AlloyRun, pair: str, paths: int, treated: bool = False, model: MacroModel | None = None
) -> list[tuple[float, float, Array, Array]]:
    """Temperature, slowest relaxation in hops, how far ahead and its error, at each temperature.

    By the run's model or another; ``paths`` are of every member and small run.
    """
    d, model, store = run.design, model or run.model, Store(run.folder / "data.zarr")
    small = {key: store.read(key) for t in d.temperatures for key in d.keys("small", t)}
    scan, alone = time_step(d, small), d.system.alone()
    if model.step_events != scan.chosen:
        raise SystemExit(f"the model steps by {model.step_events:g} hops, and not {scan.chosen:g}")
    each, k = round(scan.chosen / d.system.record_events), d.system.names.index(pair)
    asked = slice(d.fresh_runs, None) if treated else slice(d.fresh_runs)
    size = alone.small.n_sites, alone.n_patches(alone.large_state)
    found = []
    for t, slowest in zip(d.temperatures, scan.slowest_chosen):
        whole = np.array([small[key]["z"][::each] for key in d.keys("small", t)])
        late, z = float(whole[:, whole.shape[1] // 2 :, k].mean()), whole[asked]
        steps = min(int(LONG * slowest / scan.chosen) + 1, z.shape[1] - 1)
        start, seed = np.repeat(z[:, 0], paths, axis=0), stream(d.seed, "paths", round(1000 * t))
        condition = d.system.model_condition({"T": t})
        made = model.simulate(start, condition, steps, *size, len(start), seed).z[..., k]
        means = made.mean(axis=0).reshape(len(z), paths, -1).mean(axis=1)
        found.append((t, slowest, *ahead(z[:, : steps + 1, k], late, means)))
    return found


def rows(found: list[tuple[float, float, Array, Array]]) -> list[str]:
    """A line for each temperature, and what all say together."""
    lines = []
    for t, slowest, off, error in found:
        cells = ("–" if np.isnan(x) else f"{x:+.3f} ± {e:.3f}" for x, e in zip(off, error))
        lines.append(f"| {t:g} | {slowest:,.0f} | " + " | ".join(cells) + " |")
    square = np.nanmean([(off / error) ** 2 for *_, off, error in found])
    return [*lines, "", f"mean square, in errors: {square:.2f}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--pair", default="Mo-Ta", help="whose order")
    parser.add_argument("--paths", type=int, default=3, help="of every member and small run")
    parser.add_argument("--treated", action="store_true", help="runs from another temperature")
    parser.add_argument("--beside", type=Path, help="a run of another seed, whose small runs stand")
    args = parser.parse_args()
    own = AlloyRun(args.run)
    run = AlloyRun(args.beside) if args.beside else own
    if run.design.system.names != own.design.system.names:
        parser.error(f"{args.beside} has another state than {args.run}")
    if args.treated and run.design.fresh_runs == run.design.small_runs:
        parser.error(f"{run.folder} has no small runs from another temperature")
    print("| T (K) | slowest relaxation (hops) | " + " | ".join(f"{x:g}" for x in LEVELS) + " |")
    print("|" + "---|" * (2 + len(LEVELS)))
    print("\n".join(rows(compare(run, args.pair, args.paths, args.treated, own.model))))


if __name__ == "__main__":
    main()
