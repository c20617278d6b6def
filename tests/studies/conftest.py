"""Runs of whole studies that tests share."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from macro_ase.config import load_config


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a study's quick form, run when it is first asked for. Look, do not touch."""
    from macro_ase.workflow import run_study

    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "quick"
    root.mkdir(exist_ok=True)

    def run(study: str) -> Path:
        folder = root / study
        with open(root / f"{study}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "report.html").exists():
                run_study(load_config(study, quick=True, workers=1), folder, quick=True)
        return folder

    return run
