"""The files that a study leaves."""

import json
from pathlib import Path
from typing import Any

from macro_ase.report import Check, Cost, Figure, Metric, Report, Section, Table, Value
from macro_ase.report.figures import panels
from macro_ase.report.page import write_report
from macro_ase.report.write import write_findings

CONFIG = {"study": "toy", "title": "A toy", "seed": 3}


def draw(path: Path) -> None:
    with panels(path) as (ax,):
        ax.plot([0, 1], [0, 1], label="a line")


TABLE = Table("T", ["pair", "a"], [["Mo-Ta", Value(0.5, 0.01)], [None, 1]])
REPORT = Report(
    summary=["What was run."],
    metrics={"error": Metric(0.25, float("nan"), 0, 0.01, "eV")},
    checks=[Check("a", 1.0, 0.1, 0.9, 1.1), Check("b", 2.0, high=1.0)],
    sections=[Section("Runs", "One.", [TABLE], [Figure("runs.png", "Runs", draw)])],
    baselines=TABLE,
    cost=Cost(TABLE, "Cheaper from 100 on."),
)


def files(folder: Path) -> tuple[Any, Any]:
    return tuple(
        json.loads((folder / name).read_text()) for name in ("metrics.json", "results.json")
    )


def test_the_files_hold_what_the_report_says(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    write_findings(tmp_path, CONFIG, REPORT, {"small": 1.5}, 2.04, {"small": 1.2})
    metrics, results = files(tmp_path)
    assert metrics.pop("versions")
    assert metrics == {
        "study": "toy",
        "seed": 3,
        "wall_s": 2.0,
        "stages": {"small": 1.5},
        "cost": {"small": 1.2},
        "checks": {"undecided": 1, "failed": 1},
        "metrics": {
            "error": {"value": 0.25, "error": None, "truth": 0.0, "floor": 0.01, "unit": "eV"}
        },
    }
    table = {"caption": "T", "columns": ["pair", "a"]}
    table |= {"rows": [["Mo-Ta", "0.500 ± 0.010"], [None, 1]]}
    assert results["title"] == "A toy" and results["baselines"] == table
    assert results["cost"] == {"table": table, "sentence": "Cheaper from 100 on."}
    assert [c["verdict"] for c in results["checks"]] == ["undecided", "failed"]
    section = {"title": "Runs", "text": "One.", "tables": [table]}
    figure = {"file": "figures/runs.png", "caption": "Runs"}
    assert results["sections"] == [section | {"figures": [figure]}]
    assert (tmp_path / "figures" / "runs.png").read_bytes().startswith(b"\x89PNG")
    assert "? undecided" in write_report(tmp_path).read_text()


def test_a_finished_run_keeps_the_times_of_its_work(tmp_path: Path) -> None:
    write_findings(tmp_path, CONFIG, REPORT, {"small": 100.0, "train": 2.0}, 102.0, {"small": 90.0})
    write_findings(tmp_path, CONFIG, REPORT, {"small": 0.1, "train": 3.0}, 3.0, {"small": 0.0})
    metrics, _ = files(tmp_path)
    assert metrics["stages"] == {"small": 100.0, "train": 3.0}
    assert metrics["wall_s"] == 102.0 and metrics["cost"] == {"small": 90.0}
    (tmp_path / "metrics.json").write_text('{"stages": 3}')
    write_findings(tmp_path, CONFIG, REPORT, {"small": 0.1}, 3.0)
    assert files(tmp_path)[0]["wall_s"] == 3.0
