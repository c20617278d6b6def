"""What a study computes, chunk by chunk, on disk (zarr).

A chunk is a group of arrays under a key. It counts only once it is marked as finished,
which is the last thing written, so an interrupted run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray


class Store:
    """Chunks of arrays in a folder.

    Parameters
    ----------
    path : str or Path
        Made if it does not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self._root = zarr.open_group(str(path), mode="a")

    def has(self, key: str) -> bool:
        """Whether a chunk is there and finished."""
        return key in self._root and bool(self._root[key].attrs.get("finished", False))

    def write(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a chunk, replacing an unfinished one."""
        group = self._root.create_group(key, overwrite=True)
        for name, array in arrays.items():
            group.create_array(name, data=np.ascontiguousarray(array))
        group.attrs["finished"] = True

    def read(self, key: str) -> dict[str, NDArray[Any]]:
        """The arrays of a finished chunk.

        Raises
        ------
        KeyError
            If it is not there or not finished.
        """
        if not self.has(key):
            raise KeyError(f"no finished chunk {key!r}")
        group = self._root[key]
        assert isinstance(group, zarr.Group)
        return {name: np.asarray(array[...]) for name, array in group.arrays()}
