"""Who does what, when several tasks work in one folder: a file for each item that one of them took.

A task has a file of its own, touched while it lives, and its claims name that file. A claim whose
task ended without a word is void: at once where its process can be looked for, else when its file
was not touched for a while. Should two tasks take up one item in the same instant, both do it, to
the same bytes.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from .folder_lock import start_of, this_process

NAME = "claims"
PATIENCE = "MACRO_ASE_PATIENCE_S"
BEATS = 6


class Claims:
    """The claims of one task, for a ``with`` block.

    Parameters
    ----------
    folder : Path
        Of the run.
    title : str
        How others shall name this task.
    share : (int, int)
        This task's number and how many there are: it begins with every so manieth item, and goes
        on with what the others left.
    patience_s : float, optional
        How long a task of another host may be silent; default: the environment variable
        ``MACRO_ASE_PATIENCE_S``, else 60.
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        share: tuple[int, int] = (0, 1),
        patience_s: float | None = None,
    ) -> None:
        self.share = share
        self.folder, self.tasks = folder / NAME, folder / NAME / "tasks"
        self.patience_s = float(os.environ.get(PATIENCE, 60)) if patience_s is None else patience_s
        self.me = this_process() | {"title": title}
        self.name = f"{self.me['host']} {self.me['pid']} {time.time_ns()}"
        self.mine: set[str] = set()
        self._end = threading.Event()

    def __enter__(self) -> Claims:
        self.tasks.mkdir(parents=True, exist_ok=True)
        (self.tasks / self.name).write_text(json.dumps(self.me), encoding="utf-8")
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._end.set()
        for key in list(self.mine):
            self.release(key)
        (self.tasks / self.name).unlink(missing_ok=True)
        with suppress(OSError):  # the last one leaves nothing
            self.tasks.rmdir()
            self.folder.rmdir()

    def taken(self, keys: Sequence[str], done: Callable[[str], bool]) -> Iterator[str]:
        """Items that are not done, each claimed before it is given out; own ones first."""
        number, of = self.share
        for k in sorted(range(len(keys)), key=lambda k: (k - number) % of != 0):
            if not done(keys[k]) and self.take(keys[k]):
                if done(keys[k]):  # a moment ago
                    self.release(keys[k])
                else:
                    yield keys[k]

    def take(self, key: str) -> bool:
        """Claim an item; false if a living task has it."""
        file = self._file(key)
        if self._is_void(file):
            file.unlink(missing_ok=True)
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(self.name)
        except FileExistsError:
            return False
        self.mine.add(key)
        return True

    def release(self, key: str) -> None:
        """Give up a claim, when the item is finished or cannot be."""
        self.mine.discard(key)
        if self._owner(self._file(key)) == self.name:
            self._file(key).unlink(missing_ok=True)

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Holds an item for the block; waits for the task that has it."""
        while not self.take(key):
            time.sleep(self.pause_s)
        try:
            yield
        finally:
            self.release(key)

    @property
    def pause_s(self) -> float:
        """How long to wait before looking again."""
        return min(1.0, self.patience_s / BEATS)

    def others(self) -> list[str]:
        """Titles, processes and hosts of the other tasks that live."""
        found = [f.name for f in self.tasks.glob("*") if f.name != self.name]
        told = [self._told(name) for name in found if self._lives(name)]
        return [f"{t.get('title')} (process {t.get('pid')} on {t.get('host')})" for t in told]

    def _file(self, key: str) -> Path:
        return self.folder / f"{quote(key, safe='')}.claim"

    def _owner(self, file: Path) -> str:
        try:
            return file.read_text(encoding="utf-8")
        except OSError:
            return ""

    def _told(self, name: str) -> dict[str, Any]:
        try:
            told = json.loads((self.tasks / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _is_void(self, file: Path) -> bool:
        owner = self._owner(file)  # empty while it is written, or cut off by a kill
        return not self._lives(owner) if owner else self._is_silent(file)

    def _lives(self, name: str) -> bool:
        told = self._told(name)
        same = all(told.get(key) == self.me[key] for key in ("host", "processes"))
        if same and isinstance(told.get("pid"), int):
            return start_of(told["pid"]) == told.get("started")
        return not self._is_silent(self.tasks / name)

    def _is_silent(self, file: Path) -> bool:
        try:
            return self._now() - file.stat().st_mtime >= self.patience_s
        except OSError:
            return True

    def _now(self) -> float:
        """The time by the clock of the disk, which may not be that of this host."""
        with suppress(OSError):
            os.utime(self.tasks / self.name)
            return (self.tasks / self.name).stat().st_mtime
        return time.time()

    def _beat(self) -> None:
        while not self._end.wait(self.patience_s / BEATS):
            with suppress(OSError):
                os.utime(self.tasks / self.name)
