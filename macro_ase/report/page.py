"""One self-contained `report.html` from what is in a run folder.

What the files hold is said in `write`. The page loads nothing: figures are inlined, and there is no
script.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..files import write_atomically
from .numbers import duration, rounded
from .shape import read_shaped, read_text

PNG = b"\x89PNG"
MARKS = {
    "passed": ("pass", "✓ passed"),
    "failed": ("fail", "✗ failed"),
    "undecided": ("open", "? undecided"),
    "information": ("info", "for information"),
}
EARLIER = {True: "passed", False: "failed", None: "information"}
"""Verdicts by what runs of earlier versions say in place of them."""

STYLE = """
body { font: 16px/1.55 Georgia, "Times New Roman", serif; color: #1d2430; background: #fff;
       max-width: 58rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1, h2, th, figcaption, caption, .mark { font-family: system-ui, "Segoe UI", Arial, sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin-bottom: .3rem; }
h2 { font-size: 1.2rem; margin-top: 2.4rem; padding-top: .8rem; border-top: 1px solid #d5dae2; }
.lead { color: #5a6472; margin-top: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .92rem;
        font-variant-numeric: tabular-nums; }
caption { caption-side: top; text-align: left; font-size: .85rem; color: #5a6472;
          padding-bottom: .3rem; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid #e4e8ee; }
th { font-size: .8rem; color: #5a6472; border-bottom: 2px solid #b9c1cd; }
td.number { text-align: right; white-space: nowrap; }
figure { margin: 1.2rem 0; }
figure img { max-width: 100%; height: auto; }
figcaption { font-size: .85rem; color: #5a6472; }
pre { background: #f4f6f9; padding: .8rem 1rem; font-size: .82rem; overflow-x: auto;
      white-space: pre-wrap; }
.mark { font-size: .78rem; padding: .05rem .5rem; border-radius: .7rem; white-space: nowrap; }
.pass { background: #dff3e4; color: #14612b; }
.fail { background: #fbe1de; color: #94190c; }
.open { background: #fdf0cf; color: #6b4a00; }
.info { background: #e8ecf2; color: #45505f; }
@media print { body { max-width: none; margin: 0; font-size: 11pt; }
  figure, table { break-inside: avoid; } h2 { break-after: avoid; } }
"""


def write_report(folder: str | Path) -> Path:
    """Write `report.html` into a finished run folder.

    Parameters
    ----------
    folder : str or Path
        The folder of a run (see the module's own description for what it holds).

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
    title = escape(results["title"])
    body = [
        f"<h1>{title}</h1>",
        _what_was_run(metrics, results.get("summary") or []),
        _headline(metrics.get("metrics") or {}),
        *(_section(run, section) for section in results.get("sections") or []),
        _checks(results.get("checks") or []),
        _versions_and_timings(metrics),
        _how_to_reproduce(config),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style>"
    )
    content = "\n".join(part for part in body if part)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{content}\n</body></html>\n'
    )


def _what_was_run(metrics: dict[str, Any], summary: Sequence[str]) -> str:
    facts = f"Study {metrics.get('study')}, seed {metrics.get('seed')}"
    if metrics.get("wall_s") is not None:
        facts += f", {duration(metrics['wall_s'])} of work"
    lead = f'<p class="lead">{escape(facts)}.</p>'
    return lead + "".join(f"<p>{escape(text)}</p>" for text in summary)


def _headline(metrics: dict[str, dict[str, Any]]) -> str:
    """Every metric with its error, the truth, and the floor below which nothing can be told."""
    if not metrics:
        return ""
    rows = [
        [
            name,
            rounded(m.get("value"), m.get("error")),
            rounded(m.get("truth")),
            rounded(m.get("floor")),
            m.get("unit") or "",
        ]
        for name, m in metrics.items()
    ]
    caption = "Value ± standard error; the truth; the floor that noise alone would give."
    return "<h2>Main results</h2>" + _table(
        caption, ["metric", "value", "truth", "floor", "unit"], rows, numbers={1, 2, 3}
    )


def _section(run: Path, section: dict[str, Any]) -> str:
    parts = [f"<h2>{escape(section['title'])}</h2>"]
    paragraphs = (section.get("text") or "").split("\n\n")
    parts += [f"<p>{escape(text)}</p>" for text in paragraphs if text.strip()]
    parts += [_figure(run, figure) for figure in section.get("figures") or []]
    parts += [
        _table(table.get("caption"), table["columns"], table["rows"])
        for table in section.get("tables") or []
    ]
    return "\n".join(parts)


def _figure(run: Path, figure: dict[str, Any]) -> str:
    image = base64.b64encode(_picture(run, figure["file"])).decode("ascii")
    caption = escape(figure.get("caption") or "")
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{image}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


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


def _checks(checks: Iterable[dict[str, Any]]) -> str:
    rows = []
    for check in checks:
        kind, label = MARKS[check.get("verdict") or EARLIER[check.get("passed")]]
        mark = f'<span class="mark {kind}">{label}</span>'
        cells = [check["name"], check.get("value"), check.get("allowed"), check.get("text")]
        rows.append(f"<tr><td>{mark}</td>{''.join(map(_cell, cells))}</tr>")
    if not rows:
        return ""
    header = "".join(
        f"<th>{name}</th>" for name in ("", "check", "value", "allowed", "what it means")
    )
    return (
        "<h2>Checks of the method's assumptions</h2>"
        f'<div class="scroll"><table><tr>{header}</tr>{"".join(rows)}</table></div>'
    )


def _versions_and_timings(metrics: dict[str, Any]) -> str:
    stages = [[name, duration(s)] for name, s in (metrics.get("stages") or {}).items()]
    versions = [[name, str(version)] for name, version in (metrics.get("versions") or {}).items()]
    return (
        "<h2>Versions and timings</h2>"
        + (_table(None, ["stage", "time"], stages, numbers={1}) if stages else "")
        + (_table(None, ["software", "version"], versions) if versions else "")
    )


def _how_to_reproduce(config: str) -> str:
    return (
        "<h2>How to reproduce this run</h2><p>Save the settings below as config.toml (they stand "
        "in the run folder under that name), then:</p>"
        "<pre>macro-ase run config.toml --out runs/again</pre>"
        f"<pre>{escape(config.strip())}</pre>"
    )


def _table(
    caption: str | None,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    numbers: Iterable[int] = (),
) -> str:
    """An HTML table; ``numbers`` are columns of text to be set like numbers."""
    right = set(numbers)
    header = "".join(f"<th>{escape(str(name))}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(_cell(value, i in right) for i, value in enumerate(row)) + "</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{title}<tr>{header}</tr>{body}</table></div>'


def _cell(value: Any, number: bool = False) -> str:
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif value is None or isinstance(value, (int, float)):
        text, number = rounded(value), True
    else:
        text = escape(str(value))
    return f'<td class="number">{text}</td>' if number else f"<td>{text}</td>"
