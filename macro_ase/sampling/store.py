"""What a study computes, chunk by chunk, on disk (zarr).

A chunk is a group of arrays under a key, with the shape, type and SHA-256 of every array. It is
written beside its place and renamed into it, so it is there whole or not at all. An array is read
when it is asked for, and checked then; zarr itself reads a lost file as zeros. Axes are named and
arrays say what they are (`meanings`): ``xarray.open_zarr(store, group=key, consolidated=False)``.

Chunks of earlier versions carry no checksums. They count where every file of their arrays is
there; a block of zeros, which zarr does not write, looks like a lost file and is computed again.
"""

from __future__ import annotations

import os
import shutil
import socket
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import MemoryStore

from ..arrays import Chunk
from ..files import naming
from .meanings import ARRAYS, axes_of, stage_of

BESIDE = ".unfinished"


class Store:
    """Chunks of arrays in a folder.

    Parameters
    ----------
    path : str or Path
        Made if it does not exist.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, path: str | Path) -> None:
        self.path, self._groups = Path(path), set[Path]()
        with naming(path):
            self.path.mkdir(parents=True, exist_ok=True)
            _open_group(self.path)

    def has(self, key: str) -> bool:
        """Whether a chunk is there, finished and whole."""
        try:
            dict(self.read(key))
        except KeyError:
            return False
        except ValueError as error:
            warnings.warn(f"{error}; it is computed again", stacklevel=2)
            return False
        return True

    def holds(self, key: str) -> bool:
        """Whether there is a chunk, without reading it."""
        return (self.path / key / "zarr.json").is_file()

    def keys(self) -> list[str]:
        """Of all finished chunks, in order; none is read."""
        files = (file for file in self.path.rglob("zarr.json") if BESIDE not in file.parts)
        found = [file.parent for file in files if b'"finished": true' in file.read_bytes()]
        return sorted(folder.relative_to(self.path).as_posix() for folder in found)

    def discard(self, key: str) -> None:
        """Remove a chunk."""
        shutil.rmtree(self.path / key, ignore_errors=True)

    def write(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a chunk, in place of what is there under its key.

        Raises
        ------
        OSError
            Naming the chunk, if the disk is full.
        """
        place = self.path / key
        beside = (
            self.path / BESIDE / f"{key.replace('/', ' ')}.{socket.gethostname()}-{os.getpid()}"
        )
        shutil.rmtree(beside, ignore_errors=True)
        try:
            with naming(place):
                _write_group(beside, arrays, stage_of(key))
                self._put(beside, place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            with suppress(OSError):
                beside.parent.rmdir()

    def read(self, key: str) -> Chunk:
        """The arrays of a finished chunk, each read when it is first asked for.

        Raises
        ------
        KeyError
            If it is not there or not finished.
        ValueError
            Naming what is lost or damaged; of an array, when it is asked for.
        """
        place = self.path / key
        try:
            group = zarr.open_group(str(place), mode="r")
        except (FileNotFoundError, zarr.errors.ContainsArrayError):
            raise KeyError(f"no finished chunk {key!r}") from None
        except Exception as error:  # zarr and its codecs raise many kinds
            raise _damaged(place, error) from error
        if not group.attrs.get("finished", False):
            raise KeyError(f"no finished chunk {key!r}")
        if "arrays" not in group.attrs:
            warnings.warn(
                f"{self.path} was written by an earlier version, without checksums: "
                "what is finished is read as it is",
                stacklevel=2,
            )
        return _KeptArrays(place, group)

    def discard_unfinished(self) -> None:
        """Remove what a killed process left half-written; for the only writer there is."""
        shutil.rmtree(self.path / BESIDE, ignore_errors=True)

    def _make_group(self, path: Path) -> None:
        """Make a folder a group, unless this store has seen to it and the file is there."""
        if path not in self._groups or not (path / "zarr.json").is_file():
            path.mkdir(exist_ok=True)
            _open_group(path)
            self._groups.add(path)

    def _put(self, beside: Path, place: Path) -> None:
        """Rename a whole chunk into its place."""
        for parent in reversed(place.parents):
            if parent.is_relative_to(self.path):
                self._make_group(parent)
        if place.exists():  # damaged, or another task was quicker: then the same
            old = beside.with_name(f"{beside.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            place.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        beside.rename(place)


class _KeptArrays(Mapping[str, NDArray[Any]]):
    """Arrays of a chunk on the disk."""

    def __init__(self, place: Path, group: zarr.Group) -> None:
        self._place, self._group, self._found = place, group, dict[str, NDArray[Any]]()
        known: Any = group.attrs.get("arrays")
        self._entries = dict.fromkeys(group.array_keys()) if known is None else known

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._found:
            entry = self._entries[name]
            try:
                self._found[name] = _verified(self._group, name, entry)
            except Exception as error:
                raise _damaged(self._place, error) from error
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Chunks(Mapping[str, Chunk]):
    """Finished chunks by key, each read from the disk when it is asked for.

    Parameters
    ----------
    store : Store
    keys : sequence of str
    """

    def __init__(self, store: Store, keys: Sequence[str]) -> None:
        self._store, self._keys = store, dict.fromkeys(keys)

    def __getitem__(self, key: str) -> Chunk:
        if key not in self._keys:
            raise KeyError(key)
        return self._store.read(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _open_group(path: Path) -> None:
    """Make a folder a zarr group, also where the file that says so is damaged."""
    try:
        zarr.open_group(str(path), mode="a")
    except OSError:
        raise
    except Exception:  # zarr raises many kinds
        (path / "zarr.json").unlink(missing_ok=True)
        zarr.open_group(str(path), mode="a")


def _write_group(path: Path, arrays: Mapping[str, NDArray[Any]], what: str) -> None:
    """Write a finished group; zarr makes its files in memory, where it is quicker."""
    made = {n: np.ascontiguousarray(each).reshape(np.shape(each)) for n, each in arrays.items()}
    entries = {name: _entry(array) for name, array in made.items()}
    files: dict[str, Any] = {}
    attributes: Any = {"title": what, "arrays": entries, "finished": True}
    group = zarr.open_group(MemoryStore(files), mode="w", attributes=attributes)
    for name, axes in axes_of(made).items():
        meaning: Any = {"long_name": ARRAYS[name].text} if name in ARRAYS else {}
        group.create_array(name, data=made[name], dimension_names=axes, attributes=meaning)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content.to_bytes())


def _entry(array: NDArray[Any]) -> dict[str, Any]:
    """What must be the same when an array is read again."""
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.str,
        "sha256": sha256(np.ascontiguousarray(array).data).hexdigest(),
    }


def _verified(group: zarr.Group, name: str, entry: Any) -> NDArray[Any]:
    """An array of a group; its entry is None in a chunk of an earlier version.

    Raises
    ------
    ValueError
        If it is not as it was written.
    """
    array: Any = group[name]
    if entry is None and array.nchunks_initialized < array.nchunks:
        raise ValueError(f"its array {name!r} has no checksum and lacks files")
    found = np.asarray(array[...])
    if entry is not None and _entry(found) != entry:
        raise ValueError(f"its array {name!r} is not as it was written")
    return found


def _damaged(place: Path, error: Exception) -> ValueError:
    return ValueError(f"{place} is damaged: {_line(error)}")


def _line(error: Exception) -> str:
    """What an error of zarr says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
