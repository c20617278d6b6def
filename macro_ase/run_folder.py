"""The folder of a run: what lies in it, and when it may be used again."""

from __future__ import annotations

import json
import math
import platform
import shutil
import tomllib
import warnings
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import __version__
from .barriers.shipped import barrier_file
from .claims import NAME as CLAIMS
from .config import flatten
from .files import write_atomically
from .folder_lock import NAME as LOCK
from .potentials.shipped import given_or_shipped
from .structure_files import split_index
from .toml_text import dump_toml

QUICK = "quick form"
INPUT_FILES = ("structure", "barriers", "potential")
"""Settings of the table ``system`` that name files."""
CONTENT = (
    "config.toml",
    "inputs.json",
    "data.zarr",
    "model",
    "figures",
    "metrics.json",
    "results.json",
    "report.html",
    "run.log",
    "costs.jsonl",
)
PACKAGES = ("macro-ase", "numpy", "scipy", "numba", "ase", "zarr", "torch")


def prepare(
    folder: Path,
    config: dict[str, Any],
    overwrite: bool,
    inputs: Iterable[Path] = (),
    quick: bool = False,
) -> None:
    """Make a run folder, or take up one of the same settings and inputs where it was.

    ``inputs`` are further files on which results depend, such as a system's source. The number of
    workers may differ: results do not depend on it. The files that settings
    name, and the version of the package, must be the same. A lost or damaged ``config.toml`` is
    written again where ``inputs.json`` tells that it was the same.

    Raises
    ------
    FileExistsError
        If the folder holds anything else and ``overwrite`` is false; with it, an earlier
        run's files are removed, and nothing else.
    ValueError
        Naming a damaged file without which it cannot be known whether the run is the same.
    """
    text, record = dump_toml(config), _fingerprints(config, inputs)
    record["settings"] = _digest(text)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, not a folder")
    if overwrite:
        _clear(folder)
    elif folder.is_dir() and any(path.name not in (LOCK, CLAIMS) for path in folder.iterdir()):
        _refuse_another(folder, text, record)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    write_json(folder / "inputs.json", record | {QUICK: quick})
    write_atomically(folder / "config.toml", text)


def was_quick(folder: Path) -> bool:
    """Whether the run in a folder is a quick form."""
    return bool((_read_record(folder / "inputs.json") or {}).get(QUICK, False))


def _fingerprints(config: dict[str, Any], inputs: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of the files that settings name or that are given, and the package's version."""
    named = {key: config.get("system", {}).get(key) for key in INPUT_FILES}
    files = {
        str(name): sha256(_input_file(key, name).read_bytes()).hexdigest()
        for key, name in named.items()
        if name
    }
    files |= {str(file): sha256(file.read_bytes()).hexdigest() for file in inputs}
    return files | {"macro-ase": __version__}


def _input_file(key: str, name: str) -> Path:
    """The file that a setting names, which may ship; of a structure it may be one frame."""
    if key == "potential":
        return given_or_shipped(name)
    return barrier_file(name) if key == "barriers" else split_index(name)[0]


def _digest(text: str) -> str:
    """SHA-256 of settings apart from workers."""
    lines = (line for line in text.splitlines() if not line.startswith("workers ="))
    return sha256("\n".join(lines).encode()).hexdigest()


def _refuse_another(folder: Path, text: str, record: dict[str, str]) -> None:
    """Raise unless the folder holds a run of these settings and inputs."""
    settings, inputs = folder / "config.toml", folder / "inputs.json"
    found_text, found = _read_settings(settings), _read_record(inputs)
    if found_text is None and found is None:
        raise FileExistsError(f"{folder} is not empty and holds no run; choose another --out")
    was = found.pop("settings", None) if found else None
    if found:
        found.pop(QUICK, None)
    changed = []
    if found_text is not None:
        changed += _first_change(found_text, text)
    elif was is None:
        _ask(settings, "its settings are those given now")
    elif was != record["settings"]:
        changed.append("settings")
    if found is None:
        _ask(inputs, "the files that the settings name, and macro-ase, are as they were")
    else:
        names = {**found, **record}
        changed += [n for n in names if n != "settings" and found.get(n) != record.get(n)]
    if changed:
        raise FileExistsError(
            f"{folder} is not empty and holds no run with these settings, inputs and version "
            f"(changed: {', '.join(changed)}); choose another --out or give --overwrite, "
            "which deletes that run"
        )


def _ask(file: Path, what: str) -> None:
    """Of a file that cannot be compared: take a lost one as the user's answer, name a damaged one.

    Raises
    ------
    ValueError
    """
    if file.exists():
        raise ValueError(f"{file} is damaged: if {what}, remove it and run again to go on")
    warnings.warn(f"{file} is not there: taken that {what}", stacklevel=4)


def _first_change(before: str, after: str) -> list[str]:
    """The first setting of another value, with its former one; how it is written does not count."""
    old, new = (flatten(tomllib.loads(text)) for text in (before, after))
    keys = [k for k in {**new, **old} if k != "workers" and old.get(k) != new.get(k)]
    return [f"{k} was {old.get(k)!r}, now {new.get(k)!r}" for k in keys[:1]]


def _read_settings(file: Path) -> str | None:
    """None if the file is lost, empty or no TOML."""
    try:
        text = file.read_text(encoding="utf-8")
        return text if tomllib.loads(text) else None
    except (FileNotFoundError, ValueError):
        return None


def _read_record(file: Path) -> dict[str, str] | None:
    """None if the file is lost or damaged."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return record if isinstance(record, dict) and "macro-ase" in record else None


def _clear(folder: Path) -> None:
    for name in CONTENT:
        entry = folder / name
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_json(path: Path, data: Any) -> None:
    """Write JSON, with null for what is not finite."""
    write_atomically(path, json.dumps(_plain(data), indent=1) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
