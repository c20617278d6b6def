"""Times by turns, and a table of them with targets: what benchmarks of cost against size share."""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One line of the table; the target is an upper limit, 0 where there is none."""

    what: str
    atoms: int
    value: float
    unit: str
    target: float = 0.0


def by_turns(
    runs: Sequence[Callable[[int], object]],
    calls: int,
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Least time of a call of each in us, stretch by stretch in turn, after one that warms up."""
    best = [np.inf] * len(runs)
    for run in runs:
        run(calls)
    for _ in range(repeats):
        for n, run in enumerate(runs):
            start = clock()
            run(calls)
            best[n] = min(best[n], 1e6 * (clock() - start) / calls)
    return best


def main(measure: Callable[[bool], list[Row]], description: str, quick: str) -> None:
    """Measure, print, and write where asked.

    Parameters
    ----------
    measure : callable
        Whether in the quick form, to rows.
    description, quick : str
        What ``--help`` says of the benchmark and of that form.
    """
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--csv", type=Path, metavar="OUT", help="also write the table")
    args = parser.parse_args()
    show(measure(args.quick), args.csv)


def show(rows: Sequence[Row], file: Path | None) -> None:
    """Print rows, and write them to a file where one is given."""
    for row in rows:
        target = f"<= {row.target:g}" if row.target else ""
        met = ("  met" if row.value <= row.target else "  MISSED") if row.target else ""
        print(f"{row.what:40}{row.atoms:9d}{row.value:12.2f} {row.unit:6}{target}{met}")
    if file is not None:
        with file.open("w", newline="") as table:
            csv.writer(table).writerows([Row._fields, *rows])
