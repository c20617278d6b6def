"""Which studies there are: those that ship, installed packages' own, and systems of a person's.

A package names its study in the entry points of the group ``macro_ase.studies``; the object is a
study class with a ``preset``, the path of its TOML file, or a `systems.base.System` class. Settings
with ``system.class = "module:Class"`` need no registration: the module is looked for beside the
settings, where the command is given, and among what is installed.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ..config import GROUP, Config
from ..systems.base import System

HOMES = {
    "vacancy-alloy": "alloys.study:AlloyStudy",
    "swap-alloy": "alloys.study:AlloyStudy",
    "swap-calculator": "alloys.study:AlloyStudy",
    "curie-weiss": "spins.study:SpinStudy",
    "ising": "spins.study:SpinStudy",
    "predator-prey": "fields.study:FieldStudy",
    "allen-cahn": "fields.study:FieldStudy",
    "predator-prey-forces": "forces.study:ForcesStudy",
    "allen-cahn-forces": "forces.study:ForcesStudy",
    "ising-critical": "critical.study:CriticalIsingStudy",
    "lennard-jones-forces": "forces.study:ForcesStudy",
    "lennard-jones-saving": "forces.study:SavingStudy",
    "vacancy-alloy-compositions": "compositions.study:CompositionStudy",
    "own": "own.study:OwnStudy",
}
"""Where the studies that ship live, by the setting ``system.model``."""


def study_class(model: str) -> Any:
    """The class of a study by the setting ``system.model``; ValueError if there is none."""
    if model in HOMES:
        module, name = HOMES[model].split(":")
        return getattr(importlib.import_module(f".{module}", __package__), name)
    found = _entry(model)
    if found is None:
        names = ", ".join([*HOMES, *(entry.name for entry in entry_points(group=GROUP))])
        raise ValueError(f"system.model must be one of {names}, not {model!r}")
    return found.load()


def study_of(config: Config) -> Any:
    """The study of settings.

    Raises
    ------
    ValueError, FileNotFoundError
        As its class, of settings that make no sense.
    """
    return study_class(config.get("system", {}).get("model", ""))(config)


def system_class(spec: str, beside: Path | None = None) -> type[System]:
    """The class that ``module:Class``, a path of a file before the colon, or an entry point names.

    A folder ``beside`` is looked in first. ValueError, in one line, if it cannot be imported or is
    no system.
    """
    if ":" not in spec:
        entry = _entry(spec)
        if entry is None:
            raise ValueError(
                f'system.class must be "module:Class" or a name in the entry points {GROUP}, '
                f"not {spec!r}"
            )
        found = entry.load()
    else:
        found = _imported(spec, beside)
    if not (inspect.isclass(found) and issubclass(found, System)):
        raise ValueError(f"system.class = {spec!r} is no system: it must derive from System")
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        raise ValueError(f"system.class = {spec!r} lacks {', '.join(missing)}")
    return found


def _imported(spec: str, beside: Path | None) -> Any:
    module, _, name = spec.rpartition(":")
    file = Path(module)
    if file.suffix == ".py":
        beside, module = (beside or Path()) / file.parent, file.stem
    _look_in(beside or Path())
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise ValueError(f"system.class = {spec!r}: {error}") from error


def _look_in(folder: Path) -> None:
    """Let modules of a folder be imported; it stays on the path, for workers and pickles."""
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.insert(0, place)
    importlib.invalidate_caches()


def source_of(system: type[System]) -> Path | None:
    """The file in which a system is written, if there is one."""
    try:
        return Path(inspect.getfile(system))
    except (TypeError, OSError):
        return None


def _entry(name: str) -> EntryPoint | None:
    return next((e for e in entry_points(group=GROUP) if e.name == name), None)
