"""Killed without warning, a run or a worker of it, a study ends in the same bytes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tiny_study import TINY, kept, metrics, tiny  # noqa: E402

from macro_ase.folder_lock import PROC  # noqa: E402
from macro_ase.workflow import run_study  # noqa: E402

pytestmark = [
    pytest.mark.learn,
    pytest.mark.skipif(not PROC.is_dir(), reason="looks for processes in /proc"),
]
LONG = "learning.epochs=200"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_study(tiny(LONG), tmp_path_factory.mktemp("whole") / "run")


def begun(folder: Path, engine: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "macro_ase", "run", "curie-weiss", "--workers", "1", "-q"]
    argv += ["--engine", engine, "--out", str(folder)]
    argv += [part for setting in (*TINY, LONG) for part in ("--set", setting)]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, start_new_session=True)


def until(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    while not reached():
        assert process.poll() is None, "it ended by itself"
        time.sleep(0.01)


def log_has(folder: Path, text: str) -> Callable[[], bool]:
    log = folder / "run.log"
    return lambda: log.is_file() and text in log.read_text()


def costs(folder: Path) -> list[str]:
    file = folder / "costs.jsonl"
    return file.read_text().splitlines() if file.is_file() else []


def workers(pid: int) -> list[int]:
    """Worker processes that a run has begun."""
    found = []
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            own = "spawn_main" in (stat.parent / "cmdline").read_text()
        except (OSError, ValueError):
            continue
        found += [int(stat.parent.name)] if parent == pid and own else []
    return found


def test_a_killed_run_goes_on(finished: Path, tmp_path: Path) -> None:
    """Among patch pairs, then in training: no finished chunk is computed again."""
    folder = tmp_path / "run"
    for moment in ("pairs 8: 1 of", "learning 8"):
        process = begun(folder, "threads:2")
        until(process, log_has(folder, moment))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert (folder / "run.lock").is_file() and not (folder / "metrics.json").exists()
    run_study(tiny(LONG), folder)
    assert kept(folder) == kept(finished) and metrics(folder) == metrics(finished)
    keys = [line.partition('"key"')[2].partition(",")[0] for line in costs(folder)]
    assert len(keys) == len(set(keys)) == len(costs(finished))


def test_a_killed_worker_is_replaced(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = begun(folder, "processes:2")
    until(process, lambda: len(costs(folder)) > 0)
    os.kill(workers(process.pid)[0], signal.SIGKILL)
    assert process.wait() == 0
    assert kept(folder) == kept(finished) and metrics(folder) == metrics(finished)
    assert "a worker died" in (folder / "run.log").read_text()
