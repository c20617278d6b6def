"""What every study does with its stages: runs them in chunks, times them, goes on where it was."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..sampling.execution import run_chunks
from ..sampling.store import Store

log = logging.getLogger(__name__)
Chunk = dict[str, np.ndarray]
T = TypeVar("T")


class Stages:
    """The run folder's store, and how long each stage took.

    Parameters
    ----------
    folder : Path
    workers : int
        Threads that simulate at the same time; results do not depend on it.

    Attributes
    ----------
    seconds : dict
        By stage.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder, self.workers = folder, workers
        self.store = Store(folder / "data.zarr")
        self.store.discard_unfinished()
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @property
    def wall_s(self) -> float:
        """Time since the start."""
        return time.perf_counter() - self._start

    def timed(self, name: str, stage: Callable[..., T], *inputs: Any) -> T:
        """Run a stage and note how long it took."""
        log.info("%s", name)
        begin = time.perf_counter()
        result = stage(*inputs)
        self.seconds[name] = round(time.perf_counter() - begin, 2)
        return result

    def chunks(
        self, name: str, function: Callable[..., Any], jobs: dict[str, tuple[Any, ...]]
    ) -> dict[str, Chunk]:
        """Results of jobs by key; those that an earlier session finished are not done again."""
        run_chunks(function, jobs, self.store, self.workers, name)
        return {key: self.store.read(key) for key in jobs}
