"""Tutorials as pages: prose, code, what the code printed and the pictures that it made."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from cells import read_cells

HEAD = """# Tutorials

Each is a script, `python tutorials/NAME.py`, and was run for this page in its quick form
(`--quick`): numbers of few samples, with their errors.

"""


def write(folder: Path, scripts: list[Path], executed: dict[str, Path]) -> None:
    """A page for each script, and an index."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for script in scripts:
        (folder / f"{script.stem}.md").write_text(page(script, executed[script.stem], folder))
        names.append(script.stem)
    toctree = "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"
    (folder / "index.md").write_text(HEAD + toctree)


def page(script: Path, executed: Path, folder: Path) -> str:
    """The page of a script that was run; its pictures are copied beside it."""
    outcomes = iter(json.loads((executed / "cells.json").read_text()))
    parts = []
    for cell in read_cells(script):
        if not cell.is_code:
            parts.append(cell.text)
            continue
        outcome = next(outcomes)
        parts.append(f"```python\n{cell.text}\n```")
        text = re.sub(rf"/\S*/running/{script.stem}", "FOLDER", outcome["text"]).rstrip()
        if text:
            parts.append(f":::{{div}} printed\n```text\n{text}\n```\n:::")
        for name in outcome["pictures"]:
            copy = f"{script.stem}-{name.replace('/', '-')}"
            shutil.copyfile(executed / name, folder / copy)
            parts.append(f"![{Path(name).stem.replace('_', ' ')}]({copy})")
    return "\n\n".join(parts) + "\n"
