"""One study of each kind on every engine: the same bytes and the same numbers.

    python benchmarks/engines.py [STUDY ...] [--engines ENGINE ...]

Threads, processes and Dask with one worker and with two, and two tasks of a job array, against one
thread: stores and models by SHA-256 of every file, metrics by their values.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tiny_studies import ENVIRONMENT, STUDIES, command, differences, settings

ENGINES = ("threads:2", "processes:1", "processes:2", "dask 1", "dask 2", "two tasks")


def call(argv: list[str]) -> None:
    """A command that must end well."""
    subprocess.run(argv, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)


def on_dask(study: str, folder: Path, workers: int) -> None:
    """A run on a Dask cluster of this machine."""
    from distributed import LocalCluster

    options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(n_workers=workers, **options) as cluster:
        engine = f"dask:{cluster.scheduler_address}"
        call(command("run", *settings(study), "--out", folder, "--engine", engine, "-q"))


def by_tasks(study: str, folder: Path) -> None:
    """Two tasks at the same time, then the report."""
    tasks = [
        subprocess.Popen(
            command("work", folder, *settings(study), "--task", f"{k}/2", "-q"),
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
        )
        for k in (1, 2)
    ]
    if any([task.wait() for task in tasks]):
        raise RuntimeError("a task failed")
    call(command("run", folder, "-q"))


def run(study: str, folder: Path, engine: str) -> None:
    """A run on one of the engines."""
    if engine.startswith("dask"):
        on_dask(study, folder, int(engine.split()[1]))
    elif engine == "two tasks":
        by_tasks(study, folder)
    else:
        call(command("run", *settings(study), "--out", folder, "--engine", engine, "-q"))


def main() -> None:
    """Run and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="default: one of each kind")
    parser.add_argument("--engines", nargs="+", default=ENGINES, choices=ENGINES, metavar="ENGINE")
    args = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory() as temporary:
        for study in args.studies or STUDIES:
            reference = Path(temporary) / study
            for engine in ("threads:1", *args.engines):
                folder = reference if engine == "threads:1" else Path(temporary) / "other" / study
                folder = (
                    folder.with_name(f"{folder.name} {engine}") if folder != reference else folder
                )
                start = time.perf_counter()
                run(study, folder, engine)
                differ = differences(folder, reference)
                faults += len(differ)
                took = time.perf_counter() - start
                print(f"{study:22} {engine:12} {took:6.1f} s  {differ or 'same'}", flush=True)
    print(f"{faults} differences")


if __name__ == "__main__":
    main()
