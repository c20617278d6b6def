"""The reference: a page for each room of the package, its public names from their docstrings."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import macro_ase
import macro_ase.testing

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
    "report": "Reports",
    "testing": "Tests of samplers",
}
HEAD = """# API reference

What `from macro_ase import ...` gives, by room. Names, and what they need, are loaded when
they are first used.

"""


def rooms() -> dict[str, list[str]]:
    """Names below `macro_ase` by room, from the stub of the package; all of `testing`."""
    imports = [n for n in ast.parse(STUB.read_text()).body if isinstance(n, ast.ImportFrom)]
    found: dict[str, list[str]] = {room: [] for room in TITLES}
    for node in imports:
        room = (node.module or "").partition(".")[0]
        own = room if (STUB.parent / room).is_dir() else ""
        if node.module:
            found.setdefault(own, []).extend(alias.name for alias in node.names)
    return found | {"testing": [f"testing.{name}" for name in macro_ase.testing.__all__]}


def write(folder: Path) -> None:
    """The index and a page for each room."""
    folder.mkdir(parents=True, exist_ok=True)
    parts, pages = [HEAD], []
    for room, names in rooms().items():
        page, title = room or "package", TITLES.get(room, room.capitalize())
        pages.append(page)
        (folder / f"{page}.md").write_text(reference(title, room, names))
        rows = "\n".join(f"| [`{n}`](#macro_ase.{n}) | {summary(n)} |" for n in names)
        parts.append(f"## [{title}]({page}.md)\n\n| | |\n|---|---|\n{rows}\n")
    listed = "\n".join(pages)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{listed}\n```\n")
    (folder / "index.md").write_text("\n".join(parts))


def named(name: str) -> Any:
    return attrgetter(name)(macro_ase)


def summary(name: str) -> str:
    """The first paragraph of a docstring, on one line."""
    doc = inspect.getdoc(named(name)) or ""
    return " ".join(doc.split("\n\n")[0].split()).replace("|", "\\|")


def reference(title: str, room: str, names: list[str]) -> str:
    """A page: what the room says of itself, then each name."""
    said = inspect.getdoc(import_module(f"macro_ase.{room}")) if room else None
    parts = [f"# {title}", (said or "").split("\n\n")[0]]
    for name in names:
        kind = "autoclass" if inspect.isclass(named(name)) else "autofunction"
        members = "\n   :members:" if kind == "autoclass" else ""
        directive = f".. {kind}:: macro_ase.{name}{members}"
        heading = name.rpartition(".")[2]
        parts.append(f"## {heading}\n\n```{{eval-rst}}\n{directive}\n```")
    return "\n\n".join(parts) + "\n"
