"""The folder of a run: what lies in it, and when it may be used again."""

from __future__ import annotations

import json
import math
import platform
import shutil
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import __version__
from .config import dump_toml
from .files import write_atomically
from .structure_files import split_index

CONTENT = (
    "config.toml",
    "inputs.json",
    "data.zarr",
    "model",
    "figures",
    "metrics.json",
    "results.json",
    "report.html",
)
PACKAGES = ("macro-ase", "numpy", "scipy", "numba", "ase", "zarr", "torch")


def prepare(folder: Path, config: dict[str, Any], overwrite: bool) -> None:
    """Make a run folder, or take up one of the same settings and inputs where it was.

    The number of workers may differ: results do not depend on it. The files that settings
    name, and the version of the package, must be the same.

    Raises
    ------
    FileExistsError
        If the folder holds anything else and ``overwrite`` is false; with it, an earlier
        run's files are removed, and nothing else.
    """
    text = dump_toml(config)
    inputs = _fingerprints(config)
    entries = list(folder.iterdir()) if folder.is_dir() else []
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, not a folder")
    if entries:
        present = folder / "config.toml"
        same = present.is_file() and _apart_from_workers(present.read_text()) == (
            _apart_from_workers(text)
        )
        same = same and _read_inputs(folder) == inputs
        if not same and not overwrite:
            raise FileExistsError(
                f"{folder} is not empty and holds no run with these settings, inputs and version; "
                "choose another --out or give --overwrite"
            )
        if overwrite:
            _clear(folder)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)
    write_json(folder / "inputs.json", inputs)


def _fingerprints(config: dict[str, Any]) -> dict[str, str]:
    """SHA-256 of the files that settings name, and the version of the package."""
    system = config.get("system", {})
    files = {
        str(name): sha256(split_index(name)[0].read_bytes()).hexdigest()
        for name in (system.get(key) for key in ("structure", "barriers", "potential"))
        if name
    }
    return files | {"macro-ase": __version__}


def _read_inputs(folder: Path) -> dict[str, str]:
    file = folder / "inputs.json"
    return json.loads(file.read_text()) if file.is_file() else {}


def _apart_from_workers(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("workers =")]


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
