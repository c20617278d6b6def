"""One self-contained `report.html` from what is in a run folder.

`write` says what the files hold, `page.html.j2` how the page looks. It loads nothing: figures are
inlined, there is no script, and every text is escaped.
"""

from __future__ import annotations

import base64
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from ..files import write_atomically
from .citations import bibtex, works_of
from .numbers import ABSENT, duration, rounded
from .shape import VERDICTS, read_shaped, read_text

PNG = b"\x89PNG"
EARLIER = {True: "passed", False: "failed", None: "information"}
"""Verdicts by what runs of earlier versions say in place of them."""
SIZE = r"\d[\d.]*(e[+-]?\d+)?"
NUMBER = re.compile(rf"{ABSENT}?|[+-]?{SIZE}( ± {SIZE})?( %| s| min| h)?")
"""Texts of cells that are set like numbers, where all of a column are."""


def write_report(folder: str | Path) -> Path:
    """Write `report.html` into a finished run folder.

    Parameters
    ----------
    folder : str or Path
        The folder of a run.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    FileNotFoundError
        If the folder is not that of a finished run, or one of its figures is gone.
    ValueError
        If one of its files is damaged or of another shape, or a figure is not its own.
    """
    run = Path(folder)
    config = read_text(run, "config.toml")
    metrics, results = (read_shaped(run, name) for name in ("metrics.json", "results.json"))
    page = _page(run, config, metrics, results)
    report = run / "report.html"
    if report.is_symlink():
        report.unlink()
    write_atomically(report, page)
    return report


def _page(run: Path, config: str, metrics: dict[str, Any], results: dict[str, Any]) -> str:
    loader = FileSystemLoader(Path(__file__).parent)
    pages = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pages.filters |= {"duration": duration, "rounded": rounded, "table": _table, "text": _text}
    checks = [
        check | {"verdict": check.get("verdict") or EARLIER[check.get("passed")]}
        for check in results.get("checks") or []
    ]
    counts = Counter(check["verdict"] for check in checks)
    return pages.get_template("page.html.j2").render(
        metrics=metrics,
        results=results,
        config=config.strip(),
        citation=bibtex(works_of(_settings(config))),
        checks=checks,
        counts=[f"{counts[name]} {name}" for name in VERDICTS[:3] if counts[name]],
        picture=lambda name: base64.b64encode(_picture(run, name)).decode("ascii"),
    )


def _settings(config: str) -> dict[str, Any]:
    """The settings of a run; none where they are no TOML, which the page shows as they are."""
    try:
        return tomllib.loads(config)
    except ValueError:
        return {}


def _table(rows: Iterable[Sequence[Any]]) -> list[list[tuple[str, str]]]:
    """Texts of the cells, and the class of each: "number" where all of its column are."""
    texts = [[_text(cell) for cell in row] for row in rows]
    filled = {k for row in texts for k, text in enumerate(row) if text}
    words = {k for row in texts for k, text in enumerate(row) if not NUMBER.fullmatch(text)}
    kinds = dict.fromkeys(filled - words, "number")
    return [[(text, kinds.get(k, "text")) for k, text in enumerate(row)] for row in texts]


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return rounded(cell) if cell is None or isinstance(cell, (int, float)) else str(cell)


def _picture(run: Path, name: str) -> bytes:
    """A picture that lies in the run's own figures, and nowhere else by a link or a path."""
    own, path = run.resolve() / "figures", (run / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(own):
        raise ValueError(f"{run}: figure {name!r} is not among the figures of this run")
    if not path.is_file():
        raise FileNotFoundError(f"{run} has no figure {name}")
    content = path.read_bytes()
    if not content.startswith(PNG):
        raise ValueError(f"{run}: figure {name!r} is no whole PNG; run the study again")
    return content
