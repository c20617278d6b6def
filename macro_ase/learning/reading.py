"""Damage of files, said in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def reading(folder: str | Path, what: str) -> Iterator[None]:
    """Whatever is wrong with files that the block reads becomes one line that names the folder.

    Raises
    ------
    ValueError
        If the block fails otherwise than for want of a file.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        line = " ".join((reason or type(error).__name__).split())
        raise ValueError(f"{folder} holds no complete {what}: {line[:300]}") from error
