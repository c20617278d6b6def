"""The light core guards every call that only POSIX has, and works where these are missing."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import macro_ase

PACKAGE = Path(macro_ase.__file__).parent
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "posix"}
CALLS = {
    *("fork", "kill", "killpg", "setsid", "getuid", "geteuid", "getgid", "getpgid", "uname"),
    *("nice", "sysconf", "statvfs", "mkfifo", "chown", "fchmod", "sched_getaffinity", "getloadavg"),
}
SIGNALS = {"SIGKILL", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "setitimer", "alarm"}
OF_PYTHON = {"sched_getaffinity"}
"""What Python's own modules would miss, too."""
NAMED = re.compile(rf"\b({'|'.join(MODULES | CALLS | SIGNALS)})\b")
WITHOUT = f"""
import asyncio, os, sys, tempfile, multiprocessing
import ase.io, matplotlib.pyplot, matscipy.neighbours, numba, numpy, scipy, zarr
for name in {sorted(CALLS - OF_PYTHON)!r}:
    if hasattr(os, name):
        delattr(os, name)
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {MODULES!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
for name in {MODULES!r}:
    sys.modules.pop(name, None)
from pathlib import Path
from macro_ase.cli import main
from macro_ase.folder_lock import only_writer
assert main("build bcc NbMoTa --size 4 4 4 --vacancies 1 --out a.xyz".split()) == 0
assert main("sro a.xyz --csv a.csv".split()) == 0
assert main("kmc a.xyz --temperature 2000 --steps 200 --traj a.traj".split()) == 0
with only_writer(Path("run")):
    pass
from macro_ase.sampling import Store
Store("data.zarr").write("a/0", {{"z": numpy.zeros(3)}})
assert Store("data.zarr").keys() == ["a/0"]
"""


def unguarded(text: str) -> Iterator[str]:
    """Names that only POSIX has, used outside of any `try` and of what asks for them."""

    def walk(node: ast.AST, safe: bool) -> Iterator[str]:
        asked = ast.unparse(getattr(node, "test", node)) if hasattr(node, "test") else ""
        whole = ast.unparse(node) if isinstance(node, ast.BoolOp) else ""
        safe = safe or isinstance(node, ast.Try) or "hasattr(os" in asked + whole
        safe = safe or "os.name" in asked
        if not safe and isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            yield from MODULES & {*names, getattr(node, "module", "")}
        if not safe and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = {"os": CALLS, "signal": SIGNALS}.get(node.value.id, set())
            yield from {node.attr} & known
        for child in ast.iter_child_nodes(node):
            yield from walk(child, safe)

    return walk(ast.parse(text), False)


def test_calls_of_one_system_are_guarded() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if "lammps" not in file.parts]
    texts = {str(file): file.read_text(encoding="utf-8") for file in files}
    named = {file: text for file, text in texts.items() if NAMED.search(text)}
    found = {file: list(unguarded(text)) for file, text in named.items()}
    assert len(found) >= 3 and not {file: names for file, names in found.items() if names}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import fcntl", ["fcntl"]),
        ("from resource import getrusage", ["resource"]),
        ("import os\nos.kill(1, 0)", ["kill"]),
        ("signal.signal(signal.SIGALRM, f)", ["SIGALRM"]),
        ("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None", []),
        ("n = os.getuid() if hasattr(os, 'getuid') else 0", []),
    ],
)
def test_the_check_sees_them(text: str, names: list[str]) -> None:
    assert list(unguarded(text)) == names


@pytest.mark.slow
def test_the_light_core_works_without_them(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WITHOUT]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
