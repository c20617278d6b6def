"""Workers of any kind behind one face: threads, processes, Dask, MPI, or an executor of one's own.

    threads:8    processes:8    dask:tcp://host:8786    mpi

Each worker computes with one thread, so that N of them keep N cores busy and no more.
"""

from __future__ import annotations

import _thread
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from types import FrameType
from typing import Any

from .counts import require_count
from .extras import need
from .slurm import seconds_of as seconds_of
from .slurm import slurm_task as slurm_task
from .slurm import slurm_workers as slurm_workers

Engine = Executor | int | str
ENGINES = "threads:N, processes:N, dask:ADDRESS or mpi"
DASK_TIMEOUT_S = 30
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class OutOfTime(Exception):
    """The time that a run was given is too short for another job."""


class Workers:
    """An executor, how many work in it, and how it is replaced when one of them dies.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    number : int or callable
    again : callable, optional
        Makes the executor anew; without it, a death ends the run.
    interpreters : int
        Processes with the package loaded on this machine, this one included; 0 where the workers
        are elsewhere or unknown.

    Attributes
    ----------
    until : float
        When all must have ended, on the clock of `time.monotonic`.
    longest_s : float
        The longest job so far.
    """

    def __init__(
        self,
        executor: Executor,
        number: int | Callable[[], int],
        again: Callable[[], Executor] | None = None,
        interpreters: int = 0,
    ) -> None:
        self.executor, self._number, self._again = executor, number, again
        self.interpreters = interpreters
        self.until, self.longest_s = math.inf, 0.0

    @property
    def number(self) -> int:
        """How many jobs run at the same time; that of a cluster may change."""
        return self._number() if callable(self._number) else self._number

    def require_time(self) -> None:
        """Raise unless another job as long as the longest so far will end in time.

        Raises
        ------
        OutOfTime
        """
        if time.monotonic() + self.longest_s > self.until:
            raise OutOfTime("the time is up")

    @contextmanager
    def within_time(self) -> Iterator[None]:
        """A block that is interrupted when the time is up; with a limit, only in the main thread.

        Raises
        ------
        OutOfTime
        """
        if self.until == math.inf:
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def interrupted(number: int, frame: FrameType | None) -> None:
            if time.monotonic() >= self.until:
                raise OutOfTime("the time is up")
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGINT, interrupted)
        left = self.until - time.monotonic()
        timer = threading.Timer(min(left, threading.TIMEOUT_MAX), _thread.interrupt_main)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            signal.signal(signal.SIGINT, before)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """As of the executor; a broken one is replaced first."""
        try:
            return self.executor.submit(function, *args)
        except BrokenExecutor:
            self.replace()
            return self.executor.submit(function, *args)

    def replace(self) -> None:
        """A new executor in place of a broken one.

        Raises
        ------
        ChildProcessError
            If it is not ours to replace.
        """
        if self._again is None:
            raise ChildProcessError(
                "the workers are gone, or die time and again; what was finished is kept: run again "
                "to go on"
            )
        self.executor.shutdown(wait=False)
        self.executor = self._again()


@contextmanager
def workers_of(engine: Engine | Workers, number: int = 1) -> Iterator[Workers]:
    """Workers as asked for; what is made here ends with the block.

    Parameters
    ----------
    engine : executor, int or str
        A number of threads, a text such as ``"processes:4"``, or any
        `concurrent.futures.Executor`, which stays open.
    number : int
        Of workers, where neither the text nor the executor says.

    Raises
    ------
    ValueError
        If there is no such engine.
    """
    given: Any = engine
    if isinstance(given, Workers):
        yield given
        return
    if hasattr(given, "submit"):
        yield Workers(given, getattr(given, "_max_workers", None) or number)
        return
    kind, _, rest = given.partition(":") if isinstance(given, str) else ("threads", "", given)
    if kind not in OPEN or (kind == "mpi" and rest):
        raise ValueError(f"the engine must be {ENGINES}, not {given!r}")
    with OPEN[kind](rest, number) as workers:
        yield workers


@contextmanager
def _threads(wanted: Any, number: int) -> Iterator[Workers]:
    number = _count(wanted, number)
    with ThreadPoolExecutor(number) as pool:
        yield Workers(pool, number, interpreters=1)


class _Process(SpawnProcess):
    """It ignores SIGTERM, which is its parent's to answer, so that only SIGKILL ends it."""

    def terminate(self) -> None:
        """End it at once: what a broken pool does to those that are left."""
        self.kill()


class _Processes(SpawnContext):
    Process = _Process


@contextmanager
def _processes(wanted: Any, number: int) -> Iterator[Workers]:
    """Fresh processes of one thread each; they end when their parent does."""
    number = _count(wanted, number)

    def again() -> Executor:
        return ProcessPoolExecutor(number, _Processes(), _prepare)

    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    workers = Workers(again(), number, again, interpreters=1 + number)
    try:
        yield workers
    finally:
        workers.executor.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _dask(address: str, number: int) -> Iterator[Workers]:
    """The workers of a Dask scheduler, as many as there are at any time."""
    need("distributed", "the engine dask")
    from distributed import Client

    if not address:
        raise ValueError("dask needs the address of its scheduler: dask:tcp://HOST:8786")
    try:
        client = Client(address, timeout=DASK_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"no Dask scheduler at {address}: {error}") from error
    with client:
        yield Workers(
            client.get_executor(pure=False), lambda: max(1, sum(client.nthreads().values()))
        )


@contextmanager
def _mpi(_: str, number: int) -> Iterator[Workers]:
    """The processes that `mpiexec -n N python -m mpi4py.futures` began beside this one."""
    need("mpi4py", "the engine mpi")
    from mpi4py import MPI
    from mpi4py.futures import MPIPoolExecutor

    if MPI.COMM_WORLD.size < 2:
        raise ValueError(
            "the engine mpi works in: mpiexec -n N python -m mpi4py.futures -m macro_ase run ... "
            "with N of 2 or more; one of them gives out the work"
        )
    with MPIPoolExecutor() as pool:
        yield Workers(pool, pool.num_workers)


OPEN: dict[str, Callable[[Any, int], Any]] = {
    "threads": _threads,
    "processes": _processes,
    "dask": _dask,
    "mpi": _mpi,
}


def is_death(error: Exception) -> bool:
    """Whether a job failed because its worker died, by no fault that it tells of."""
    broken = isinstance(error, (BrokenExecutor, CancelledError))
    return broken or type(error).__name__ == "KilledWorker"


def _count(wanted: Any, number: int) -> int:
    if isinstance(wanted, str):
        wanted = int(wanted) if wanted.isdecimal() else wanted or number
    return require_count(wanted, "workers", 1)


def one_thread_each() -> None:
    """Tell the libraries of this process, and of its children, to use one thread.

    What is loaded already does not listen: the command calls this first of all.
    """
    os.environ.update(dict.fromkeys((*THREAD_VARIABLES, "NUMBA_NUM_THREADS"), "1"))


def _prepare() -> None:
    """A worker leaves signals to its parent, which lets it finish, and ends when that is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    one_thread_each()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
