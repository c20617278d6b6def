"""Files that are there whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FULL = (errno.ENOSPC, errno.EDQUOT)


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write a file, text in UTF-8; whoever looks finds the old one or the new one, whole.

    Raises
    ------
    OSError
        Naming the file, if it cannot be written.
    """
    with replacing(path) as beside:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside a file, for the block to write; it takes the file's place when all is well.

    A file that would not change is left alone. What is no regular file, such as a pipe, is
    written directly.

    Raises
    ------
    OSError
        Naming the file, if it cannot be written.
    """
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        with naming(path):
            yield Path(path)
        return
    beside = place.with_name(f".{place.stem}.{os.getpid()}-{threading.get_ident()}{place.suffix}")
    try:
        with naming(path, beside):
            if place.exists() and not os.access(place, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            yield beside
            _move(beside, place)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def naming(path: str | Path, beside: Path | None = None) -> Iterator[None]:
    """Says of a failure to write in the block which file was meant, and what a full disk needs.

    Raises
    ------
    OSError
    """
    try:
        yield
    except Exception as error:
        message = _reason(error, (path, beside))
        if message is None:
            raise
        kind = type(error) if isinstance(error, OSError) else OSError
        failure = kind(f"cannot write {path}: {message}")
        failure.errno = getattr(error, "errno", None)
        raise failure from error


def _reason(error: Exception, places: tuple[str | Path | None, ...]) -> str | None:
    """Why a file could not be written; None for a fault of another kind."""
    if getattr(error, "errno", None) in FULL or "No space left" in str(error):
        return "no space left on the disk; make some and run again: what is finished is kept"
    if isinstance(error, OSError) and error.strerror:
        own = error.filename is None or str(error.filename) in map(str, places)
        return error.strerror.lower() if own else None
    return None


def _move(beside: Path, place: Path) -> None:
    if place.exists():
        if filecmp.cmp(beside, place, shallow=False):
            return
        shutil.copymode(place, beside)
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    beside.replace(place)


def save_figure(figure: Any, path: str | Path, dpi: int = 130) -> None:
    """Write a matplotlib figure in the format of the path's ending.

    Where a layout is computed, `savefig` draws all twice, at first to have it computed; here that
    is done without drawing.
    """
    engine, own = figure.get_layout_engine(), figure.dpi
    try:
        if engine is not None and Path(path).suffix == ".png":
            figure.dpi = dpi
            engine.execute(figure)
            figure.set_layout_engine("none")
        with replacing(path) as beside:
            figure.savefig(beside, dpi=dpi)
    finally:
        figure.dpi = own
        figure.set_layout_engine(engine)
