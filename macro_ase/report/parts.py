"""What a report is made of. A study fills these in; `write` and `page` do the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .numbers import limits, rounded

Verdict = Literal["passed", "failed", "undecided", "information"]
WITHIN_ERRORS = 2.0
LISTED = 4


@dataclass(frozen=True)
class Value:
    """A number in a cell of a table, with its standard error; ``form`` as in `numbers.rounded`."""

    value: float | None
    error: float | None = None
    form: str = ""

    def __str__(self) -> str:
        return rounded(self.value, self.error, self.form)


Cell = str | int | float | Value | None


@dataclass(frozen=True)
class Metric:
    """A number with its standard error, the truth, and the floor that noise alone would give."""

    value: float | None
    error: float | None = None
    truth: float | None = None
    floor: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Check:
    """Measured values that must lie within limits.

    Parameters
    ----------
    name, text, form : str
        What it is called, what is measured, and how it is written, as in `numbers.rounded`.
    values, errors : float or array_like
        Numbers that must all keep the limits, and their standard errors (none: exact).
    low, high : float
        Limits, themselves allowed.
    informs : bool
        For information, without a verdict.
    note : str
        What is allowed, in words, instead of the limits.
    """

    name: str
    values: ArrayLike
    errors: ArrayLike | None = None
    low: float = -np.inf
    high: float = np.inf
    text: str = ""
    form: str = ""
    informs: bool = False
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """Failed if any value is beyond a limit by more than two of its errors, passed if all keep
        the limits by two errors; else undecided, as where a value or an error is not known."""
        if self.informs:
            return "information"
        value, error = self._numbers
        least, most = value - WITHIN_ERRORS * error, value + WITHIN_ERRORS * error
        if np.any((most < self.low) | (least > self.high)):
            return "failed"
        kept = (least >= self.low) & (most <= self.high)
        return "passed" if kept.size and kept.all() else "undecided"

    @property
    def shown(self) -> str:
        """The values, or the least and the greatest of many."""
        texts = [rounded(v, e, self.form) for v, e in np.transpose(self._numbers).tolist()]
        if len(texts) <= LISTED:
            return ", ".join(texts)
        order = np.argsort(self._numbers[0])
        return f"{texts[order[0]]} to {texts[order[-1]]}"

    @property
    def allowed(self) -> str:
        """What the limits allow, in words."""
        return self.note or limits(self.low, self.high, self.form)

    @property
    def _numbers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        value = np.asarray(self.values, dtype=float).ravel()
        error = np.zeros(1) if self.errors is None else np.asarray(self.errors, dtype=float).ravel()
        return value, np.broadcast_to(error, value.shape)


@dataclass(frozen=True)
class Table:
    """A table; ValueError unless every row has one cell a column."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        n = len(self.columns)
        for row in self.rows:
            if len(row) != n:
                raise ValueError(f"table {self.caption!r} has {n} columns, but a row of {len(row)}")


@dataclass(frozen=True)
class Figure:
    """A picture, ``file`` a name such as "runs.png", that ``draw(path)`` makes when the report is
    written; ValueError for other names."""

    file: str
    caption: str
    draw: Callable[[Path], None]

    def __post_init__(self) -> None:
        if Path(self.file).name != self.file or not self.file.endswith(".png"):
            raise ValueError(f'a figure must be named like "runs.png", not {self.file!r}')


@dataclass(frozen=True)
class Section:
    """Paragraphs, parted by empty lines, then figures, then tables."""

    title: str
    text: str = ""
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()


@dataclass(frozen=True)
class Cost:
    """What each route cost, and from where on the learned one is the cheaper."""

    table: Table
    sentence: str


@dataclass(frozen=True)
class Report:
    """All that a study has to say: paragraphs on what was run, metrics by name, aims and
    assumptions measured, sections, the prediction beside truth and simpler means, the cost, and
    the command that was given where that is no ``macro-ase run``."""

    summary: Sequence[str]
    metrics: dict[str, Metric]
    checks: Sequence[Check] = ()
    sections: Sequence[Section] = ()
    baselines: Table | None = None
    cost: Cost | None = None
    command: str | None = None
