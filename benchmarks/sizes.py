"""One model at every size, beside direct runs: order, spread, relaxation, time and memory.

    python benchmarks/sizes.py RUN [--quick] [--sizes 16 32 64 128] [--runs 8 4 2 0]
        [--temperatures 1600 2000] [--stationary T] [--workers 1] [--folder OUT] [--crystals RUN]
        [--own-crystals]

RUN is the folder of a run of `nbmota` that has learned a model. Random crystals of N x N x N cells
begin as `macro-ase predict RUN --size N N N` has them, or the run of the same alloy that --crystals
names: direct runs of its folder then stand beside the model of another seed. All direct runs of a
size begin with one crystal, and what it hides from the state z is in all of them; with
--own-crystals each begins with another one, and the model with the mean z of these. Finished pieces
of direct runs are kept in the folder (default: RUN/sizes), whatever stops them, and used by the
next call; more runs or other temperatures add to them. The tables are printed, and written as
sizes.md there.

Direct runs last 8 units of time and then --stationary ones, which count as stationary: if not
given, 100 sqrt(8192 / n) and at least 16. Many short runs know relaxation best. A unit is the
longest relaxation time of a bond density that the model predicts for the largest size, and stays
that of the folder.
Errors of a direct relaxation time t are those of where the mean of the runs crosses,

    t e sqrt(s^2 + (1 - 1/e)^2 d^2) / |change|,

with s the spread over the root of the number of runs and d the error of the mean at rest.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from direct_runs import ROWS, DirectRun, alloy_of, go_on, mean_start, peak_MiB, read, units
from size_tables import Found, Pair, report

from macro_ase.arrays import Array
from macro_ase.commands.alloy_run import AlloyRun
from macro_ase.files import write_atomically
from macro_ase.learning.models.equilibria import CLEAR_CHANGE
from macro_ase.statistics import (
    integrated_autocorrelation_time,
    relaxation_time,
    standard_error,
    std_with_error,
)
from macro_ase.systems.alloy import Alloy

SIZES, RUNS, PATHS = (16, 32, 64, 128), (8, 4, 2, 0), 400
QUICK_SIZES, QUICK_RUNS, QUICK_PATHS = (8, 12, 16), (2, 2, 0), 50
TEMPERATURES = (1600.0, 2000.0)
SETTLING, STATIONARY, LEAST_STATIONARY = 8, 100.0, 16
QUICK_SETTLING, QUICK_STATIONARY = 3, 8
SMALLEST, LEVEL = 8192, 1 - 1 / np.e


def predict(
    folder: Path,
    cells: int,
    temperatures: Sequence[float],
    paths: int,
    crystals: Path | None = None,
    own_crystals: int = 0,
) -> tuple[Found, Array]:
    """By the model; the second is the longest relaxation time of a bond density, (n_T,).

    It begins with one crystal, or with the mean of so many.
    """
    run, of = AlloyRun(folder), AlloyRun(crystals or folder)
    model, cpu = run.model, time.process_time()
    begin = of.beginning(size=(cells,) * 3)
    sizes, order = (begin.n_sites, begin.n_patches), begin.order
    ratio = run.design.system.over_small(order)
    z0 = begin.of_small(mean_start(of, begin, own_crystals)) / ratio
    of_z = model.equilibrate(temperatures, z0, *sizes, paths, cells, begin.condition)
    v = run.vacancy_neighbours(of_z.temperatures, order)
    delta = of_z.of(lambda z: order.delta(z * ratio, v), order.all_names)
    cpu, n = time.process_time() - cpu, len(order.pairs)
    spread = of_z.spread[:, :n]
    errors = spread / np.sqrt(2.0 * len(of_z.paths) * paths)
    shown = (delta.mean, delta.error), (spread, errors), delta.relaxation
    longest = np.nan_to_num(of_z.relaxation[0][:, :n]).max(axis=1)
    return Found(*shown, int(begin.n_sites), cpu, peak_MiB()), longest


def direct(run: AlloyRun, jobs: Sequence[Sequence[DirectRun]], settling: int) -> Found:
    """By the runs of each temperature."""
    begin, first, rows = run.beginning(size=(jobs[0][0].cells,) * 3), settling * ROWS, []
    order = begin.order
    for own in jobs:
        runs = [read(job) for job in own]
        delta = [order.delta(one["z"], one["extra"]) for one in runs]
        late = [x[first:] for x in delta]
        rest, spread = mean_of(late), spread_of(late)[0]
        times = crossings(runs[0]["times"], np.mean(delta, axis=0), rest, spread, len(runs))
        bonds = spread_of([one["z"][first:, : len(order.pairs)] for one in runs])
        cost = [[float(one[name]) for one in runs] for name in ("cpu_s", "peak_MiB", "hops")]
        rows.append((rest, bonds, times, cost))
    delta, spread, relaxation = (
        (np.array([part[k][0] for part in rows]), np.array([part[k][1] for part in rows]))
        for k in range(3)
    )
    cpu, peak, hops = np.array([part[3] for part in rows]).swapaxes(0, 1)
    own = int(begin.n_sites), cpu.sum(), peak.max(), hops.sum(), len(jobs[0])
    return Found(delta, spread, relaxation, *own)


def mean_of(runs: Sequence[Array]) -> Pair:
    """Mean in time of runs put one after another, and its error."""
    series = np.concatenate(runs)
    return series.mean(axis=0), standard_error(series)


def spread_of(runs: Sequence[Array]) -> Pair:
    """Standard deviation s of runs put one after another, and its error.

    Of Gaussian fluctuations var s = s^2 (1/2 + sum of rho^2) / n; rho^2 <= rho, so that
    s sqrt(tau_int / n) is no less, and holds for short series where the sum of rho^2 does not.
    """
    series = np.concatenate(runs)
    std, _ = std_with_error(series)
    return std, std * np.sqrt(integrated_autocorrelation_time(series) / len(series))


def crossings(times: Array, path: Array, rest: Pair, spread: Array, runs: int) -> Pair:
    """Relaxation times of a mean path (n_t, d), and errors; nan where too little changes."""
    change = rest[0] - path[0]
    found = np.full(len(change), np.nan)
    for k in np.flatnonzero(np.abs(change) > CLEAR_CHANGE * spread):
        found[k] = relaxation_time(times, path[:, k], path[0, k], rest[0][k])
    width = np.hypot(spread / np.sqrt(runs), LEVEL * rest[1])
    return found, found * np.e * width / np.abs(change)


def pieces(cells: int, args: argparse.Namespace) -> tuple[int, int]:
    """Units of time before a run counts as stationary, and in all."""
    settling, usual = SETTLING, STATIONARY * np.sqrt(SMALLEST / (2 * cells**3))
    stationary = max(LEAST_STATIONARY, round(usual))
    if args.quick:
        settling, stationary = QUICK_SETTLING, QUICK_STATIONARY
    return settling, settling + (args.stationary or stationary)


def alone(function: Callable[..., Any], *args: Any) -> Any:
    """Its result from a process of its own, whose memory is that of this job."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def measure(args: argparse.Namespace, pool: Executor) -> str:
    """Predict, run what is left of direct runs, compare."""
    run, temperatures = AlloyRun(args.crystals), sorted(set(args.temperatures))
    if not isinstance(run.design.system, Alloy):
        raise ValueError(f"{args.crystals} has no vacancies that hop: give a run of nbmota")
    own = alloy_of(AlloyRun(args.run)) | {"seed": run.config["seed"]}
    if own != alloy_of(run):
        raise ValueError(f"{args.run} and {args.crystals} are of different alloys")
    paths = QUICK_PATHS if args.quick else PATHS
    asked = [
        pool.submit(
            alone, predict, args.run, n, temperatures, paths, args.crystals, args.own_crystals * r
        )
        for n, r in zip(args.sizes, args.runs)
    ]
    predicted, longest = zip(*(one.result() for one in asked))
    largest = longest[int(np.argmax(args.sizes))]
    if not largest.all():
        raise ValueError("a relaxation time is too small to see in these crystals: larger --sizes")
    args.folder.mkdir(exist_ok=True)
    unit = units(args.folder, run, dict(zip(temperatures, map(float, largest))))
    plan = {
        cells: [
            [
                DirectRun(args.crystals, args.folder, cells, t, r, long, unit[t], args.own_crystals)
                for r in range(runs)
            ]
            for t in temperatures
        ]
        for cells, runs in zip(args.sizes, args.runs)
        for long in [pieces(cells, args)[1]]
        if runs
    }
    jobs = [job for own in plan.values() for each in own for job in each]
    left = [pool.submit(alone, go_on, job) for job in jobs if job.done < job.pieces]
    for k, one in enumerate(as_completed(left), 1):
        print(f"{k} of {len(left)} direct runs: {one.result()}", flush=True)
    true = [direct(run, own, pieces(n, args)[0]) for n, own in plan.items()]
    names = run.design.system.order.all_names
    return report(predicted, {own.sites: own for own in true}, temperatures, names)


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run with a model")
    parser.add_argument("--quick", action="store_true", help="small crystals, short direct runs")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="cells along each axis")
    parser.add_argument("--runs", type=int, nargs="+", metavar="N", help="direct runs, by size")
    parser.add_argument("--temperatures", type=float, nargs="+", metavar="K", default=TEMPERATURES)
    parser.add_argument("--stationary", type=int, metavar="T", help="units of time, after 8")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--folder", type=Path, metavar="OUT", help="default: RUN/sizes")
    parser.add_argument("--crystals", type=Path, metavar="RUN", help="whose crystals; default: RUN")
    parser.add_argument("--own-crystals", action="store_true", help="each run begins with another")
    args = parser.parse_args()
    args.crystals = args.crystals or args.run
    usual = (QUICK_SIZES, QUICK_RUNS) if args.quick else (SIZES, RUNS)
    args.runs = args.runs or (usual[1] if args.sizes is None else [0] * len(args.sizes))
    args.sizes, args.folder = args.sizes or usual[0], args.folder or args.run / "sizes"
    if len(args.runs) != len(args.sizes):
        parser.error(f"--runs must be {len(args.sizes)} numbers, one a size")
    if min(args.runs) < 0 or args.workers < 1:
        parser.error("--runs must be 0 or more, and --workers 1 or more")
    if args.stationary is not None and args.stationary < 1:
        parser.error(f"--stationary must be 1 or more, not {args.stationary}")
    try:
        with ThreadPoolExecutor(args.workers) as pool:
            text = measure(args, pool)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    print(text)
    write_atomically(args.folder / "sizes.md", text)


if __name__ == "__main__":
    main()
