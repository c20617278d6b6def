"""Files that a command reads and writes: none written twice, or over what is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str | Path | None]


def require_apart(read: Files, written: Files, allowed: frozenset[tuple[str, str]]) -> None:
    """Refuse to write over a file that is read, or to write one file twice.

    Parameters
    ----------
    read, written : mappings of paths by what they are called; None where not given
    allowed : set of (str, str)
        Pairs (read, written) that may be one file.

    Raises
    ------
    ValueError
        Naming both.
    """
    outputs = [(name, Path(path)) for name, path in written.items() if path is not None]
    for n, (name, file) in enumerate(outputs):
        for other, path in outputs[:n]:
            if _same(file, path):
                raise ValueError(f"{name} and {other} are one file, {file}: give two names")
        for source, given in read.items():
            if given is None or (source, name) in allowed:
                continue
            if _same(file, Path(given)):
                raise ValueError(f"{name} would write over the {source} file {given}")


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)
