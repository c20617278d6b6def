"""Text in and out of files, packed (gzip, bzip2, xz) or not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...files import write_atomically
from ...reasons import absent

BY_FIRST_BYTES: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
ZSTANDARD = b"\x28\xb5\x2f\xfd"


def read_text(file: str | Path, limit: int = -1) -> str:
    """Text of a file; its first bytes tell how it is packed.

    Parameters
    ----------
    file : str or Path
    limit : int
        Bytes of text at most; default: all.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be unpacked, or is no text.
    """
    path = Path(file)
    if not path.is_file():
        raise FileNotFoundError(absent(file))
    with path.open("rb") as raw:
        first = raw.read(6)
    if first.startswith(ZSTANDARD):
        raise ValueError(f"{file} is packed by zstd: unpack it first")
    unpack = next((u for start, u in BY_FIRST_BYTES.items() if first.startswith(start)), open)
    try:
        with unpack(path, "rb") as stream:
            content: bytes = stream.read(limit)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise ValueError(f"{file} cannot be unpacked: {error}") from error
    if b"\0" in content:
        raise ValueError(f"{file} is binary, not text")
    return content.decode("utf-8", errors="replace")


def write_text(file: str | Path, text: str) -> None:
    """Write text in UTF-8, packed as the ending of the name says, whole or not at all."""
    pack = PACKERS.get(Path(file).suffix, bytes)
    write_atomically(file, pack(text.encode()))
