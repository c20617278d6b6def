"""Runs of whole studies that tests share."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from macro_ase.workflow import run_study

Interrupted = Callable[[dict[str, Any], Path, str], Path]


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a study's quick form, run when it is first asked for. Look, do not touch.

    One that lies in the folder that QUICK_RUNS names, as `make demo` leaves it, is not run again.
    It has a process of its own, as users' runs have: which libraries were loaded first and how many
    threads linear algebra has changes last digits.
    """
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "quick"
    root.mkdir(exist_ok=True)
    alone = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}

    def run(study: str) -> Path:
        made = Path(os.environ.get("QUICK_RUNS", root)) / f"{study}-quick"
        if (made / "report.html").exists():
            return made
        folder = root / study
        words = ["run", study, "--quick", "--workers", "1", "--out", str(folder)]
        with open(root / f"{study}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "report.html").exists():
                command = [sys.executable, "-m", "macro_ase", *words]
                done = subprocess.run(command, env=alone, capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
        return folder

    return run


@pytest.fixture(scope="session")
def interrupted() -> Interrupted:
    """Runs a study to its end and leaves a copy of its folder as it was before a chunk began."""

    def run(config: dict[str, Any], folder: Path, name: str) -> Path:
        module, _, chunk = name.rpartition(".")
        make, copy = getattr(import_module(module), chunk), folder.with_name("stopped")

        def made(*job: Any) -> Any:
            if not copy.exists():
                shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("run.lock"))
            return make(*job)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(name, made)
            return run_study(config, folder, quick=True)

    return run
