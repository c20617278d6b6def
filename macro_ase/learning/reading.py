"""Damage of files, said in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..reasons import reason


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
        raise ValueError(f"{folder} holds no complete {what}: {reason(error)}") from error
