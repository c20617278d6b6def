"""A whole study from its settings to its report, by one process or by several tasks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import claims as claiming
from . import run_folder
from .claims import Claims
from .executors import Engine, Workers, workers_of
from .extras import need
from .folder_lock import only_writer, refuse_writer
from .progress import logged
from .report.page import write_report
from .report.write import write_findings
from .studies.registry import study_of
from .studies.runner import Runner


def run_study(
    config: dict[str, Any],
    out: str | Path,
    overwrite: bool = False,
    quick: bool = False,
    executor: Engine | None = None,
    walltime: float | None = None,
) -> Path:
    """Run a study, or go on with one, and write its report.

    One process at a time works in a folder; a second one is refused.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.
    out : str or Path
        The run folder.
    overwrite : bool
        Replace an earlier run of other settings.
    quick : bool
        Said in the report; the settings already are those of the quick form.
    executor : executor, int or str, optional
        Who computes, as for `executors.workers_of`: ``"processes:8"``, a number of threads, or
        any `concurrent.futures.Executor`; default: as many threads as the settings say. Results do
        not depend on it.
    walltime : float, optional
        Seconds after which no more work is begun.

    Returns
    -------
    Path
        The run folder, with ``report.html`` and ``metrics.json`` in it.

    Raises
    ------
    ValueError, FileNotFoundError, FileExistsError, ModuleNotFoundError
        For bad settings, before any work starts.
    OutOfTime
        If the time is up before the end; the same call goes on.
    """
    need("torch", "a study")
    study = study_of(config)
    return run_made(study, config, out, overwrite, quick, executor, walltime)


def run_made(
    study: Any,
    config: dict[str, Any],
    out: str | Path,
    overwrite: bool = False,
    quick: bool = False,
    executor: Engine | None = None,
    walltime: float | None = None,
) -> Path:
    """As `run_study`, for a study that is made of its settings already."""
    need("torch", "a study")
    folder = _folder(out)
    with _workers(study, config, folder, executor, walltime) as (workers, needs):
        with only_writer(folder):
            _refuse_tasks(folder)
            run_folder.prepare(folder, config, overwrite, getattr(study, "inputs", ()), quick)
            with logged(folder / "run.log", needs):
                runner = Runner(folder, workers)
                report = study.report(study.compute(runner), quick)
                write_findings(folder, config, report, runner.seconds, runner.wall_s, runner.cpu_s)
            write_report(folder)
    return folder


def work_on(
    config: dict[str, Any],
    out: str | Path,
    task: tuple[int, int] = (0, 1),
    quick: bool = False,
    executor: Engine | None = None,
    walltime: float | None = None,
) -> Path:
    """Compute what a run lacks as one of several tasks; `run_study` then makes the report.

    Any number of tasks may work in a folder at the same time, and any may be killed: what it had
    begun is taken over. Each begins with its own share.

    Parameters
    ----------
    config, out, quick, executor, walltime
        As for `run_study`, and the same for all tasks. The first to come makes the folder.
    task : (int, int)
        Number of this task, and how many there are.

    Returns
    -------
    Path
        The run folder, in which all chunks and models are there.

    Raises
    ------
    ValueError, FileNotFoundError, FileExistsError, ModuleNotFoundError, OutOfTime
        As `run_study`.
    """
    need("torch", "a study")
    study, folder = study_of(config), _folder(out)
    with (
        _workers(study, config, folder, executor, walltime) as (workers, needs),
        Claims(folder, f"task {task[0]}/{task[1]}", task) as claims,
    ):
        refuse_writer(folder)
        with claims.alone("settings"):
            run_folder.prepare(folder, config, False, getattr(study, "inputs", ()), quick)
        with logged(folder / f"task-{task[0]}.log", needs):
            study.compute(Runner(folder, workers, claims))
    return folder


def _folder(out: str | Path) -> Path:
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, not a folder")
    return folder


def _refuse_tasks(folder: Path) -> None:
    """Raise FileExistsError while tasks work in a folder; remove what dead ones left."""
    others = Claims(folder, "run").others()
    if others:
        raise FileExistsError(f"{folder} is in use by {', '.join(others)}; wait for it or stop it")
    shutil.rmtree(folder / claiming.NAME, ignore_errors=True)


@contextmanager
def _workers(
    study: Any,
    config: dict[str, Any],
    folder: Path,
    executor: Engine | None,
    walltime: float | None,
) -> Iterator[tuple[Workers, str]]:
    """Those who compute, for the block, and what the study needs, unless that cannot fit."""
    number = config["workers"]
    with workers_of(number if executor is None else executor, number) as workers:
        if walltime is not None:
            workers.until = time.monotonic() + walltime
        yield workers, study.needs().require(workers, folder)
