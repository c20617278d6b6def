"""The folder of a run: what lies in it, and when it may be used again."""

from __future__ import annotations

import json
import math
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .config import dump_toml

CONTENT = (
    "config.toml",
    "data.zarr",
    "model",
    "figures",
    "metrics.json",
    "results.json",
    "report.html",
)
PACKAGES = ("macro-ase", "numpy", "scipy", "numba", "ase", "zarr", "torch")


def prepare(folder: Path, config: dict[str, Any], overwrite: bool) -> None:
    """Make a run folder, or take up one of the same settings where it was.

    The number of workers may differ: results do not depend on it.

    Raises
    ------
    FileExistsError
        If the folder holds anything else and ``overwrite`` is false; with it, an earlier
        run's files are removed, and nothing else.
    """
    text = dump_toml(config)
    entries = list(folder.iterdir()) if folder.is_dir() else []
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, not a folder")
    if entries:
        present = folder / "config.toml"
        same = present.is_file() and _apart_from_workers(present.read_text()) == (
            _apart_from_workers(text)
        )
        if not same and not overwrite:
            raise FileExistsError(
                f"{folder} is not empty and holds no run with these settings; "
                "choose another --out or give --overwrite"
            )
        if overwrite:
            _clear(folder)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)


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
    path.write_text(json.dumps(_plain(data), indent=1) + "\n")


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
