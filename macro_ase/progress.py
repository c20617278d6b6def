"""How far long work is: a bar where a terminal watches, a line in the log every 30 seconds."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType

from tqdm import tqdm

log = logging.getLogger(__name__)
NOTE = 25
"""Level of lines that a person sees without asking: above information, below warnings."""
logging.addLevelName(NOTE, "NOTE")
INTERVAL = 30.0
PACKAGE = logging.getLogger(__package__)


class SETTINGS:
    """Of the process."""

    quiet = False


class Progress:
    """The progress of one stage, for a ``with`` block.

    Parameters
    ----------
    label : str
    total : int
    done : int
        What was there already.
    workers : int
        Items that are worked on at the same time.
    unit : str
    """

    def __init__(
        self, label: str, total: int, done: int = 0, workers: int = 1, unit: str = "chunk"
    ) -> None:
        self.label, self.total, self.done = label, total, done
        self.workers, self.unit, self.first = workers, unit, done
        self.start = self.last = time.monotonic()
        off = True if SETTINGS.quiet else None  # None: where no terminal watches
        self.bar = tqdm(desc=label, total=total, initial=done, disable=off, unit=unit)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.bar.close()

    def update(self, number: int = 1) -> None:
        """So many more are done; the first one tells how long the stage takes."""
        self.done += number
        self.bar.update(number)
        if self.done - self.first == number and self.done < self.total:
            left = self._left()
            log.log(NOTE if left > INTERVAL else logging.INFO, "%s", self._line(left))
        self.tick()

    def tick(self, done: int | None = None) -> None:
        """To be called at least every few seconds: writes the line when it is due.

        ``done`` counts what others did, too.
        """
        if done is not None:
            self.bar.update(done - self.done)
            self.first, self.done = self.first + done - self.done, done
        if time.monotonic() - self.last >= INTERVAL:
            self.last = time.monotonic()
            log.info("%s", self._line(self._left()))

    def _left(self) -> float:
        """Seconds to the end, were all as long as those of this session."""
        made, elapsed = self.done - self.first, time.monotonic() - self.start
        if not made:
            return math.nan
        if made < self.workers:
            return math.ceil((self.total - self.done) / self.workers) * elapsed
        return (self.total - self.done) * elapsed / made

    def _line(self, left: float) -> str:
        counts = f"{self.label}: {self.done} of {self.total} {self.unit}s"
        if math.isnan(left):
            return counts
        rate = 60 * (self.done - self.first) / (time.monotonic() - self.start)
        return f"{counts}, {rate:.3g} a minute, about {duration(left)} left"


class Console(logging.Handler):
    """Lines on standard error that leave bars whole."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        tqdm.write(self.format(record), file=sys.stderr)


@contextmanager
def told(verbose: bool = False, quiet: bool = False) -> Iterator[None]:
    """A block whose lines a person sees: notes, with ``verbose`` all, with ``quiet`` none."""
    console = Console(logging.INFO if verbose else logging.ERROR if quiet else NOTE)
    before, SETTINGS.quiet = SETTINGS.quiet, quiet
    try:
        with _handled(console):
            yield
    finally:
        SETTINGS.quiet = before


@contextmanager
def logged(file: Path, first: str) -> Iterator[None]:
    """A block whose lines are added to a file, each with its time; the first is a note."""
    with closing(logging.FileHandler(file, encoding="utf-8")) as handler:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        with _handled(handler):
            log.log(NOTE, "%s", first)
            yield


@contextmanager
def _handled(handler: logging.Handler) -> Iterator[None]:
    level = PACKAGE.level
    PACKAGE.addHandler(handler)
    PACKAGE.setLevel(logging.INFO)
    try:
        yield
    finally:
        PACKAGE.removeHandler(handler)
        PACKAGE.setLevel(level)


def duration(seconds: float) -> str:
    """A time as people say it."""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.2g} s"
