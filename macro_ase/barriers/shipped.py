"""Barrier models that ship, by name: ``NbMoTa`` is the file ``NbMoTa-kra.json``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..potentials.shipped import names
from ..potentials.shipped import path as potential_path
from ..reasons import absent

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
    if str(name) not in models_of(()):
        raise FileNotFoundError(
            f"{absent(name)}; barrier models that ship are {', '.join(models_of(()))}"
        )
    return potential_path(f"{name}{ENDING}")


def models_of(species: Iterable[str]) -> list[str]:
    """Names of the models that ship and know all these species."""
    shipped = [file.removesuffix(ENDING) for file in names() if file.endswith(ENDING)]
    return [name for name in shipped if {*species} <= {*re.findall("[A-Z][a-z]?", name)}]


def said_of(species: Iterable[str]) -> str:
    """Which models know these species, in words of whoever gave a model that does not."""
    found = models_of(species)
    if found:
        return f"barrier models that ship and know all: {', '.join(found)}"
    return "no barrier model that ships knows all: macro-ase fit-barriers makes one"
