"""Chunks of work on an executor, kept in a store as they finish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from typing import Any

from numpy.typing import NDArray
from tqdm import tqdm

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
    label : str
        Of the progress bar, which shows when a terminal watches.
    """
    missing = {key: job for key, job in jobs.items() if not store.has(key)}
    if isinstance(executor, int):
        with ThreadPoolExecutor(executor) as pool:
            _run(function, missing, store, pool, label, len(jobs))
    else:
        _run(function, missing, store, executor, label, len(jobs))


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
    except BaseException:
        for future in futures:
            future.cancel()
        raise
