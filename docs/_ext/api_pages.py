"""The reference: a page for each room of the package, its public names from their docstrings."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import macro_ase

STUB = Path(macro_ase.__file__).with_suffix(".pyi")
TITLES = {
    "": "Crystals, patches, schedules, studies",
    "observables": "Observables",
    "barriers": "Barriers and energies",
    "engines": "Engines",
    "potentials": "Potentials",
    "systems": "Systems",
    "learning": "Learning",
    "analysis": "Analysis",
}
HEAD = """# API reference

What `from macro_ase import ...` gives, by room. Names, and what they need, are loaded when
they are first used.

"""


def homes() -> dict[str, str]:
    """The module of each public name, from the stub of the package."""
    imports = [n for n in ast.parse(STUB.read_text()).body if isinstance(n, ast.ImportFrom)]
    return {alias.name: node.module for node in imports if node.module for alias in node.names}


def write(folder: Path) -> None:
    """The index and a page for each room; a room without a title is an error."""
    folder.mkdir(parents=True, exist_ok=True)
    rooms: dict[str, list[str]] = {room: [] for room in TITLES}
    for name, module in homes().items():
        room = module.partition(".")[0]
        rooms[room if (Path(macro_ase.__file__).parent / room).is_dir() else ""].append(name)
    parts, pages = [HEAD], []
    for room, names in rooms.items():
        page = room or "package"
        pages.append(page)
        (folder / f"{page}.md").write_text(reference(TITLES[room], room, names))
        rows = [f"| [`{name}`](#macro_ase.{name}) | {summary(name)} |" for name in names]
        parts.append(
            f"## [{TITLES[room]}]({page}.md)\n\n| | |\n|---|---|\n" + "\n".join(rows) + "\n"
        )
    listed = "\n".join(pages)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{listed}\n```\n")
    (folder / "index.md").write_text("\n".join(parts))


def summary(name: str) -> str:
    """The first sentence of a docstring."""
    doc = inspect.getdoc(getattr(macro_ase, name)) or ""
    return " ".join(doc.split("\n\n")[0].split()).replace("|", "\\|")


def reference(title: str, room: str, names: list[str]) -> str:
    """A page: what the room says of itself, then each name."""
    said = inspect.getdoc(import_module(f"macro_ase.{room}")) if room else None
    parts = [f"# {title}", (said or "").split("\n\n")[0]]
    for name in names:
        parts.append(
            f"## {name}\n\n```{{eval-rst}}\n{directive(name, getattr(macro_ase, name))}\n```"
        )
    return "\n\n".join(parts) + "\n"


def directive(name: str, what: Any) -> str:
    if inspect.isclass(what):
        return f".. autoclass:: macro_ase.{name}\n   :members:\n"
    return f".. autofunction:: macro_ase.{name}\n"
