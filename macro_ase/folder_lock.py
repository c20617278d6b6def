"""One writer for each folder: a lock file that says who, and is taken over when its owner is gone.

The file names the host, the process and when that process started, so that a number used again is
not taken for the same process. Whether a process of another host (or of another container) still
runs cannot be seen from here: its lock is never taken over, only named.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # not on Windows, where two processes may then pass at the same instant
    fcntl = None  # type: ignore[assignment]

NAME = "run.lock"
PROC = Path("/proc")
UNKNOWN = "unknown"


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Holds a folder, made if it is missing, for the block.

    Raises
    ------
    FileExistsError
        If another process holds it, naming that process and its host.
    OSError
        If the folder cannot be made or written into.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file, mine = folder / NAME, this_process()
    _take(file, mine)
    try:
        yield
    finally:
        with suppress(OSError):
            if _read(file) == mine:
                file.unlink()


def _take(file: Path, mine: dict[str, Any]) -> None:
    while True:
        with file.open("a+", encoding="utf-8") as stream:
            _alone(stream)
            with suppress(FileNotFoundError):
                if os.fstat(stream.fileno()).st_ino == file.stat().st_ino:
                    _refuse_others(file, _read(file), mine)
                    stream.truncate(0)
                    stream.write(json.dumps(mine) + "\n")
                    return


def _alone(stream: IO[str]) -> None:
    """While the file is open, no other process is past this line with it."""
    if fcntl is not None:
        with suppress(OSError):  # some network file systems have no such locks
            fcntl.flock(stream, fcntl.LOCK_EX)


def _refuse_others(file: Path, holder: dict[str, Any], mine: dict[str, Any]) -> None:
    """Raise FileExistsError if a lock's owner runs, or cannot be looked for from here."""
    if not isinstance(holder.get("pid"), int):
        return
    who = f"{file.parent} is in use by process {holder['pid']} on {holder.get('host')}"
    if any(holder.get(key) != mine[key] for key in ("host", "processes")):
        raise FileExistsError(f"{who}; if that one is gone, remove {file}")
    started = start_of(holder["pid"])
    if started is not None and started == holder.get("started"):
        gone = f" (if it is gone, remove {file})" if started == UNKNOWN else ""
        raise FileExistsError(f"{who}; wait for it, stop it, or choose another folder{gone}")


def _read(file: Path) -> dict[str, Any]:
    """What a lock says; nothing where it is gone or was cut off by a kill."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def refuse_writer(folder: Path) -> None:
    """Raise FileExistsError, as `only_writer` does, if another process holds a folder."""
    _refuse_others(folder / NAME, _read(folder / NAME), this_process())


def this_process() -> dict[str, Any]:
    """What tells this process from all others, on any host."""
    try:
        processes = os.readlink(PROC / "self" / "ns" / "pid")
    except OSError:
        processes = ""
    me = os.getpid()
    return {
        "host": socket.gethostname(),
        "processes": processes,
        "pid": me,
        "started": start_of(me),
    }


def start_of(pid: int) -> str | None:
    """When a process started, in the system's own unit; None if there is none that runs.

    Where the system does not tell, every process that is there has the same start.
    """
    try:
        state, *fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return None if state in "ZX" else fields[18]
    except (OSError, ValueError):
        if PROC.is_dir():
            return None
    if os.name != "posix":  # there signal 0 is Ctrl-C
        return UNKNOWN
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return UNKNOWN
