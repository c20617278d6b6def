"""Restart files: written whole, and every array checked before a driver takes it up.

A kernel trusts its arrays: an index out of range would end the process, a clock that is no number
would end every run in silence.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..files import replacing

Arrays = Mapping[str, NDArray[Any]]
OPTIONAL = "array "
"""What the names of arrays begin with that atoms may have or not."""


def write_restart_file(path: str | Path, state: Mapping[str, Any]) -> None:
    """Write arrays beside their place and rename them into it.

    Raises
    ------
    OSError
        Naming the file, if it cannot be written.
    """
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez(file, **state)


def read_restart_file(path: str | Path) -> dict[str, NDArray[Any]]:
    """The arrays of a restart file; nothing in it is executed.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or something else.
    """
    try:
        with np.load(path) as file:
            return dict(file)
    except FileNotFoundError:
        raise
    except (
        *(ValueError, TypeError, OSError, EOFError, KeyError, NotImplementedError),
        *(zipfile.BadZipFile, zlib.error),
    ) as error:
        raise ValueError(f"{path} is not a restart file") from error


def require_like(path: str | Path, saved: Arrays, own: Arrays, free: frozenset[str]) -> None:
    """Compare the kinds of saved arrays with those that a driver has now.

    Parameters
    ----------
    path : str or Path
    saved, own : mappings of arrays by name
    free : frozenset of str
        Names whose length may differ.

    Raises
    ------
    KeyError
        Naming what is missing.
    ValueError
        Naming an array of another type or shape, or that is not finite where the driver's is.
    """
    for name, mine in own.items():
        if name not in saved and OPTIONAL in name:
            continue
        here, there = np.asarray(mine), saved[name]
        same = here.dtype == there.dtype or here.dtype.kind == there.dtype.kind == "U"
        if not same:
            raise ValueError(f"{path}: {name} is of type {there.dtype}, not {here.dtype}")
        shapes = [a.shape[1:] if name in free else a.shape for a in (here, there)]
        if here.ndim != there.ndim or shapes[0] != shapes[1]:
            raise ValueError(f"{path}: {name} has shape {there.shape}, not {here.shape}")
        if here.dtype.kind == "f" and np.isfinite(here).all() and not np.isfinite(there).all():
            raise ValueError(f"{path}: {name} is not finite")
        if name.endswith("rng_state") and not there.any(axis=-1).all():
            raise ValueError(f"{path}: {name} is no state of a random generator")


def whole_of(path: str | Path, saved: Arrays, name: str) -> int:
    """A count from a restart file.

    Raises
    ------
    KeyError, ValueError
        If it is missing, or no whole number of at least 0.
    """
    value = saved[name]
    if value.shape != () or value.dtype.kind not in "iu" or value < 0:
        raise ValueError(f"{path}: {name} must be a whole number of 0 or more")
    return int(value)


def require_indices(path: str | Path, name: str, indices: ArrayLike, below: int) -> None:
    """Refuse indices out of range, or twice the same.

    Raises
    ------
    ValueError
    """
    given = np.asarray(indices)
    if np.any((given < 0) | (given >= below)) or len(np.unique(given)) < given.size:
        raise ValueError(f"{path}: {name} must be different numbers from 0 to {below - 1}")


def require_generator(path: str | Path, saved: Arrays) -> None:
    """Refuse a text that is no state of numpy's default generator.

    Raises
    ------
    ValueError
    """
    try:
        np.random.default_rng().bit_generator.state = json.loads(str(saved["generator"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: generator is no state of a random generator") from error
