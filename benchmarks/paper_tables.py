"""What was published, predicted and run directly by temperature, as Markdown and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from size_tables import markdown

from macro_ase.analysis.order_comparison import rms
from macro_ase.arrays import Array
from macro_ase.report.figures import colour, dots, line, panels

Pair = tuple[Array, Array]


@dataclass(frozen=True)
class Row:
    """Delta, shape (6,), at a temperature; pairs have their standard errors.

    ``predicted`` is that of the end of the paper's times, at ``end_s``, ``during`` that over the
    second half of the direct run, of ``hops`` of a vacancy where the paper has ``paper_hops``.
    """

    kelvin: int
    published: Array | None
    direct: Pair
    small: Array | None
    predicted: Pair | None
    during: Pair | None
    end_s: float
    hops: float
    paper_hops: float
    moves: bool
    cpu_s: float


def table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Misses by temperature, then all values."""
    head = ["T (K)", "end (s)", "direct, hops of a vacancy", "of the paper's", "predicted - direct",
            "small - direct", "published - direct", "published - predicted", "floor"]  # fmt: skip
    misses = [_misses(row) for row in rows]
    return (
        f"rms of six components of delta:\n\n{markdown(head, misses)}\n"
        f"delta of the first shell:\n\n{markdown(['T (K)', '', *names], _values(rows))}"
    )


def _misses(row: Row) -> list[str]:
    moving = ", moves" if row.moves else ""
    pairs = (
        (row.during and row.during[0], row.direct[0]),
        (row.small, row.direct[0]),
        (row.published, row.direct[0]),
        (row.published, row.predicted and row.predicted[0]),
    )
    cells = ["-" if a is None or b is None else f"{rms(a - b):.4f}" for a, b in pairs]
    end = "-" if np.isnan(row.end_s) else f"{row.end_s:.2g}"
    length = [f"{row.hops:.2g}{moving}", f"{row.hops / row.paper_hops:.0%}"]
    return [f"{row.kelvin}", end, *length, *cells, f"{rms(row.direct[1]):.4f}"]


def _values(rows: Sequence[Row]) -> list[list[str]]:
    found = []
    for row in rows:
        if row.published is not None:
            found.append([f"{row.kelvin}", "published", *(f"{x:+.3f}" for x in row.published)])
        for way, pair in (("predicted", row.predicted), ("direct", row.direct)):
            if pair is not None:
                cells = (f"{x:+.3f} ± {e:.3f}" for x, e in zip(*pair))
                found.append([f"{row.kelvin}", way, *cells])
    return found


def draw(path: Path, rows: Sequence[Row], names: Sequence[str]) -> None:
    """Predicted as lines with errors, direct as dots, published as crosses."""
    groups = [[row for row in rows if row.paper_hops == h] for h in {r.paper_hops for r in rows}]
    with panels(path, width=7.2, height=5) as (ax,):
        for k, name in enumerate(names):
            kelvin = [row.kelvin for row in rows]
            direct = np.array([[x[k] for x in row.direct] for row in rows])
            dots(ax, kelvin, direct[:, 0], colour(k), direct[:, 1], label=name)
            shown = [(row.kelvin, row.published[k]) for row in rows if row.published is not None]
            ax.plot(*np.reshape(shown, (-1, 2)).T, "x", color=colour(k), ms=5)
            for own in groups:
                told = [(r.kelvin, *(x[k] for x in r.predicted)) for r in own if r.predicted]
                x, y, error = np.reshape(told, (-1, 3)).T
                line(ax, x, y, colour(k), error)
        ax.axhline(0, color="0.7", lw=0.8, zorder=0)
        ax.set(xlabel="temperature (K)", ylabel=r"$\delta$, first shell")
        ax.legend(frameon=False, fontsize=8, ncols=3)
