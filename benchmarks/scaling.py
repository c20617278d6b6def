"""How work spreads over workers: two against one, and what an engine costs for each chunk.

    python benchmarks/scaling.py [--quick]

Patch pairs and direct runs of the study `ising`, by threads and by processes; then chunks that do
nothing, by every engine. Workers are warm: imports and compiling are left out; writing is not. One
worker and two take turns. What no engine can beat is the first line: two programs that share
nothing, at the same time, against one after the other. On a machine whose cores others use it is
below 2, and gains with it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from macro_ase.claims import Claims
from macro_ase.config import load_config
from macro_ase.executors import Workers, workers_of
from macro_ase.jobs import Done
from macro_ase.rng import stream
from macro_ase.sampling import Store, run_chunks
from macro_ase.sampling.pairs import direct_chunk, pairs_chunk
from macro_ase.studies.registry import study_class

Jobs = Mapping[str, tuple[Any, ...]]
TARGET = 1.8
EMPTY = 100


def nothing(number: int) -> dict[str, NDArray[Any]]:
    """The least chunk."""
    return {"x": np.array([number])}


def pairs_jobs(number: int) -> Jobs:
    """Chunks of patch pairs."""
    design = study_class("ising")(load_config("ising")).design
    lane = design.lane(16)
    own = (lane.system, lane.plan, 16, lane.closure, lane.condition)
    return {f"pairs/{k}": (*own, stream(0, "benchmark", k), k) for k in range(number)}


def direct_jobs(number: int) -> Jobs:
    """Chunks of direct runs, short ones."""
    design = study_class("ising")(load_config("ising")).design
    lane = design.lane(16)
    own = (lane.system, lane.plan, 0.5, 8, design.times[:40], lane.closure, lane.condition)
    return {
        f"direct/{k}": (*own, (stream(0, "benchmark start", k), stream(0, "benchmark", k)))
        for k in range(number)
    }


@contextmanager
def a_store(here: Path) -> Iterator[Store]:
    """An empty store for a block."""
    folder = here / "data.zarr"
    yield Store(folder)
    shutil.rmtree(folder)


def timed(
    function: Callable[..., Any], jobs: Jobs, workers: Workers, here: Path
) -> tuple[float, float]:
    """Seconds of all, and in chunks."""
    done: list[Done] = []
    with a_store(here) as store:
        start = time.perf_counter()
        run_chunks(function, jobs, store, workers, noted=done.append)
        wall = time.perf_counter() - start
    return wall, sum(d.cpu_s for d in done)


def machine(repeats: int) -> str:
    """A line about two programs at once against one after the other."""
    program = [sys.executable, "-c", "for k in range(10**8): pass"]

    def seconds(at_once: int) -> float:
        start = time.perf_counter()
        for process in [subprocess.Popen(program) for _ in range(at_once)]:
            process.wait()
        return time.perf_counter() - start

    one, two = np.min([[seconds(1), seconds(2)] for _ in range(repeats)], axis=0)
    return f"{'two programs that share nothing':50} gain {2 * one / two:.2f}"


def gain(kind: str, function: Callable[..., Any], jobs: Jobs, here: Path, repeats: int) -> str:
    """A line about two workers of a kind against one."""
    with workers_of(f"{kind}:1") as one, workers_of(f"{kind}:2") as two:
        for workers in (one, two):  # imports, compiling
            timed(function, dict(list(jobs.items())[:2]), workers, here)
        turns = [[timed(function, jobs, w, here) for w in (one, two)] for _ in range(repeats)]
    walls = np.min([[run[0] for run in turn] for turn in turns], axis=0)
    each = 1e3 * turns[0][0][1] / len(jobs)
    name = f"{function.__name__:13} {kind:10} {each:7.0f} ms a chunk"
    return f"{name:50} gain {walls[0] / walls[1]:.2f}"


def overhead(engine: str, here: Path, stack: ExitStack) -> str:
    """A line about what a chunk costs beside its own work."""
    claims = stack.enter_context(Claims(here, "benchmark")) if engine == "job array" else None
    workers = stack.enter_context(workers_of("threads:1" if claims else engine))
    jobs = {f"empty/{k}": (k,) for k in range(EMPTY)}
    with a_store(here) as store:
        run_chunks(nothing, {"empty/first": (0,)}, store, workers)
        start, cpu = time.perf_counter(), time.process_time()
        run_chunks(nothing, jobs, store, workers, claims=claims)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    name = engine.partition(":")[0]
    return f"{name:12} {1e3 * wall / EMPTY:7.1f} ms a chunk, {1e3 * cpu / EMPTY:.1f} ms of cpu here"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer chunks, one turn")
    args = parser.parse_args()
    number, repeats = (8, 1) if args.quick else (16, 3)
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        here = Path(temporary)
        print(f"two workers against one ({TARGET} is asked for):")
        print(machine(repeats), flush=True)
        for function, jobs in ((pairs_chunk, pairs_jobs), (direct_chunk, direct_jobs)):
            for kind in ("threads", "processes"):
                print(gain(kind, function, jobs(number), here, repeats), flush=True)
        print("a chunk that does nothing, written to the store:")
        for engine in ("threads:1", "processes:1", "job array"):
            print(overhead(engine, here, stack), flush=True)
        try:
            from distributed import LocalCluster
        except ModuleNotFoundError:
            return
        options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None}
        cluster = stack.enter_context(LocalCluster(n_workers=1, **options))
        print(overhead(f"dask:{cluster.scheduler_address}", here, stack))


if __name__ == "__main__":
    main()
