"""Potentials beside each other and beside a reference: what ``macro-ase compare-potentials`` does.

Every potential has a journal of its own, one line for each finished task, and a file of results
that is joined with others, of this folder or of another environment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from .. import __version__
from ..executors import Engine, workers_of
from ..folder_lock import NAME as LOCK
from ..jobs import Done, run_jobs
from ..observables.ordered_phases import OrderedPhase
from ..progress import Progress
from ..run_folder import versions
from .asked_potential import Potential
from .crystal_work import held, processes
from .journal import Journal
from .potential_plan import Plan, Questions, plan
from .potential_quantities import rows
from .potential_report import table_text, write_pages
from .potential_results import Measured, require_alike
from .potential_tasks import carry_out

NAMED = re.compile(r"([\w.+-]+)=(.+)", re.S)
LABEL = re.compile(r"[\w.+-]+")
JOURNAL = ".jsonl"
PAGES = ("comparison.csv", "report.html", "config.toml", "metrics.json", "results.json", "figures")


@dataclass(frozen=True)
class ComparePotentials:
    """Ask every potential the same questions, and put the answers side by side.

    Called again after an interruption, it goes on where it was. Numbers of hops and frames,
    temperatures, sweeps and numbers of atoms may then differ.

    Parameters
    ----------
    potentials : sequence of str
        ``KIND:SPEC`` of `engines.calculators`, or ``pair:MODEL``; ``NAME=`` before it gives a name.
    out : Path
        Folder for ``NAME.json`` and the journal ``NAME.jsonl`` of each, ``comparison.csv`` and
        ``report.html``.
    questions : Questions
    join : sequence of Path
        Files ``NAME.json`` of other calls.
    workers : int, str or executor
        As of `compute_barriers_command`.
    command : str
        How this was called, for the page.

    Raises
    ------
    FileNotFoundError, FileExistsError, ValueError, ModuleNotFoundError
        Before any work, naming what is wrong.
    """

    potentials: Sequence[str]
    out: Path
    questions: Questions = field(default_factory=Questions)
    join: Sequence[Path] = ()
    workers: Engine = 1
    command: str = ""

    def run(self) -> str:
        """The table, as text."""
        joined = [Measured.read(file) for file in self.join]
        named = dict(named_potential(text) for text in self.potentials)
        if len(named) < len(self.potentials):
            raise ValueError("two potentials have one name: name them NAME=KIND:SPEC")
        if not (named or joined):
            raise ValueError("nothing to compare: give potentials, or results with --join")
        asked = plan(self.questions) if named else None
        blank = [self._measured(asked, n, t, {}) for n, t in named.items() if asked is not None]
        if blank or joined:
            require_alike([*blank, *joined])
        self._require_folder(named)
        if asked is not None:
            for text in named.values():
                require_usable(text, asked.species)
        with held(self.out):
            own = [self._ask(asked, n, t) for n, t in named.items() if asked is not None]
            results = [*own, *joined]
            found = rows(results, self.questions.seed)
            write_pages(self.out, found, results, self.questions.seed, self.command)
        return table_text(found, results, self.out)

    def _require_folder(self, named: dict[str, str]) -> None:
        if self.out.exists() and not self.out.is_dir():
            raise FileExistsError(f"{self.out} is a file, not a folder")
        there = {file.name for file in self.out.iterdir()} - {LOCK} if self.out.is_dir() else set()
        own = any(name.endswith(JOURNAL) for name in there) or "comparison.csv" in there
        if there and not own:
            raise FileExistsError(f"{self.out} holds no comparison: choose another")

    def _settings(self, asked: Plan, text: str) -> dict[str, Any]:
        own = {"calculator": text, "files": Potential(text).digests, "macro_ase": __version__}
        return asked.settings | own

    def _measured(self, asked: Plan, name: str, text: str, records: dict[str, Any]) -> Measured:
        values, left_out = asked.values(records) if records else ({}, {})
        settings = self._settings(asked, text)
        return Measured(name, text, settings, versions(), values, asked.reference, left_out)

    def _ask(self, asked: Plan, name: str, text: str) -> Measured:
        """Carry out what the journal lacks, and write the results."""
        file = self.out / f"{name}{JOURNAL}"
        journal = Journal(file, self._settings(asked, text), _is_record)
        missing = [task for task in asked.tasks if task.key not in journal.records]

        def keep(done: Done) -> None:
            journal.add(done.key, done.result)

        if missing:
            with workers_of(processes(self.workers)) as workers:
                jobs = ((task.key, (text, task)) for task in missing)
                done = len(asked.tasks) - len(missing)
                with Progress(name, len(asked.tasks), done, workers.number, "task") as progress:
                    run_jobs(carry_out, jobs, keep, workers, progress)
        measured = self._measured(asked, name, text, journal.records)
        measured.write(self.out / f"{name}.json")
        return measured


def named_potential(text: str) -> tuple[str, str]:
    """Name and text of ``NAME=KIND:SPEC``, or of ``KIND:SPEC`` with a name made of it.

    Raises
    ------
    ValueError
        If no name can be made.
    """
    given = NAMED.fullmatch(text.strip())
    if given is not None and ":" not in given[1]:
        return given[1], given[2].strip()
    kind, _, spec = text.strip().partition(":")
    if not spec:
        return kind, text.strip()
    name = spec.rpartition(":")[2] if kind == "python" else Path(spec).name.partition(".")[0]
    name += "" if kind == "python" or kind in name else f"-{kind}"
    if not LABEL.fullmatch(name):
        raise ValueError(f"{text!r} needs a name, NAME=KIND:SPEC")
    return name, text.strip()


def require_usable(text: str, species: Sequence[str]) -> None:
    """Refuse a potential that gives no energy of a crystal of these elements.

    Raises
    ------
    FileNotFoundError, ValueError, ModuleNotFoundError
    """
    potential = Potential(text)
    calculator = potential.calculator()
    names = tuple(species) if len(species) > 1 else (species[0], species[0])
    for first, second in pairwise(names):
        atoms = OrderedPhase("B2", (first, second)).atoms(3.2)
        try:
            calculator.get_potential_energy(atoms)
        except Exception as error:  # calculators raise many kinds
            why = " ".join(f"{type(error).__name__}: {error}".split())
            raise ValueError(f"{text} gives no energy of {first} and {second}: {why}") from error


def _is_record(key: str, record: Any) -> bool:
    return isinstance(record, dict) and bool(record)
