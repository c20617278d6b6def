"""A study gives the same bytes and numbers for every engine, however often it is stopped."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tiny_study import TINY, kept, metrics, tiny  # noqa: E402

import macro_ase.memory  # noqa: E402
from macro_ase.claims import Claims  # noqa: E402
from macro_ase.cli import main  # noqa: E402
from macro_ase.executors import OutOfTime  # noqa: E402
from macro_ase.folder_lock import only_writer  # noqa: E402
from macro_ase.run_folder import was_quick  # noqa: E402
from macro_ase.studies.runner import Runner  # noqa: E402
from macro_ase.workflow import run_study, work_on  # noqa: E402

pytestmark = pytest.mark.learn


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run by one thread."""
    return run_study(tiny(), tmp_path_factory.mktemp("one") / "run", quick=True)


@pytest.fixture
def same(finished: Path) -> Iterator[Any]:
    def check(folder: Path) -> None:
        assert kept(folder) == kept(finished)
        assert metrics(folder) == metrics(finished)

    return check


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["threads:2", "processes:2"])
@pytest.mark.usefixtures("undrawn")
def test_engines_of_this_machine(same: Any, tmp_path: Path, engine: str) -> None:
    same(run_study(tiny(), tmp_path / "run", executor=engine))


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_dask(same: Any, tmp_path: Path) -> None:
    """Two chunks at once in one process of the cluster."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        engine = f"dask:{cluster.scheduler_address}"
        same(run_study(tiny(), tmp_path / "run", executor=engine))


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_two_tasks(same: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    tasks = [threading.Thread(target=work_on, args=(tiny(), folder, (k, 2), True)) for k in (1, 2)]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    assert not (folder / "claims").exists() and not (folder / "metrics.json").exists()
    shares = [(folder / f"task-{k}.log").read_text() for k in (1, 2)]
    assert all("needs about" in text for text in shares)
    assert any("direct runs" in text for text in shares)
    entries = [json.loads(line) for line in (folder / "costs.jsonl").read_text().splitlines()]
    assert len({e["key"] for e in entries}) == len(entries)
    assert main(["run", str(folder), "-q"]) == 0
    same(folder)
    assert was_quick(folder)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_time_that_is_up(same: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    sets = [part for setting in TINY for part in ("--set", setting)]
    argv = ["run", "curie-weiss", *sets, "--workers", "1", "--out", str(folder), "-q"]
    assert main([*argv, "--walltime", "0"]) == 75
    said = "stopped: the time is up; run the same command again to go on\n"
    assert capsys.readouterr().err == said
    for seconds in (0.05, 0.3):
        with pytest.raises(OutOfTime):
            run_study(tiny(), folder, walltime=seconds)
    same(run_study(tiny(), folder))


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_what_an_interrupted_removal_left_goes(same: Any, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    left = folder / "model" / "patch8" / "training"
    left.mkdir()
    (left / "member 1.safetensors").touch()
    same(run_study(tiny(), folder))
    assert not left.exists()


def test_processors_time_is_known_after_a_resume(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    with (folder / "costs.jsonl").open("a") as stream:
        stream.write('{"stage": "scan", "key"')
    before, after = Runner(finished).cpu_s, Runner(folder).cpu_s
    assert before == after and {"pairs 8", "learning 8", "direct runs"} <= before.keys()
    assert all(seconds > 0 for seconds in before.values())


def test_a_log_tells_the_stages(finished: Path) -> None:
    text = (finished / "run.log").read_text()
    assert "needs about" in text and "direct runs: 1 of" in text and "left" in text


def test_one_run_or_many_tasks(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    with Claims(folder, "task 1/2"):
        with pytest.raises(FileExistsError, match=r"in use by task 1/2 \(process .* wait for it"):
            run_study(tiny(), folder)
    with only_writer(folder), Claims(folder, "other"):
        pass  # the lock is this process's own, and so it works on
    with pytest.raises(FileExistsError, match="was 0, now 1"):
        work_on(tiny("seed=1"), folder)


@pytest.mark.parametrize("argv", [["run", "{}"], ["work", "{}"]])
def test_folders_without_a_run(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([part.format(tmp_path) for part in argv]) == 2
    assert "holds no run that was begun" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["3", "3/2", "a/b", "1/0", "-1/2"])
def test_tasks_that_are_none(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["work", "out", "curie-weiss", f"--task={task}"]) == 2
    assert "expected I/N" in capsys.readouterr().err


def test_what_cannot_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macro_ase.memory, "memory_limit", lambda: 2.0**28)
    with pytest.raises(ValueError, match=r"the run, 1 chunk at a time, would need about"):
        run_study(tiny(), tmp_path / "run")
    monkeypatch.undo()
    monkeypatch.setattr("macro_ase.sampling.needs.shutil.disk_usage", lambda _: (1, 1, 1000))
    with pytest.raises(ValueError, match=r"of disk, and .* are free in .*choose another --out"):
        run_study(tiny(), tmp_path / "run")
