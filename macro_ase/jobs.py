"""Jobs on workers of any kind: as many at a time as there are workers, each kept when done."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, as_completed, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any

from .executors import Workers, is_death
from .progress import Progress

log = logging.getLogger(__name__)
TICK_S = 1.0
MOST_DEATHS = 3
Job = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Done:
    """A finished item.

    Attributes
    ----------
    key : str
    result : object
    cpu_s, wall_s : float
        Measured where it ran.
    """

    key: str
    result: Any
    cpu_s: float
    wall_s: float


def run_jobs(
    function: Callable[..., Any],
    jobs: Iterable[Job],
    keep: Callable[[Done], None],
    workers: Workers,
    progress: Progress,
) -> None:
    """Run jobs, as many at a time as there are workers; each is kept before another begins.

    A job whose worker died is done again by another.

    Raises
    ------
    OutOfTime
        If the workers' time is too short for another job.
    ChildProcessError
        If the workers of one job die time and again, or cannot be replaced.
    """
    run = _Run(function, iter(jobs), keep, workers, progress)
    try:
        while run.begin():
            run.collect()
    except BaseException:
        run.finish()
        raise


class _Run:
    """Jobs that wait, and those that run."""

    def __init__(
        self,
        function: Callable[..., Any],
        queue: Iterator[Job],
        keep: Callable[[Done], None],
        workers: Workers,
        progress: Progress,
    ) -> None:
        self.function, self.queue, self.keep = function, queue, keep
        self.workers, self.progress = workers, progress
        self.running: dict[Future[Any], Job] = {}
        self.deaths: Counter[str] = Counter()

    def begin(self) -> bool:
        """Give every idle worker a job; false if nothing runs then."""
        number = self.workers.number
        while len(self.running) < number:
            job = next(self.queue, None)
            if job is None:
                break
            self.workers.require_time()
            self.running[self.workers.submit(measured, self.function, job[1])] = job
        return bool(self.running)

    def collect(self) -> None:
        """Wait a moment and keep what is finished by then."""
        lost: list[Job] = []
        for future in wait(self.running, TICK_S, FIRST_COMPLETED)[0]:
            job = self.running[future]
            try:
                done = Done(job[0], *future.result())
            except Exception as error:
                if not is_death(error):
                    raise
                lost.append(job)
            else:
                self.keep(done)
                self.workers.longest_s = max(self.workers.longest_s, done.wall_s)
                self.progress.update()
            del self.running[future]
        self.progress.tick()
        if lost:
            self.do_again(lost)

    def do_again(self, lost: list[Job]) -> None:
        """Put the jobs of dead workers first in the queue."""
        self.deaths.update(key for key, _ in lost)
        key, number = self.deaths.most_common(1)[0]
        if number >= MOST_DEATHS:
            raise ChildProcessError(
                f"{number} workers died at {key!r}, out of memory perhaps; what was finished is "
                "kept: run again to go on"
            )
        log.warning("a worker died: %s again", ", ".join(key for key, _ in lost))
        self.workers.replace()
        self.queue = chain(lost, self.queue)

    def finish(self) -> None:
        """Wait for jobs that run, and keep those that end well."""
        for future in as_completed(self.running):
            with suppress(Exception):
                self.keep(Done(self.running[future][0], *future.result()))


def measured(function: Callable[..., Any], job: tuple[Any, ...]) -> tuple[Any, float, float]:
    """A result with the processor's time and the time that it took."""
    own = threading.current_thread() is threading.main_thread()
    clock = time.process_time if own else time.thread_time
    cpu, wall = clock(), time.perf_counter()
    result = function(*job)
    return result, clock() - cpu, time.perf_counter() - wall
