"""Tables over seeds, from reports whose means are known."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from seeds import main

PAIRS = ["T (K)", "", "Nb-Mo"]


def table(caption: str, *rows: tuple[str, str, str]) -> dict[str, Any]:
    return {"caption": caption, "columns": PAIRS, "rows": [list(row) for row in rows]}


def write(folder: Path, seed: int, delta: float, ratio: str, share: float) -> str:
    """A run of 100 comparisons."""
    ratios = ("1800", "ratio", ratio)
    tables = [
        table("alpha", ("1800", "predicted", "+0.1")),
        table("delta", ("1800", "predicted", f"{delta:+} ± 0.01"), ("1800", "direct", "+0.25")),
        table("Relaxation time (s)", ("1800", "direct", "1e-7 ± 1e-8"), ratios),
        table("Standard deviation of bonds per site", ratios),
        table(
            "The model beside its own small runs",
            ("1800", "spread, ratio", "1.0 ± 0.1"),
            ("1800", "relaxation, ratio", "–"),
        ),
    ]
    metrics = {
        name: {"value": 0.9, "error": 0.1} for name in ("std_ratio_worst", "relaxation_ratio_worst")
    }
    metrics |= {"sro_rms": {"value": 0.0031, "error": 0.0004}}
    within = {"value": share, "error": (share * (1 - share) / 100) ** 0.5}
    metrics |= {name: within for name in ("coverage_68", "coverage_95")}
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps({"sections": [{"tables": tables}]}))
    (folder / "metrics.json").write_text(json.dumps({"seed": seed, "metrics": metrics}))
    return str(folder)


def test_means_by_errors_and_all_comparisons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [
        write(tmp_path / "one", 4, 0.20, "0.8 ± 0.08", 0.6),
        write(tmp_path / "two", 5, 0.30, "1.25 ± 0.125", 0.7),
    ]
    monkeypatch.setattr(sys, "argv", ["seeds.py", *runs])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| metric | seed 4 | seed 5 |"
    assert "| sro_rms | 0.0031 ± 0.0004 | 0.0031 ± 0.0004 |" in lines
    assert "| coverage_68, all 200 | 0.65 ± 0.03 |" in lines
    assert "| 1800 | predicted | +0.250 |" in lines and "| 1800 | direct | +0.250 |" in lines
    assert lines.count("| 1800 | 1.00 ± 0.07 |") == 3
    assert "| 1800 | – |" in lines
