"""A file that a long command will write, checked before the work."""

from __future__ import annotations

import os
from pathlib import Path


def require_writable(file: Path, ending: str, what: str) -> None:
    """Refuse a file that could not be written.

    Parameters
    ----------
    file : Path
    ending : str
        Of its name.
    what : str
        For the message, such as "an EAM table".

    Raises
    ------
    FileNotFoundError
        If its folder is missing, or it is a folder itself.
    ValueError
        If its name ends otherwise, or it may not be written.
    """
    if file.is_dir() or not file.parent.is_dir():
        raise FileNotFoundError(f"cannot write a file {file}: is its folder there?")
    if not file.name.endswith(ending):
        raise ValueError(f"{file}: {what} ends in {ending}")
    places = (file.parent, file) if file.exists() else (file.parent,)
    if not all(os.access(place, os.W_OK) for place in places):
        raise ValueError(f"{file} cannot be written")
