"""The README's Python runs as it stands."""

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_readme_example_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert 20 <= len(code.splitlines()) <= 30
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(README), "exec"), {})
    printed = capsys.readouterr().out
    assert "300000 hops" in printed and printed.count("Mo") > 4
    assert (tmp_path / "hops.traj").is_file()


def test_readme_opens_with_two_commands():
    text = README.read_text()
    assert text.index("make demo") < text.index("make test") < 600
