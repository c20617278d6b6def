"""What every study leaves in its folder: metrics.json and results.json, as `report` reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..run_folder import versions, write_json
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
    head = {
        "study": config["study"],
        "versions": versions(),
        "seed": config["seed"],
        "wall_s": round(stages.wall_s, 1),
        "stages": stages.seconds,
        "metrics": metrics,
    }
    write_json(folder / "metrics.json", _with_earlier_times(folder / "metrics.json", head))
    write_json(folder / "results.json", {"title": config["title"]} | results)


def _with_earlier_times(file: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """Times of the session that did the work, when a finished run is taken up again."""
    try:
        earlier = json.loads(file.read_text(encoding="utf-8"))
        stages = {k: max(v, earlier["stages"].get(k, 0.0)) for k, v in metrics["stages"].items()}
        return metrics | {"stages": stages, "wall_s": max(metrics["wall_s"], earlier["wall_s"])}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return metrics  # there are none, or the file is damaged and now written again
