"""Runs killed at random moments, and killed workers: resumed, they are equal byte for byte.

    python benchmarks/kills.py [STUDY ...] [--kills N] [--workers N] [--seed N]

Twenty SIGKILLs over a study each of alloys, spins, fields and forces, training included; then ten
workers, processes and Dask's in turn. For each kill it prints what the run was doing; at the end,
files and metrics that differ from those of an undisturbed run (there must be none), and chunks that
were computed again although they had been finished (none either: what a kill costs is what was
being computed).
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_studies import (
    ENVIRONMENT,
    children,
    command,
    differences,
    finished_twice,
    settings,
)

KILLED = ("nbmota", "ising", "predator-prey", "predator-prey-forces")
QUIET: dict[str, Any] = {
    "env": ENVIRONMENT,
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.PIPE,
    "text": True,
}


def begin(study: str, folder: Path, engine: str) -> subprocess.Popen[str]:
    """A run in a process group of its own."""
    argv = command("run", *settings(study), "--out", folder, "--engine", engine, "-q")
    return subprocess.Popen(argv, start_new_session=True, **QUIET)


def end(process: subprocess.Popen[str]) -> None:
    """Wait until a run ends well."""
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a run ended with {process.returncode}: {errors}")


def doing(folder: Path) -> str:
    """The last line of a run's log."""
    try:
        return (folder / "run.log").read_text().splitlines()[-1][20:]
    except (OSError, IndexError):
        return "beginning"


def kill_run(process: subprocess.Popen[str], folder: Path) -> bool:
    """Kill a run and all its workers; false if it had ended."""
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def kill_worker(process: subprocess.Popen[str], folder: Path) -> bool:
    """Kill one worker process of a run; false if there is none any more."""
    workers = children(process.pid) if process.poll() is None else []
    if not workers:
        return False
    os.kill(random.choice(workers), signal.SIGKILL)
    return True


def disturbed(
    study: str,
    here: Path,
    engine: str,
    kills: int,
    kill: Callable[[subprocess.Popen[str], Path], bool],
    longest: float,
) -> tuple[int, int]:
    """Runs with so many kills; kills done, and faults found."""
    done = faults = number = 0
    while done < kills:
        number += 1
        folder = here / f"{study}-{engine.partition(':')[0]}-{number}"
        process = begin(study, folder, engine)
        while done < kills:
            time.sleep(random.uniform(0.1, 1.0) * longest)
            state = doing(folder)
            if not kill(process, folder):
                break
            done += 1
            print(f"  {done:2d} {study}, {engine.partition(':')[0]}: killed at {state}", flush=True)
            if process.returncode is not None:
                process = begin(study, folder, engine)
        end(process)
        differ, twice = differences(folder, here / study), finished_twice(folder)
        print(f"  {study}: {len(differ)} differences {differ[:3]}, {twice} chunks done twice")
        faults += len(differ) + twice
    return done, faults


def main() -> None:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("studies", nargs="*", default=KILLED, metavar="STUDY")
    parser.add_argument("--kills", type=int, default=5, metavar="N", help="of each study's run")
    parser.add_argument("--workers", type=int, default=5, metavar="N", help="killed of each engine")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    studies = args.studies
    with tempfile.TemporaryDirectory() as temporary:
        here, took = Path(temporary), {}
        for study in studies:
            start = time.perf_counter()
            end(begin(study, here / study, "threads:2"))
            took[study] = time.perf_counter() - start
            print(f"{study}: {took[study]:.0f} s undisturbed")
        runs = [disturbed(s, here, "threads:2", args.kills, kill_run, took[s]) for s in studies]
        first = studies[0]
        half, each = took[first] / 2, args.workers
        workers = [disturbed(first, here, "processes:2", each, kill_worker, half)]
        workers.append(with_dask(first, here, each, half))
    killed, faults = (sum(column) for column in zip(*runs, *workers))
    print(f"{killed} kills ({sum(n for n, _ in workers)} of workers): {faults} faults")


def with_dask(study: str, here: Path, kills: int, longest: float) -> tuple[int, int]:
    """Kills of the workers of a Dask cluster of two processes."""
    from distributed import LocalCluster

    if kills == 0:
        return 0, 0
    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster:

        def kill(process: subprocess.Popen[str], folder: Path) -> bool:
            if process.poll() is not None:
                return False
            nanny = random.choice(list(cluster.workers.values()))
            if nanny.process is None or nanny.process.pid is None:
                return True
            os.kill(nanny.process.pid, signal.SIGKILL)
            return True

        return disturbed(study, here, f"dask:{cluster.scheduler_address}", kills, kill, longest)


if __name__ == "__main__":
    main()
