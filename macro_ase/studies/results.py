"""What every study leaves in its folder: metrics.json and results.json, as `report` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..report.write import write_files
from .stages import Stages


def metric(
    value: Any, error: Any = None, truth: Any = None, floor: Any = None, unit: str = ""
) -> dict[str, Any]:
    """A number with its error, the truth, and the floor that noise alone would give."""
    numbers = (None if x is None else float(x) for x in (value, error, truth, floor))
    return dict(zip(("value", "error", "truth", "floor"), numbers)) | {"unit": unit}


def check(name: str, passed: bool | None, value: str, allowed: str, text: str) -> dict[str, Any]:
    """An assumption that was measured; ``passed`` is None where it only informs."""
    return {"name": name, "passed": passed, "value": value, "allowed": allowed, "text": text}


def write_findings(
    folder: Path,
    config: dict[str, Any],
    stages: Stages,
    metrics: dict[str, dict[str, Any]],
    results: dict[str, Any],
) -> None:
    """Write both JSON files; the title of the study is added to ``results``."""
    write_files(folder, config, stages.seconds, stages.wall_s, {"metrics": metrics}, results)
