"""Chunks of work on any executor, written to a store as they finish and not kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..arrays import Chunk
from ..claims import Claims
from ..executors import Engine, Workers, workers_of
from ..jobs import Done, run_jobs
from ..progress import Progress
from .store import Store


class Jobs(Mapping[str, tuple[Any, ...]]):
    """Arguments of jobs by key, made when a job begins: those of all need not fit into memory.

    Parameters
    ----------
    items : mapping
        What each job is of, by key.
    make : callable
        Gives a job's arguments from its item.
    """

    def __init__(self, items: Mapping[str, Any], make: Callable[[Any], tuple[Any, ...]]) -> None:
        self._items, self._make = items, make

    def __getitem__(self, key: str) -> tuple[Any, ...]:
        return self._make(self._items[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def run_chunks(
    function: Callable[..., Chunk],
    jobs: Mapping[str, tuple[Any, ...]],
    store: Store,
    engine: Engine | Workers = 1,
    label: str = "",
    noted: Callable[[Done], None] = lambda done: None,
    claims: Claims | None = None,
) -> None:
    """Compute the chunks that the store lacks.

    Parameters
    ----------
    function : callable
        Takes a job's arguments, among them its own seed, and returns its arrays.
    jobs : mapping
        Arguments by chunk key.
    store : Store
    engine : executor, int or str
        As for `executors.workers_of`: a number of threads (compiled kernels release Python's
        lock), or any executor. Results do not depend on it. Stopped by Ctrl-C or a signal, what
        runs at that time is finished and kept.
    label : str
        Of the progress.
    noted : callable
        Told of each chunk after it was written.
    claims : Claims, optional
        Of this task, where others compute chunks of the same store; theirs are waited for.

    Raises
    ------
    ValueError
        If the number of threads is no whole number of at least 1.
    """

    def keep(done: Done) -> None:
        if claims is None or not store.holds(done.key):
            store.write(done.key, done.result)
        noted(done)
        if claims:
            claims.release(done.key)

    with workers_of(engine) as workers:
        there = {key for key in jobs if store.holds(key)}
        missing = [key for key in jobs if not store.has(key)]
        for key in there.intersection(missing) if claims else ():
            _discard_damaged(key, store, claims)  # type: ignore[arg-type]
        with Progress(label, len(jobs), len(jobs) - len(missing), workers.number) as progress:
            while missing:
                mine = claims.taken(missing, store.holds) if claims else missing
                run_jobs(function, ((key, jobs[key]) for key in mine), keep, workers, progress)
                missing = [key for key in missing if not store.holds(key)]
                if missing and claims:
                    workers.require_time()
                    progress.tick(len(jobs) - len(missing))
                    time.sleep(claims.pause_s)


def _discard_damaged(key: str, store: Store, claims: Claims) -> None:
    """Remove a chunk, unless another task has done so and written it anew."""
    with claims.alone(key):
        if not store.has(key):
            store.discard(key)
