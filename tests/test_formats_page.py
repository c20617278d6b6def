"""The Python of docs/formats.md runs, one block after another, in a run's folder."""

import importlib.util
import re
from pathlib import Path

import pytest
from hand_made_snapshots import run_with_snapshots
from test_ase_formats import formats  # noqa: F401  (registers the formats)

from macro_ase.cli import main

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"


@pytest.mark.slow
def test_blocks_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_with_snapshots(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["export", ".", "--to", "extxyz"]) == 0
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    extras = {"xarray", "pymatgen"}
    missing = {name for name in extras if importlib.util.find_spec(name) is None}
    chosen = [code for code in blocks if not any(f"import {n}" in code or f"from {n}" in code
                                                 for n in missing)]  # fmt: skip
    assert len(blocks) - len(chosen) <= len(missing)
    for code in chosen:
        exec(compile(code, str(PAGE), "exec"), {})
    printed = capsys.readouterr().out
    assert "2 2e-09 " in printed and "'small/2000.0/0'" in printed and "\n2\n" in printed
