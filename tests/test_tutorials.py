"""Every tutorial runs to its end in its quick form."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TUTORIALS = sorted((ROOT / "tutorials").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("script", TUTORIALS, ids=lambda script: script.stem)
def test_a_tutorial_runs(script: Path, tmp_path: Path) -> None:
    assert "# %% [markdown]" in script.read_text()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    run = subprocess.run(
        [sys.executable, str(script), "--quick"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


def test_there_are_tutorials() -> None:
    assert TUTORIALS
