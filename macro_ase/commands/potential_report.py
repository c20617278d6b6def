"""What compared potentials say: a table to print, ``comparison.csv``, and ``report.html``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from ..files import write_atomically
from ..potentials.accuracy import REFERENCES
from ..report.figures import colour, panels
from ..report.page import write_report
from ..report.parts import Figure, Report, Section, Table
from ..report.write import write_findings
from ..toml_text import dump_toml
from .potential_quantities import BARRIERS, COST, ELEMENTS, FORMATION, ORDER, Number, Row
from .potential_results import Measured

NOTES = {
    BARRIERS: "Reference: the table that was given. Intervals (95 %) from vacancy sites drawn with "
    "replacement. The cell is that of the table. A barrier that was not found is left out.",
    FORMATION: "Phases at the volume of their lowest energy, atoms on their sites, which symmetry "
    "holds them to in all but C11_b; against each potential's own elements. Reference: the lowest "
    "energy of that phase among the frames given. Frames are taken as they are.",
    ORDER: "First-shell Warren-Cowley alpha of a small crystal, less what a random alloy of that "
    "crystal has: 0 is random, below 0 the two seek each other. Sites do not relax. There is no "
    "reference.",
    ELEMENTS: "Of bcc elements at 0 K. References: "
    + "; ".join(dict.fromkeys(s for n, (_, s) in REFERENCES.items() if n[0] in "Cl")),
    COST: "Energy and forces in one thread, the median of five; of a potential without forces the "
    "energy alone. Other work on the machine makes it larger.",
}
TITLE = "Potentials beside each other"


def table_text(found: Sequence[Row], results: Sequence[Measured], out: Path) -> str:
    """All rows as aligned text, 95 % intervals in brackets."""
    names = [r.name for r in results]
    head = ["", "unit", "reference", *names]
    lines: list[list[str]] = []
    for section, group in groupby(found, key=lambda row: row.section):
        lines += [[section], *([row.name, row.unit, *_cells(row, names)] for row in group)]
    whole = [head, *(line for line in lines if len(line) > 1)]
    widths = [max(len(line[k]) for line in whole) for k in range(len(head))]
    text = [_aligned(head, widths)]
    text += [f"{line[0]}" if len(line) == 1 else _aligned(line, widths) for line in lines]
    text += [f"left out, {r.name}: {k}: {why}" for r in results for k, why in r.left_out.items()]
    return "\n".join([*text, f"written: {out}"])


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = (c.ljust(w) if k < 2 else c.rjust(w) for k, (c, w) in enumerate(zip(line, widths)))
    return "  " + "  ".join(cells).rstrip()


def _cells(row: Row, names: Sequence[str]) -> list[str]:
    """The reference and each potential's number, with its interval."""
    reference = "" if row.reference is None else format(row.reference, row.form)
    missing = (np.nan, np.nan, np.nan)
    return [reference, *(_shown(row.numbers.get(name, missing), row.form) for name in names)]


def _shown(number: Number, form: str) -> str:
    value, low, high = number
    if np.isnan(value):
        return "–"
    if np.isnan(low):
        return format(value, form)
    return f"{value:{form}} [{low:{form}}, {high:{form}}]"


def write_pages(
    folder: Path, found: Sequence[Row], results: Sequence[Measured], seed: int, command: str
) -> None:
    """Write ``comparison.csv``, what the page is made of, and ``report.html``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "comparison.csv", _csv(found, results))
    used = {r.name: r.calculator for r in results}
    settings = {k: v for k, v in results[0].settings.items() if isinstance(v, str | int | float)}
    config = {"study": "compare-potentials", "title": TITLE, "seed": seed}
    write_atomically(folder / "config.toml", dump_toml(config | {"potentials": used} | settings))
    summary = [f"{r.name}: {r.calculator}. {_left_out(r)}" for r in results]
    sections = list(_sections(found, results))
    report = Report(summary, {}, sections=sections, command=command or None)
    write_findings(folder, config, report, {}, 0.0)
    write_report(folder)


def _left_out(result: Measured) -> str:
    n = len(result.left_out)
    return f"Left out, for nothing was found: {n}." if n else "Nothing is left out."


def _sections(found: Sequence[Row], results: Sequence[Measured]) -> Iterator[Section]:
    names = [r.name for r in results]
    for section, group in groupby(found, key=lambda row: row.section):
        cells = [[row.name, row.unit, *_cells(row, names)] for row in group]
        table = Table("Value, and 95 % interval.", ["", "unit", "reference", *names], cells)
        figures = [_figure(results)] if section == BARRIERS else []
        yield Section(section, NOTES[section], [table], figures)


def _figure(results: Sequence[Measured]) -> Figure:
    """Barriers of each potential against those of the table."""

    def draw(path: Path) -> None:
        with panels(path) as (ax,):
            ends = [np.inf, -np.inf]
            for k, result in enumerate(results):
                _, own, true = result.both("hop ")
                ax.plot(true, own, "o", ms=3, color=colour(k), label=result.name)
                ends = [min([ends[0], *true]), max([ends[1], *true])]
            ax.plot(ends, ends, color="0.6", lw=1)
            ax.set(xlabel="reference barrier (eV)", ylabel="barrier of the potential (eV)")

    return Figure("barriers.png", "Barriers beside the reference; on the line they agree.", draw)


def _csv(found: Sequence[Row], results: Sequence[Measured]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [f"{r.name}{part}" for r in results for part in ("", " low", " high")]
    writer.writerow(["section", "quantity", "unit", "reference", *columns])
    for row in found:
        missing = (np.nan, np.nan, np.nan)
        numbers = [x for r in results for x in row.numbers.get(r.name, missing)]
        values = [np.nan if row.reference is None else row.reference, *numbers]
        texts = ["" if np.isnan(x) else f"{x:.6g}" for x in values]
        writer.writerow([row.section, row.name, row.unit, *texts])
    return text.getvalue()
