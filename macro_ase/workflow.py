"""A whole study from its settings to its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import run_folder
from .executors import Engine
from .extras import need
from .folder_lock import only_writer
from .report.page import write_report
from .report.write import write_findings
from .studies.registry import study_class
from .studies.runner import Runner


def run_study(
    config: dict[str, Any],
    out: str | Path,
    overwrite: bool = False,
    quick: bool = False,
    executor: Engine | None = None,
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
        Who computes, as for `executors.workers_of`; default: as many threads as the settings say.

    Returns
    -------
    Path
        The run folder, with ``report.html`` and ``metrics.json`` in it.

    Raises
    ------
    ValueError, FileNotFoundError, FileExistsError, ModuleNotFoundError
        For bad settings, before any work starts.
    """
    need("torch", "a study")
    study = study_class(config["system"]["model"])(config)
    return run_made(study, config, out, overwrite, quick, executor)


def run_made(
    study: Any,
    config: dict[str, Any],
    out: str | Path,
    overwrite: bool = False,
    quick: bool = False,
    executor: Engine | None = None,
) -> Path:
    """As `run_study`, for a study that is made of its settings already."""
    need("torch", "a study")
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, not a folder")
    with only_writer(folder):
        run_folder.prepare(folder, config, overwrite, getattr(study, "inputs", ()))
        if hasattr(study, "compute"):
            runner = Runner(folder, config["workers"] if executor is None else executor)
            findings = study.compute(runner)
            report = study.report(findings, quick)
            write_findings(folder, config, report, runner.seconds, runner.wall_s, runner.cpu_s)
        else:
            study.run(folder, quick)
        write_report(folder)
    return folder
