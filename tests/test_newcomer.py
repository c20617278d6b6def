"""What the home page, README and "which part do I need" give to copy is read piece by piece.

Short commands of the home page and README run here, and studies that take long are checked
without work. Python runs in `test_readme.py` and `test_docs.py`; `.ci/newcomer` does all of it.
"""

import re
import tomllib
from pathlib import Path

import pytest
from test_docs import tool

from macro_ase.cli import main

newcomer = tool("newcomer")
ROOT = newcomer.ROOT
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.learn
@pytest.mark.parametrize("name", ["docs/index.md", "README.md"])
def test_short_commands_run_and_long_ones_are_understood(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    commands = [piece for piece in newcomer.pieces(ROOT / name) if not piece.python]
    assert commands
    for piece in commands:
        if piece.words[0] == "macro-ase":
            if piece.full or "--quick" in piece.words:
                newcomer.understood(piece.text)
            else:
                assert main(piece.words[1:]) == 0, piece


@pytest.mark.parametrize("page", newcomer.PAGES, ids=lambda page: page.stem)
def test_make_and_pip_have_what_pages_ask_of_them(page: Path) -> None:
    targets = (ROOT / "Makefile").read_text()
    for piece in newcomer.pieces(page):
        if piece.python or piece.words[0] == "macro-ase":
            continue
        if piece.words[0] == "make":
            assert f"\n{piece.words[1]}:" in targets, piece
        else:
            assert {*re.findall(r"\w+", piece.text.partition("[")[2])} <= {*EXTRAS}, piece


def test_what_takes_long_is_marked_and_other_lines_are_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n\n    macro-ase run x  # full study, by night\n    macro-ase list # now\n")
    assert [piece.full for piece in newcomer.pieces(page)] == [True, False]
    with pytest.raises(ValueError, match="--no-such-option"):
        newcomer.understood("macro-ase run nbmota --no-such-option")
    page.write_text("a\n\n    study = PatchStudy()\n")
    with pytest.raises(ValueError, match="Python is fenced"):
        list(newcomer.pieces(page))


@pytest.mark.parametrize("page", newcomer.PAGES, ids=lambda page: page.stem)
def test_commands_in_the_text_have_their_options(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in re.findall(r"`macro-ase ([^`]*)`", page.read_text()):
        command, *words = text.replace("\\|", " ").split()
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        shown = capsys.readouterr().out
        assert end.value.code == 0, text
        assert all(word in shown for word in words if word.startswith("--")), text
