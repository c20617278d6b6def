"""Files that ship with the package: interatomic potentials and barrier models."""

from __future__ import annotations

from pathlib import Path

from ..reasons import absent

_INSTALLED = Path(__file__).parent.parent / "_potentials"
_CLONE = Path(__file__).parent.parent.parent / "potentials"


def path(name: str) -> Path:
    """Path of a shipped file, in an installed package or in a clone.

    Raises
    ------
    FileNotFoundError
        If nothing of that name ships; the message names what does.
    """
    file = _folder() / name
    if not file.is_file():
        raise FileNotFoundError(f"no potential {name!r} ships; there are {', '.join(names())}")
    return file


def given_or_shipped(name: str) -> Path:
    """A file as it is given, else one that ships.

    Raises
    ------
    FileNotFoundError
        If it is neither; the message names what is near it and what ships.
    """
    file = Path(name).expanduser()
    if file.is_file():
        return file
    try:
        return path(name)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{absent(name)}, and {error}") from None


def names() -> list[str]:
    """Names of the files that ship, in alphabetical order."""
    return sorted(p.name for p in _folder().glob("*") if p.suffix != ".md")


def _folder() -> Path:
    return _INSTALLED if _INSTALLED.is_dir() else _CLONE
