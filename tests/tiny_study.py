"""A study of a second or two, and what of its folder must not depend on how it was computed."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from macro_ase.config import load_config

TINY = (
    "system.side=16",
    "sampling.patches=[8]",
    "sampling.starts=256",
    "learning.members=2",
    "learning.epochs=4",
    "direct.runs=8",
    "direct.few_runs=4",
    "direct.steps=10",
    "scan.states=128",
)


def tiny(*more: str) -> dict[str, Any]:
    """Settings of the Curie-Weiss study."""
    return load_config("curie-weiss", False, (*TINY, *more), workers=1)


def kept(folder: Path) -> dict[str, str]:
    """Digests of all files of the store and of the models."""
    files = [p for name in ("data.zarr", "model") for p in (folder / name).rglob("*")]
    return {
        str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in files if p.is_file()
    }


def metrics(folder: Path) -> dict[str, Any]:
    """The numbers of a finished run."""
    return json.loads((folder / "metrics.json").read_text())["metrics"]
