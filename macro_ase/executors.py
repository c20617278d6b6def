"""Workers of any kind behind one face: threads, processes, Dask, MPI, or an executor of one's own.

threads:8    processes:8    dask:tcp://host:8786    mpi
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from .counts import require_count

Engine = Executor | int | str
ENGINES = "threads:N, processes:N, dask:ADDRESS or mpi"


class OutOfTime(Exception):
    """The time that a run was given is too short for another job."""


class Workers:
    """An executor, how many work in it, and how it is replaced when one of them dies.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    number : int
    again : callable, optional
        Makes the executor anew; without it, a death ends the run.

    Attributes
    ----------
    until : float
        When all must have ended, on the clock of `time.monotonic`.
    longest_s : float
        The longest job so far.
    """

    def __init__(
        self, executor: Executor, number: int, again: Callable[[], Executor] | None = None
    ) -> None:
        self.executor, self.number, self._again = executor, number, again
        self.until, self.longest_s = math.inf, 0.0

    def require_time(self) -> None:
        """Raise unless another job as long as the longest so far will end in time.

        Raises
        ------
        OutOfTime
        """
        if time.monotonic() + self.longest_s > self.until:
            raise OutOfTime("the time is up")

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
                "a worker died, and its executor with it; what was finished is kept: run again "
                "to go on"
            )
        self.executor.shutdown(wait=False)
        self.executor = self._again()


@contextmanager
def workers_of(engine: Engine | Workers) -> Iterator[Workers]:
    """Workers as asked for; what is made here ends with the block.

    Parameters
    ----------
    engine : executor, int or str
        A number of threads, a text such as ``"processes:4"``, or any
        `concurrent.futures.Executor`, which stays open.

    Raises
    ------
    ValueError
        If there is no such engine.
    """
    given: Any = engine
    if isinstance(given, Workers):
        yield given
    elif hasattr(given, "submit"):
        yield Workers(given, _number_in(given))
    else:
        number = require_count(given, "workers", 1)
        with ThreadPoolExecutor(number) as pool:
            yield Workers(pool, number)


def _number_in(executor: Any) -> int:
    """How many work in an executor of one's own."""
    return int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
