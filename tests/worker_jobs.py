"""Jobs that tests give to processes: those import them from here."""

import os
import signal
import time
from pathlib import Path


def square(x: int) -> int:
    return x * x


def once_deadly(x: int, folder: Path) -> int:
    """Kills its process the first time."""
    mark = folder / str(x)
    if x == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x * x


def endless(mark: Path) -> None:
    mark.touch()
    time.sleep(60)


def always_deadly() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def threads_of_libraries() -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
