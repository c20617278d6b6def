"""The files of a finished run: metrics.json, results.json and the figures.

    metrics.json  {"study", "versions": {name: version}, "seed", "wall_s",
                   "stages": {name: seconds}, "cost": {stage: CPU seconds},
                   "checks": {verdict: how many},
                   "metrics": {name: {"value", "error", "truth", "floor", "unit"}}}
    results.json  {"title", "summary": [paragraph],
                   "baselines": table, "cost": {"table", "sentence"},
                   "sections": [{"title", "text", "tables": [table],
                                 "figures": [{"file": "figures/x.png", "caption"}]}],
                   "checks": [{"name", "verdict", "value", "allowed", "text"}]}
    table         {"caption", "columns": [str], "rows": [[cell]]}

Absent parts are null or left out; the page is made of these files alone. Runs of earlier versions
have "passed" (true, false or null) in place of a "verdict".
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..run_folder import versions, write_json
from .parts import Cell, Check, Metric, Report, Section, Table, Value


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
    for figure in report.figures:
        figure.draw(folder / "figures" / figure.file)
    results = {
        "summary": list(report.summary),
        "baselines": report.baselines and _table(report.baselines),
        "cost": report.cost
        and {"table": _table(report.cost.table), "sentence": report.cost.sentence},
        "sections": [_section(section) for section in report.sections],
        "checks": [_check(check) for check in report.checks],
    }
    metrics = {
        "cost": cpu_s or {},
        "checks": Counter(check.verdict for check in report.checks),
        "metrics": {name: _metric(metric) for name, metric in report.metrics.items()},
    }
    write_files(folder, config, seconds, wall_s, metrics, results)


def write_files(
    folder: Path,
    config: dict[str, Any],
    seconds: dict[str, float],
    wall_s: float,
    metrics: dict[str, Any],
    results: dict[str, Any],
) -> None:
    """Write both JSON files, with what they hold of every study."""
    head = {
        "study": config["study"],
        "versions": versions(),
        "seed": config["seed"],
        "wall_s": round(wall_s, 1),
        "stages": seconds,
    }
    file = folder / "metrics.json"
    write_json(file, _with_earlier_times(file, head | metrics))
    write_json(folder / "results.json", {"title": config["title"]} | results)


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


def _metric(metric: Metric) -> dict[str, Any]:
    numbers = asdict(metric)
    unit = numbers.pop("unit")
    return {k: None if v is None else float(v) for k, v in numbers.items()} | {"unit": unit}


def _check(check: Check) -> dict[str, str]:
    return {
        "name": check.name,
        "verdict": check.verdict,
        "value": check.shown,
        "allowed": check.allowed,
        "text": check.text,
    }


def _section(section: Section) -> dict[str, Any]:
    figures = [{"file": f"figures/{f.file}", "caption": f.caption} for f in section.figures]
    tables = [_table(table) for table in section.tables]
    return {"title": section.title, "text": section.text, "tables": tables, "figures": figures}


def _table(table: Table) -> dict[str, Any]:
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    return {"caption": table.caption, "columns": list(table.columns), "rows": rows}


def _cell(cell: Cell) -> Any:
    return str(cell) if isinstance(cell, Value) else cell
