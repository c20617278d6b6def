"""Finished runs of one study of an alloy that differ in their seed, together, as tables of a page.

    python benchmarks/seeds.py runs/nbmota-1 runs/nbmota-2 runs/nbmota-3

From what the reports of the runs show. Means of ratios are those of their logarithms, weighted by
the errors; orders are plain means; shares within intervals are those of all comparisons.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
METRICS = ("sro_rms", "std_ratio_worst", "relaxation_ratio_worst", "coverage_68", "coverage_95")
RATIOS = (
    ("Relaxation time (s)", "ratio", "relaxation, predicted over direct"),
    ("Standard deviation of bonds per site", "ratio", "spread, predicted over direct"),
    ("The model beside its own small runs", "relaxation, ratio", "relaxation, model over small"),
    ("The model beside its own small runs", "spread, ratio", "spread, model over small"),
)


def number(cell: str) -> tuple[float, float]:
    """Value and error of a cell; nan where there is none."""
    value, _, error = cell.partition(" ± ")
    return (np.nan, np.nan) if value == "–" else (float(value), float(error or "nan"))


def rows(run: dict[str, Any], caption: str, name: str) -> tuple[list[str], list[str], Array]:
    """Temperatures, columns and numbers, shape (n_T, n, 2), of the rows of a name of a table."""
    tables = [table for section in run["sections"] for table in section["tables"]]
    table = next(table for table in tables if table["caption"].startswith(caption))
    chosen = [row for row in table["rows"] if row[1] == name]
    numbers = np.array([[number(cell) for cell in row[2:]] for row in chosen])
    return [row[0] for row in chosen], table["columns"][2:], numbers


def mean_ratio(values: Array, errors: Array) -> str:
    """By the errors, on a logarithmic scale, of those that are known."""
    known = np.isfinite(values) & np.isfinite(errors)
    if not known.any():
        return "–"
    weights = (values[known] / errors[known]) ** 2
    mean = float(np.exp(np.average(np.log(values[known]), weights=weights)))
    return with_error(mean, mean / np.sqrt(weights.sum()))


def with_error(value: float, error: float) -> str:
    """To two places, or four of what is small."""
    places = 4 if abs(value) < 0.05 else 2
    return f"{value:.{places}f} ± {error:.{places}f}"


def show(columns: Iterable[str], lines: Iterable[Sequence[str]]) -> None:
    """A table in markdown, and an empty line."""
    columns = list(columns)
    for line in (columns, ["---"] * len(columns), *lines):
        print("|", " | ".join(line), "|")
    print()


def metric_lines(metrics: Sequence[dict[str, Any]]) -> list[list[str]]:
    """One of each metric, and all comparisons of all runs."""
    lines = []
    for name in METRICS:
        own = [run["metrics"][name] for run in metrics]
        lines.append([name, *(with_error(m["value"], m["error"]) for m in own)])
    for name in METRICS[3:]:
        shares = np.array([run["metrics"][name]["value"] for run in metrics])
        errors = np.array([run["metrics"][name]["error"] for run in metrics])
        number = np.round(shares * (1 - shares) / errors**2)
        share = float(np.average(shares, weights=number))
        error = np.sqrt(share * (1 - share) / number.sum())
        lines.append([f"{name}, all {number.sum():.0f}", with_error(share, error)])
    return lines


def main() -> None:
    """Read the command line and show the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a run")
    folders = parser.parse_args().runs
    results = [json.loads((folder / "results.json").read_text()) for folder in folders]
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in folders]
    show(["metric", *(f"seed {run['seed']}" for run in metrics)], metric_lines(metrics))
    orders = {}
    for name in ("predicted", "direct"):
        found = [rows(run, "delta", name) for run in results]
        kelvin, components, _ = found[0]
        orders[name] = np.mean([numbers[..., 0] for *_, numbers in found], axis=0)
    show(
        ["T (K)", "", *components],
        [
            [t, name, *(f"{value:+.3f}" for value in orders[name][k])]
            for k, t in enumerate(kelvin)
            for name in orders
        ],
    )
    for caption, name, title in RATIOS:
        found = [rows(run, caption, name) for run in results]
        kelvin, pairs, _ = found[0]
        numbers = np.array([own for *_, own in found])
        lines = [
            [t, *(mean_ratio(*numbers[:, k, pair].T) for pair in range(len(pairs)))]
            for k, t in enumerate(kelvin)
        ]
        print(title)
        show(["T (K)", *pairs], lines)


if __name__ == "__main__":
    main()
