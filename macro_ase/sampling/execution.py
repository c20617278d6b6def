"""Chunks of work on an executor, kept in a store as they finish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from typing import Any

from numpy.typing import NDArray
from tqdm import tqdm

from ..counts import require_count
from .store import Store

Chunk = Mapping[str, NDArray[Any]]


def run_chunks(
    function: Callable[..., Chunk],
    jobs: Mapping[str, tuple[Any, ...]],
    store: Store,
    executor: Executor | int = 1,
    label: str = "",
) -> None:
    """Compute the chunks that the store lacks.

    Parameters
    ----------
    function : callable
        Takes a job's arguments, among them its own seed, and returns its arrays.
    jobs : mapping
        Arguments by chunk key.
    store : Store
    executor : concurrent.futures.Executor or int
        A number of threads (compiled kernels release Python's lock), or any executor of
        that shape, such as Dask's or executorlib's. Results do not depend on it.
        Stopped by Ctrl-C or a signal, what runs at that time is finished and kept.
    label : str
        Of the progress bar, which shows when a terminal watches.

    Raises
    ------
    ValueError
        If the number of threads is no whole number of at least 1.
    """
    given: Any = executor
    own = None if hasattr(given, "submit") else require_count(given, "workers", 1)
    missing = {key: job for key, job in jobs.items() if not store.has(key)}
    with nullcontext(given) if own is None else ThreadPoolExecutor(own) as pool:
        _run(function, missing, store, pool, label, len(jobs))


def _run(
    function: Callable[..., Chunk],
    jobs: Mapping[str, tuple[Any, ...]],
    store: Store,
    executor: Executor,
    label: str,
    total: int,
) -> None:
    futures = {executor.submit(function, *job): key for key, job in jobs.items()}
    bar = tqdm(desc=label, total=total, initial=total - len(jobs), disable=None, unit="chunk")
    try:
        with bar:
            for future in as_completed(futures):
                store.write(futures[future], future.result())
                bar.update()
    except BaseException as error:
        running = {future: key for future, key in futures.items() if not future.cancel()}
        if isinstance(error, KeyboardInterrupt):
            _keep(running, store)
        raise


def _keep(running: Mapping[Future[Chunk], str], store: Store) -> None:
    """Wait for chunks that run already, and write those that are well and not yet there."""
    for future in as_completed(running):
        if future.exception() is None and not store.has(running[future]):
            store.write(running[future], future.result())
