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
    pytest.mark.slow,
    pytest.mark.skipif(not PROC.is_dir(), reason="looks for processes in /proc"),
]
LONG = "system.side=32", "sampling.starts=512", "learning.epochs=20"
"""Long enough to be seen at work: eight chunks of .1 s, and half a second of training each."""


def begun(folder: Path, engine: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "macro_ase", "run", "curie-weiss", "--workers", "1", "-q"]
    argv += ["--engine", engine, "--out", str(folder)]
    argv += [part for setting in (*TINY, *LONG) for part in ("--set", setting)]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, start_new_session=True)


def until(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    while not reached():
        assert process.poll() is None, "it ended by itself"
        time.sleep(0.01)


def said_again(folder: Path, text: str) -> Callable[[], bool]:
    """Whether the log says something once more than now."""
    log = folder / "run.log"
    before = log.read_text().count(text)
    return lambda: log.read_text().count(text) > before


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


def killed(process: subprocess.Popen[bytes], folder: Path) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert (folder / "run.lock").is_file() and not (folder / "metrics.json").exists()


@pytest.mark.usefixtures("undrawn")
def test_a_killed_run_goes_on_and_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """A worker, the run among patch pairs, and in training: no chunk is computed again."""
    finished = run_study(tiny(*LONG), tmp_path / "whole")
    folder = tmp_path / "run"
    process = begun(folder, "processes:1")
    until(process, lambda: len(costs(folder)) > 0)
    replaced = said_again(folder, "a worker died")
    os.kill(workers(process.pid)[0], signal.SIGKILL)
    until(process, replaced)
    done = len(costs(folder))
    until(process, lambda: len(costs(folder)) > done)
    killed(process, folder)
    process = begun(folder, "threads:2")
    until(process, (folder / "model" / "patch8" / "training" / "member 0.safetensors").is_file)
    killed(process, folder)
    run_study(tiny(*LONG), folder)
    assert kept(folder) == kept(finished) and metrics(folder) == metrics(finished)
    keys = [line.partition('"key"')[2].partition(",")[0] for line in costs(folder)]
    assert len(keys) == len(set(keys)) == len(costs(finished))
