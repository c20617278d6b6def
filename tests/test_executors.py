"""Every engine gives the same; a dead worker costs its job once more; time that is up ends work."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import pytest
from worker_jobs import always_deadly, endless, once_deadly, square, threads_of_libraries

from macro_ase.executors import (
    OutOfTime,
    Workers,
    workers_of,
)
from macro_ase.jobs import Done, run_jobs
from macro_ase.progress import Progress


def results(function: Any, jobs: dict[str, tuple[Any, ...]], workers: Workers) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def keep(done: Done) -> None:
        assert done.key not in found and done.cpu_s >= 0 and done.wall_s >= 0
        found[done.key] = done.result

    with Progress("test", len(jobs), workers=workers.number) as progress:
        run_jobs(function, jobs.items(), keep, workers, progress)
    return found


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A Dask cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        yield cluster


SQUARES = {str(x): (x,) for x in range(7)}


@pytest.mark.parametrize("engine", [2, "threads:2", "threads", "processes:2"])
def test_engines_of_this_machine(engine: int | str) -> None:
    with workers_of(engine, 3) as workers:
        assert workers.number == (3 if engine == "threads" else 2)
        assert results(square, SQUARES, workers) == {str(x): x * x for x in range(7)}


@pytest.mark.slow
def test_dask(cluster: Any) -> None:
    with workers_of(f"dask:{cluster.scheduler_address}") as workers:
        assert workers.number == 2
        assert results(square, SQUARES, workers) == {str(x): x * x for x in range(7)}


@pytest.mark.slow
def test_a_lost_dask_worker_is_replaced_by_others(cluster: Any, tmp_path: Path) -> None:
    with workers_of(f"dask:{cluster.scheduler_address}") as workers:
        jobs = {str(x): (x, tmp_path) for x in range(6)}
        assert results(once_deadly, jobs, workers) == {str(x): x * x for x in range(6)}
    assert (tmp_path / "3").exists()


@pytest.mark.slow
def test_a_killed_process_is_replaced(tmp_path: Path) -> None:
    with workers_of("processes:2") as workers:
        jobs = {str(x): (x, tmp_path) for x in range(6)}
        assert results(once_deadly, jobs, workers) == {str(x): x * x for x in range(6)}
    assert (tmp_path / "3").exists()


@pytest.mark.slow
def test_no_worker_outlives_a_broken_pool(tmp_path: Path) -> None:
    """Workers ignore SIGTERM, with which a pool ends those that are left; it would wait forever."""
    others = set(multiprocessing.active_children())
    with workers_of("processes:2") as workers:
        workers.submit(endless, tmp_path / "begun")
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        assert workers.submit(square, 2).result() == 4
        with pytest.raises(BrokenExecutor):
            workers.submit(os._exit, 1).result()
        ours = set(multiprocessing.active_children()) - others
        end = time.monotonic() + 10
        while any(child.is_alive() for child in ours) and time.monotonic() < end:
            time.sleep(0.05)
        assert not any(child.is_alive() for child in ours)


@pytest.mark.slow
def test_a_job_that_kills_every_worker_ends_the_run_in_one_line() -> None:
    with workers_of("processes:1") as workers, pytest.raises(ChildProcessError) as error:
        results(always_deadly, {"bad": ()}, workers)
    assert "3 workers died at 'bad'" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.slow
def test_executors_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    executorlib = pytest.importorskip("executorlib")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    with executorlib.SingleNodeExecutor(max_workers=2) as pool, workers_of(pool, 2) as workers:
        assert results(square, SQUARES, workers) == {str(x): x * x for x in range(7)}


def test_mpi(tmp_path: Path) -> None:
    """Two workers and one that gives out the work."""
    pytest.importorskip("mpi4py")
    mpiexec = Path(sys.executable).with_name("mpiexec")
    if not mpiexec.exists():
        pytest.skip("no mpiexec beside Python")
    script = tmp_path / "squares.py"
    script.write_text(
        "import math\nfrom macro_ase.executors import workers_of\n"
        "if __name__ == '__main__':\n    with workers_of('mpi') as workers:\n"
        "        print(workers.number, workers.submit(math.factorial, 5).result())\n"
    )
    argv = [str(mpiexec), "-n", "3", sys.executable, "-m", "mpi4py.futures", str(script)]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert run.stdout == "2 120\n", run.stderr


@pytest.mark.parametrize("engine", ["cluster", "processes:-1", "threads:x", "mpi:3", "dask:", 0])
def test_engines_that_are_none(engine: int | str) -> None:
    with pytest.raises(ValueError, match=r"engine must be|workers must be|needs the address"):
        with workers_of(engine):
            pass


def test_a_dask_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("macro_ase.executors.DASK_TIMEOUT_S", 0.2)
    with pytest.raises(ValueError, match="no Dask scheduler at tcp://127"):
        with workers_of("dask:tcp://127.0.0.1:9"):
            pass


@pytest.mark.slow
def test_libraries_use_one_thread_in_processes() -> None:
    with workers_of("processes:1") as workers:
        found = workers.submit(threads_of_libraries).result()
    assert set(found.values()) == {"1"}


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN])
@pytest.mark.slow
def test_nothing_begins_that_would_not_end_in_time(handler: Any) -> None:
    """Nor where interrupts are ignored, as shells have it for what they start in the background."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        _run_out_of_time()
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def _run_out_of_time() -> None:
    begun: list[float] = []

    def work(seconds: float) -> None:
        begun.append(time.monotonic())
        time.sleep(seconds)

    with workers_of(1) as workers:
        workers.until = time.monotonic() + 0.5
        with pytest.raises(OutOfTime):
            results(work, {str(k): (0.1,) for k in range(100)}, workers)
        assert 1 <= len(begun) <= 4  # a fifth would end too late
        with pytest.raises(OutOfTime), workers.within_time():
            while True:
                time.sleep(0.01)
