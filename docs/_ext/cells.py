"""Percent scripts: cells of prose and of code, read and run.

As a program, `python cells.py FOLDER SCRIPT...` runs each script cell by cell in a namespace of its
own, as `SCRIPT --quick --out FOLDER/STEM`, and writes `FOLDER/STEM/cells.json`: what each cell
printed and the names of the pictures that it made.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROSE = "# %% [markdown]"


@dataclass(frozen=True)
class Cell:
    """A cell: its text, from which line of the script it comes, and whether it is code."""

    text: str
    line: int
    is_code: bool


def read_cells(script: Path) -> list[Cell]:
    """Cells of a percent script in their order; prose without its comment signs."""
    cells, lines = [], script.read_text().splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("# %%")]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        body = lines[start + 1 : end]
        is_code = lines[start] != PROSE
        if not is_code:
            body = [line.removeprefix("#").removeprefix(" ") for line in body]
        if text := "\n".join(body).strip("\n"):
            cells.append(Cell(text, start + 1 + (lines[start + 1] == ""), is_code))
    return cells


def run_cells(script: Path, folder: Path) -> list[dict[str, Any]]:
    """Run the code of a script in a folder: for each code cell "text" and "pictures"."""
    folder.mkdir(parents=True)
    os.chdir(folder)
    sys.argv = [str(script), "--quick", "--out", str(folder)]
    names: dict[str, Any] = {"__name__": "__main__", "__file__": str(script)}
    found = []
    for cell in read_cells(script):
        if cell.is_code:
            seen = set(folder.rglob("*.png"))
            source = "\n" * cell.line + cell.text
            text = printed_by(lambda: exec(compile(source, script, "exec"), names))  # noqa: B023
            save_open_figures(folder, len(seen))
            new = sorted(set(folder.rglob("*.png")) - seen)
            pictures = [picture.relative_to(folder).as_posix() for picture in new]
            found.append({"text": text, "pictures": pictures})
    return found


def printed_by(run: Any) -> str:
    """What a call writes to standard output, by Python or by a library below it."""
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile("w+", errors="replace") as file:
        os.dup2(file.fileno(), 1)
        try:
            run()
        finally:
            sys.stdout.flush()
            ctypes.CDLL(None).fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        return file.read()


def save_open_figures(folder: Path, first: int) -> None:
    """Save what pyplot has open, and close it."""
    if "matplotlib.pyplot" in sys.modules:
        plt = sys.modules["matplotlib.pyplot"]
        for number in plt.get_fignums():
            name = folder / f"figure_{first + number}.png"
            plt.figure(number).savefig(name, dpi=100, bbox_inches="tight")
        plt.close("all")


def main(folder: Path, scripts: list[Path]) -> int:
    for script in scripts:
        try:
            outcome = run_cells(script, folder / script.stem)
        except Exception:
            print(f"{script} failed:\n{traceback.format_exc()}", file=sys.stderr)
            return 1
        (folder / script.stem / "cells.json").write_text(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), [Path(name).resolve() for name in sys.argv[2:]]))
