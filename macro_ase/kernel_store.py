"""Folders in which machine code is kept: read in any state, written whole or not at all.

Code is looked for in ``NUMBA_CACHE_DIR`` where that is set, else beside the package, then in the
user's cache folder and in a temporary one of this user alone. Who can write there can run code
here, as with any Python file.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import shutil
import stat
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numba as nb
from numba.misc.appdirs import AppDirs

NAME = "macro_ase-kernels"
SETTINGS: Any = nb.config
KEPT_UNUSED = 60 * 86400.0
PROBE = f"probe-{os.getpid()}"


class KernelStore:
    """Files with a checksum, in the first of some folders that takes them.

    Parameters
    ----------
    version : str
        What all files depend on; part of the folders' names.
    package : Path or None
        Folder of the package; None where it is none, such as in a zip file.
    """

    def __init__(self, version: str, package: Path | None) -> None:
        self.folders = list(_candidates(version, package))
        self._asked = bool(SETTINGS.CACHE_DIR)
        for folder in self.folders:
            with suppress(OSError):
                os.utime(folder)

    def read(self, file: str) -> bytes | None:
        """Content of a file; None where there is none, or it is damaged, which is said."""
        for folder in self.folders:
            with suppress(OSError):
                _must_be_own(folder)
                data = (folder / file).read_bytes()
                if data[:32] == hashlib.sha256(data[32:]).digest():
                    return data[32:]
                _warn(f"damaged files in {folder} are written anew")
        return None

    def place(self) -> Path | None:
        """The folder that code is kept in: the first that takes a file; None if none does."""
        for folder in self.folders:
            with suppress(OSError):
                _write(folder, PROBE, b"")
                (folder / PROBE).unlink()
                return folder
        return None

    def write(self, file: str, content: bytes) -> None:
        """Keep a file; a folder that does not take it is tried no more."""
        failures = []
        while self.folders:
            try:
                _write(self.folders[0], file, hashlib.sha256(content).digest() + content)
                break
            except OSError as error:
                failures.append(f"{self.folders.pop(0)} ({error.strerror})")
        if failures and (self._asked or len(self.folders) < 2):
            now = f"kept in {self.folders[0]}" if self.folders else "compiled by each process anew"
            _warn(
                f"compiled functions cannot be kept in {', '.join(failures)}: they are {now}; "
                "NUMBA_CACHE_DIR may name another folder"
            )


@cache
def _warn(message: str) -> None:
    """Say something once: numba makes Python forget which warnings it has shown."""
    warnings.warn(message, stacklevel=3)


def _candidates(version: str, package: Path | None) -> Iterator[Path]:
    """Folders to look in, best first. One that was asked for is the only one if it serves."""
    leaf = f"{NAME}-{version}"
    if SETTINGS.CACHE_DIR:
        asked = Path(SETTINGS.CACHE_DIR).absolute() / leaf
        yield asked
        with suppress(OSError):
            asked.mkdir(parents=True, exist_ok=True)
            if os.access(asked, os.W_OK | os.X_OK):
                return
    elif package is not None:
        yield package / "__pycache__" / leaf
    user = Path(AppDirs("macro_ase", appauthor=False).user_cache_dir)
    if user.is_absolute():
        yield user / leaf
    with suppress(OSError, KeyError, ImportError):
        yield Path(tempfile.gettempdir()).absolute() / f"{NAME}-of-{getpass.getuser()}-{version}"


def _is_temporary(folder: Path) -> bool:
    return folder.name.startswith(f"{NAME}-of-")


def _must_be_own(folder: Path) -> None:
    """A temporary folder in which others can write is refused: what lies there is run."""
    if _is_temporary(folder) and hasattr(os, "getuid"):
        state = folder.lstat()
        own = stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid()
        if not own or state.st_mode & 0o022:
            raise PermissionError(13, "others can write there")


def _write(folder: Path, file: str, data: bytes) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700 if _is_temporary(folder) else 0o777, parents=True, exist_ok=True)
        _remove_unused(folder)
    _must_be_own(folder)
    part = folder / f"{file}.{uuid4().hex[:12]}.part"
    try:
        part.write_bytes(data)
        part.replace(folder / file)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _remove_unused(beside: Path) -> None:
    """Folders of other versions that no process has opened for 60 days."""
    for folder in beside.parent.glob(f"{NAME}-*"):
        with suppress(OSError):
            if folder != beside and time.time() - folder.stat().st_mtime > KEPT_UNUSED:
                shutil.rmtree(folder, ignore_errors=True)
