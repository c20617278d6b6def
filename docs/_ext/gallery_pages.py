"""The gallery: pictures, each with the few lines that made it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cells import Cell, read_cells

LONGEST = 15
SECTIONS = {
    "alloys": "Alloys: order, kinetics, barriers",
    "patches": "Patches of atoms",
    "spins": "Spins and phase transitions",
    "fields": "Fields and fluids",
    "models": "Learned models",
}
HEAD = """# Gallery

Every picture is made by the lines beneath it, {longest} at most, when this site is built.
Press a picture for its code.

"""


def lines_of_code(cell: Cell) -> int:
    """Lines that are neither empty nor a comment."""
    lines = [line.strip() for line in cell.text.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def write(folder: Path, scripts: list[Path], executed: dict[str, Path]) -> None:
    """A page for each script, named SECTION-NAME.py, and the index with all pictures."""
    cards: dict[str, list[str]] = {section: [] for section in SECTIONS}
    for script in scripts:
        prose, code = read_cells(script)
        if (lines := lines_of_code(code)) > LONGEST:
            raise ValueError(f"{script} has {lines} lines of code; a picture may take {LONGEST}")
        outcome = json.loads((executed[script.stem] / "cells.json").read_text())[0]
        [picture] = outcome["pictures"]
        shutil.copyfile(executed[script.stem] / picture, folder / f"{script.stem}.png")
        title = prose.text.splitlines()[0].removeprefix("# ")
        (folder / f"{script.stem}.md").write_text(page(script.stem, prose, code, outcome["text"]))
        cards[script.stem.partition("-")[0]].append(card(title, script.stem))
    parts = [HEAD.format(longest=LONGEST)]
    for section, those in cards.items():
        grid = "::::{grid} 1 2 3 3\n:gutter: 3\n\n" + "\n".join(those) + "\n::::\n"
        parts.append(f"## {SECTIONS[section]}\n\n{grid}")
    names = "\n".join(script.stem for script in scripts)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{names}\n```\n")
    (folder / "index.md").write_text("\n".join(parts))


def card(title: str, name: str) -> str:
    options = f":img-top: {name}.png\n:link: {name}\n:link-type: doc\n:class-card: picture\n"
    return f":::{{grid-item-card}} {title}\n{options}:::\n"


def page(name: str, prose: Cell, code: Cell, printed: str) -> str:
    text = f"\n:::{{div}} printed\n```text\n{printed.rstrip()}\n```\n:::\n" if printed else ""
    title = prose.text.splitlines()[0].removeprefix("# ")
    return f"{prose.text}\n\n![{title}]({name}.png)\n\n```python\n{code.text}\n```\n{text}"
