"""Barrier models that ship, by name: ``NbMoTa`` is the file ``NbMoTa-kra.json``."""

from __future__ import annotations

from pathlib import Path

from ..potentials.shipped import names
from ..potentials.shipped import path as potential_path

DEFAULT_MODEL = "NbMoTa"
ENDING = "-kra.json"


def barrier_file(model: str | Path | None = None) -> Path:
    """The file of a barrier model.

    Parameters
    ----------
    model : str or Path, optional
        A file, else the name of a model that ships, such as ``NbMoTaW``; default ``NbMoTa``.

    Raises
    ------
    FileNotFoundError
        If it is neither; the message names what ships.
    """
    name = DEFAULT_MODEL if model is None else model
    if model is not None and Path(name).is_file():
        return Path(name)
    shipped = [file.removesuffix(ENDING) for file in names() if file.endswith(ENDING)]
    if str(name) not in shipped:
        raise FileNotFoundError(
            f"no such file: {name}; barrier models that ship are {', '.join(shipped)}"
        )
    return potential_path(f"{name}{ENDING}")
