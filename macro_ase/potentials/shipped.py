"""Files that ship with the package: interatomic potentials and barrier models."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent.parent / "_potentials"
_CLONE = Path(__file__).parent.parent.parent / "potentials"


def path(name: str) -> Path:
    """Path of a shipped file, in an installed package or in a clone.

    Raises
    ------
    FileNotFoundError
        If nothing of that name ships; the message names what does.
    """
    folder = _INSTALLED if _INSTALLED.is_dir() else _CLONE
    file = folder / name
    if not file.is_file():
        known = sorted(p.name for p in folder.glob("*") if p.suffix != ".md")
        raise FileNotFoundError(f"no potential {name!r} ships; there are {', '.join(known)}")
    return file
