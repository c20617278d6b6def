"""What pages give to copy, in its order: commands of the shell, and Python.

Commands stand in indented blocks, Python in blocks fenced as ``python``. A command whose remark
begins with "full study" takes long: it is read and its settings are checked, without work. Lines of
`make` and `pip install -e` belong to a clone.

    python docs/_ext/newcomer.py          # in an empty folder: follows `PAGES`, says how it went
    python docs/_ext/newcomer.py full     # and installs what they say, from the clone
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(ROOT / name for name in ("docs/index.md", "README.md", "docs/which.md"))
FENCED = re.compile(r"```(?P<language>[\w{}]*)\n(?P<code>.*?)```", re.DOTALL)
FULL = "full study"
NEEDS = re.compile(r"needs \w+: pip install '([\w-]+(\[\w+\]))'")


@dataclass(frozen=True)
class Piece:
    """Of a page: Python, or a command and what is remarked on it."""

    page: str
    text: str
    remark: str = ""
    python: bool = False

    @property
    def words(self) -> list[str]:
        """Of a command."""
        return shlex.split(self.text)

    @property
    def in_a_clone(self) -> bool:
        """Whether it belongs to a clone, and not to a folder of the newcomer's."""
        return not self.python and (self.words[0] == "make" or self.words[:3][-1] == "-e")

    @property
    def full(self) -> bool:
        """Whether it takes long."""
        return self.remark.startswith(FULL)


def pieces(page: Path) -> Iterator[Piece]:
    """Of one page, in their order.

    Raises
    ------
    ValueError
        For an indented line that is neither a command nor goes on with one.
    """
    text, end = page.read_text(encoding="utf-8"), 0
    for block in [*FENCED.finditer(text), None]:
        yield from _commands(page.name, text[end : block.start() if block else None])
        if block is not None:
            end = block.end()
            if block["language"] == "python":
                yield Piece(page.name, block["code"], python=True)


def _commands(page: str, text: str) -> Iterator[Piece]:
    for line in re.findall(r"^    (\S.*)$", text.replace("\\\n", " "), re.MULTILINE):
        command, _, remark = line.partition(" #")
        if command.split()[0] not in ("macro-ase", "pip", "make"):
            raise ValueError(f"{page}: {line!r} is no command; Python is fenced")
        yield Piece(page, command.strip(), remark.strip())


def understood(command: str) -> None:
    """Read a command of macro-ase, and check the settings of a study that it asks for.

    Raises
    ------
    SystemExit, ValueError, FileNotFoundError
        If it would be refused.
    """
    from macro_ase.cli_arguments import parser
    from macro_ase.cli_runs import settings_of
    from macro_ase.extras import need
    from macro_ase.studies.registry import study_of

    args = parser().parse_args(shlex.split(command)[1:])
    if args.command in ("run", "work"):
        need("torch", "a study")
        config, _ = settings_of(args)
        study_of(config)


def follow(piece: Piece) -> subprocess.CompletedProcess[str]:
    """Do what a piece says, in this folder, by this Python; pip works in the clone."""
    python, where = sys.executable, Path()
    if piece.python:
        Path("pasted.py").write_text(piece.text, encoding="utf-8")
        words = [python, "pasted.py"]
    elif piece.full:
        code = f"import newcomer; newcomer.understood({piece.text!r})"
        words = [python, "-c", f"import sys; sys.path.append({str(ROOT / 'docs/_ext')!r}); {code}"]
    elif piece.words[0] == "make":
        words, where = ["make", "-n", *piece.words[1:]], ROOT
    elif piece.words[0] == "pip":
        words, where = [python, "-m", *piece.words, "-q"], ROOT
    else:
        words = [python, "-m", "macro_ase", *piece.words[1:]]
    return subprocess.run(words, cwd=where, capture_output=True, text=True, check=False)


def main(full: bool) -> int:
    """Follow the pages, with a line for each piece; 1 if one failed, but for want of an extra.

    A full install is extended by the extras that a piece asks for, and the piece is followed again.
    """
    failed, missing, extras = 0, set[str](), set[str]()
    waiting = deque(piece for page in PAGES for piece in pieces(page))
    while waiting:
        piece = waiting.popleft()
        if not piece.python and piece.words[0] == "pip" and (piece.in_a_clone or not full):
            continue
        start = time.monotonic()
        done = follow(piece)
        needed = NEEDS.search(done.stderr)
        if done.returncode == 0:
            outcome = "understood" if piece.full else "done"
        elif needed and needed[1] not in extras:
            outcome = f"needs {needed[1]}"
            if full:
                extras.add(needed[1])
                waiting.extendleft((piece, Piece(piece.page, f"pip install '.{needed[2]}'")))
            elif not piece.python:
                missing |= {word for word in piece.words if "/" in word}
        elif any(word in piece.text for word in missing):
            outcome = "needs one before it"
        else:
            outcome = "FAILED"
        failed += outcome == "FAILED"
        name = f"Python: {piece.text.strip().splitlines()[-1]}" if piece.python else piece.text
        print(
            f"{outcome:24s} {time.monotonic() - start:5.0f} s  {piece.page:9s} {name}", flush=True
        )
        if outcome == "FAILED":
            print(done.stdout, done.stderr, sep="\n", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main("full" in sys.argv[1:]))
