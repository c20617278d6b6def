"""What runs the stages of every study: chunks into the run's store, models into its folder."""

from __future__ import annotations

import json
import logging
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..arrays import Chunk
from ..claims import Claims
from ..executors import Engine, Workers
from ..jobs import Done
from ..sampling.execution import run_chunks
from ..sampling.store import Chunks, Store

log = logging.getLogger(__name__)
T = TypeVar("T")
COSTS = "costs.jsonl"


class Runner:
    """The only part of a study that knows the run's folder, its store and who computes.

    Parameters
    ----------
    folder : Path
    engine : executor, int or str
        As for `executors.workers_of`; results do not depend on it.
    claims : Claims, optional
        Of this task, where several work in the folder at the same time.

    Attributes
    ----------
    folder : Path
    store : Store
    seconds : dict
        How long each stage took in this session.
    """

    def __init__(
        self,
        folder: Path,
        engine: Engine | Workers = 1,
        claims: Claims | None = None,
    ) -> None:
        self.folder, self.engine, self.claims = folder, engine, claims
        self.store = Store(folder / "data.zarr")
        if claims is None:
            self.store.discard_unfinished()
        self.seconds: dict[str, float] = {}
        self._start, self._stage = time.perf_counter(), ""

    @property
    def wall_s(self) -> float:
        """Time since the start."""
        return time.perf_counter() - self._start

    @property
    def cpu_s(self) -> dict[str, float]:
        """Seconds of processors by stage, measured where the work was done, of all sessions."""
        last = {(c["stage"], c["key"]): float(c["cpu_s"]) for c in _costs(self.folder / COSTS)}
        stages = dict.fromkeys(stage for stage, _ in last)
        return {stage: sum(v for (s, _), v in last.items() if s == stage) for stage in stages}

    def timed(self, name: str, function: Callable[..., T], *inputs: Any) -> T:
        """Run a stage and note how long it took."""
        log.info("%s", name)
        begin, self._stage = time.perf_counter(), name
        result = function(*inputs)
        took = time.perf_counter() - begin
        self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 2)
        return result

    def chunks(
        self, stage: str, function: Callable[..., Any], jobs: Mapping[str, tuple[Any, ...]]
    ) -> Mapping[str, Chunk]:
        """Results of jobs by key, read from the disk when they are asked for.

        Those that an earlier session finished are not done again. ``jobs`` hold arguments by key of
        a function that a module has, and that returns arrays by name.
        """

        def noted(done: Done) -> None:
            self._note(stage, done.key, done.cpu_s, done.wall_s)

        run_chunks(function, jobs, self.store, self.engine, stage, noted, self.claims)
        return Chunks(self.store, list(jobs))

    def joined(
        self, stage: str, function: Callable[..., Any], jobs: Mapping[str, tuple[Any, ...]]
    ) -> Chunk:
        """Results of jobs, their arrays one after another."""
        parts = list(self.chunks(stage, function, jobs).values())
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def kept(self, name: str, load: Callable[[Path], T], make: Callable[[Path], T]) -> T:
        """A model that the run keeps: loaded where it is whole, else made.

        Both functions take its folder, ``name`` in the run's folder ``model``; the first raises if
        there is no whole model in it, the second leaves one there.
        """
        with self.claims.alone(f"model {name}") if self.claims else nullcontext():
            return self._kept(name, load, make)

    def _kept(self, name: str, load: Callable[[Path], T], make: Callable[[Path], T]) -> T:
        place = self.folder / "model" / name
        try:
            whole = load(place)
        except FileNotFoundError:
            pass
        except Exception as error:  # damaged files fail in many ways
            warnings.warn(f"{error}; it is made again", stacklevel=2)
        else:
            from ..learning.saved import TRAINING

            shutil.rmtree(place / TRAINING, ignore_errors=True)  # its removal was interrupted
            return whole
        cpu, wall = time.process_time(), time.perf_counter()
        with self.engine.within_time() if isinstance(self.engine, Workers) else nullcontext():
            made = make(place)
        costs = time.process_time() - cpu, time.perf_counter() - wall
        self._note(self._stage or name, f"model/{name}", *costs)
        return made

    def _note(self, stage: str, key: str, cpu_s: float, wall_s: float) -> None:
        entry = {"stage": stage, "key": key, "cpu_s": round(cpu_s, 4), "wall_s": round(wall_s, 4)}
        with (self.folder / COSTS).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")


def _costs(file: Path) -> list[dict[str, Any]]:
    """Whole lines of the costs; those that a kill cut off are left out."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            entry = json.loads(line)
            found.append({"stage": entry["stage"], "key": entry["key"], "cpu_s": entry["cpu_s"]})
        except (ValueError, KeyError, TypeError):
            continue
    return found
