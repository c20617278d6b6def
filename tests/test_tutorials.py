"""Every tutorial runs to its end in its quick form, in one process: torch takes long to import.

One that needs little is started as users start it; the site is built from processes of their own.
"""

import runpy
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TUTORIALS = sorted((ROOT / "tutorials").glob("*.py"))
ALONE = "06_lammps_alloy"


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("script", TUTORIALS, ids=lambda script: script.stem)
def test_a_tutorial_runs(
    script: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Worker processes would begin by running the script again: none may be asked for."""

    def refuse(process: BaseProcess) -> Any:
        raise AssertionError(f"{process} is started by a script")

    assert "# %% [markdown]" in script.read_text()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), "--quick"])
    monkeypatch.setattr(BaseProcess, "start", refuse)
    if script.stem == ALONE:
        run = subprocess.run([sys.executable, *sys.argv], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert run.stdout.strip()
    else:
        runpy.run_path(str(script), run_name="__main__")
        assert capsys.readouterr().out.strip()


def test_there_are_tutorials() -> None:
    assert ALONE in [script.stem for script in TUTORIALS]
