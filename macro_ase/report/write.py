"""The files of a finished run: metrics.json, results.json and the figures.

    metrics.json  {"study", "versions": {name: version}, "seed", "wall_s",
                   "stages": {name: seconds}, "cost": {stage: CPU seconds},
                   "checks": {verdict: how many},
                   "metrics": {name: {"value", "error", "truth", "floor", "unit"}}}
    results.json  {"title", "summary": [paragraph],
                   "checks": [{"name", "verdict", "value", "allowed", "text"}],
                   "sections": [{"title", "text", "tables": [table],
                                 "figures": [{"file": "figures/x.png", "caption"}]}],
                   "baselines": table, "cost": {"table", "sentence"}, "command": str}
    table         {"caption", "columns": [str], "rows": [[cell]]}

Absent parts are null or left out; the page is made of these files alone. Runs of earlier versions
have "passed" (true, false or null) in place of a "verdict".
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ..run_folder import versions, write_json
from .parts import Check, Figure, Report, Value


def write_findings(
    folder: Path,
    config: dict[str, Any],
    report: Report,
    seconds: dict[str, float],
    wall_s: float,
    cpu_s: dict[str, float] | None = None,
) -> None:
    """Draw the figures and write both JSON files into a run folder.

    Parameters
    ----------
    folder : Path
    config : dict
        The settings, with the title, the study and the seed.
    report : Report
    seconds, wall_s : dict, float
        How long each stage took, and all.
    cpu_s : dict, optional
        CPU seconds by stage.
    """
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for figure in (figure for section in report.sections for figure in section.figures):
        figure.draw(folder / "figures" / figure.file)
    results = _plain(report)
    metrics = {
        "study": config["study"],
        "versions": versions(),
        "seed": config["seed"],
        "wall_s": round(wall_s, 1),
        "stages": seconds,
        "cost": cpu_s or {},
        "checks": dict(Counter(check.verdict for check in report.checks)),
        "metrics": results.pop("metrics"),
    }
    file = folder / "metrics.json"
    write_json(file, _with_earlier_times(file, metrics))
    write_json(folder / "results.json", {"title": config["title"]} | results)


def _plain(part: Any) -> Any:
    """What the files hold of a part, or of any number of them."""
    if isinstance(part, Value):
        return str(part)
    if isinstance(part, Figure):
        return {"file": f"figures/{part.file}", "caption": part.caption}
    if isinstance(part, Check):
        own = {"name": part.name, "verdict": part.verdict, "value": part.shown}
        return own | {"allowed": part.allowed, "text": part.text}
    if is_dataclass(part):
        return {field.name: _plain(getattr(part, field.name)) for field in fields(part)}
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items()}
    return [_plain(each) for each in part] if isinstance(part, (list, tuple)) else part


def _with_earlier_times(file: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """Times of the session that did the work, when a finished run is taken up again."""
    try:
        earlier = json.loads(file.read_text(encoding="utf-8"))
        longest = {"wall_s": max(metrics["wall_s"], earlier["wall_s"])}
        for part in ("stages", "cost"):
            before = earlier.get(part, {})
            longest[part] = {
                k: max(v, before.get(k, 0.0)) for k, v in metrics.get(part, {}).items()
            }
        return metrics | longest
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return metrics  # there are none, or the file is damaged and now written again
