"""Machine code kept between processes is never that of other sources, and never in the way.

Where processes can fork, they do so from one that has imported numba, which takes longer than all
that they do.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from macro_ase.compiled import SOURCES

ROOT = Path(__file__).parent.parent / "macro_ase"
LOW = """
from ..compiled import compiled
FACTOR = {}

@compiled
def low(x):
    return FACTOR * x
"""
HIGH = """
from ..compiled import compiled
from .low import low

@compiled
def high(x):
    return low(x) + 1.0
"""
RATES = """
from typing import NamedTuple
from ..compiled import compiled
from .field_rates import field_rates, register

class Ours(NamedTuple):
    a: float

@compiled
def our_rates(p, x, out):
    out[0] = p.a * x[0]

register(Ours, our_rates)

@compiled
def rates(p, x, out):
    field_rates(p, x, out)
"""
MINE = """
from typing import NamedTuple
import numba as nb, numpy as np, helper
from macro_ase.kinetics.rates import Ours, rates, register

class Mine(NamedTuple):
    a: float

@nb.njit(cache=True)
def my_rates(p, x, out):
    out[0] = FACTOR * helper.part(p.a * x[0])

FACTOR = {}
register(Mine, my_rates)

def rate(p):
    out = np.zeros(1)
    rates(p, np.ones(1), out)
    return out[0]
"""
HELPER = """
import numba as nb

@nb.njit(cache=True)
def part(x):
    return {} * x
"""
SHOW = "from macro_ase.kinetics.high import high; print(high(1.0), sum(high._cache_hits.values()))"

TOGETHER = f"""
import os
children = []
while len(children) < 3 and 0 not in children:
    children.append(os.fork())
if 0 in children:
    {SHOW}
else:
    print([os.waitpid(child, 0)[1] for child in children])
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of two kernels, one of which calls the other."""
    inside = tmp_path / "lib" / "macro_ase"
    for room in ("kinetics", "observables"):
        (inside / room).mkdir(parents=True)
        (inside / room / "__init__.py").touch()
    (inside / "__init__.py").touch()
    for name in SOURCES:
        if name.endswith(".py"):
            (inside / name).touch()
    for name in ("compiled.py", "kernel_store.py"):
        shutil.copy(ROOT / name, inside / name)
    for name in ("field_rates.py", "registration.py"):
        shutil.copy(ROOT / "kinetics" / name, inside / "kinetics" / name)
    (inside / "kinetics" / "rates.py").write_text(RATES)
    (inside / "kinetics" / "low.py").write_text(LOW.format(2.0))
    (inside / "kinetics" / "high.py").write_text(HIGH)
    return tmp_path


def environment(package: Path, **changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA")}
    base = {"PYTHONPATH": str(package / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
    base |= {"XDG_CACHE_HOME": str(package / "user"), "TMPDIR": str(package / "temporary")}
    (package / "temporary").mkdir(exist_ok=True)
    return kept | base | changes


FORKING = """
import json, os, sys, tempfile, traceback
import numba, numpy
numba.njit(lambda x: 2.0 * x + 1.0)(1.0)

def work(code, folder, environment):
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(os.path.join(folder, name), os.O_CREAT | os.O_TRUNC | os.O_WRONLY), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:2] = ["", environment["PYTHONPATH"]]
    tempfile.tempdir = None
    numba.core.config.reload_config()
    exec(code, {"__name__": "__main__"})

for line in sys.stdin:
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work(*json.loads(line))
            code = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitpid(process, 0)[1], flush=True)
"""
Run = Callable[..., tuple[str, str]]


def started(package: Path, code: str = SHOW, **changes: str) -> tuple[str, str]:
    """Output and standard error of a process."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(package, **changes),
        cwd=package,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """`started`, or the same of a process that is forked."""
    if not hasattr(os, "fork"):
        yield started
        return
    first = environment(tmp_path_factory.mktemp("forking"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", FORKING], env=first, **pipes) as server:

        def forked(package: Path, code: str = SHOW, **changes: str) -> tuple[str, str]:
            asked = json.dumps([code, str(package), environment(package, **changes)])
            print(asked, file=server.stdin, flush=True)
            ended = server.stdout.readline().strip()
            out, error = ((package / name).read_text() for name in ("out", "err"))
            assert ended == "0", error
            return out.strip(), error

        yield forked
        server.stdin.close()


def kept(package: Path) -> list[Path]:
    return sorted(package.rglob("*.nbc"))


@pytest.mark.slow
def test_a_caller_follows_an_edited_callee_and_its_way_back(package: Path, run: Run) -> None:
    low = package / "lib" / "macro_ase" / "kinetics" / "low.py"
    assert run(package) == ("3.0 0", "")
    assert run(package) == ("3.0 1", "")
    low.write_text(LOW.format(5.0))
    assert run(package) == ("6.0 0", "")
    low.write_text(LOW.format(2.0))
    assert run(package) == ("3.0 1", "")


@pytest.mark.slow
def test_sources_edited_while_a_process_runs_are_noticed(package: Path, run: Run) -> None:
    low = package / "lib" / "macro_ase" / "kinetics" / "low.py"
    edit = f"from pathlib import Path; Path({str(low)!r}).write_text({LOW.format(5.0)!r})\n"
    assert run(package, SHOW.replace("; print", f"\n{edit}print"))[0] == "3.0 0"
    assert not kept(package)
    assert run(package)[0] == "6.0 0"


@pytest.mark.slow
def test_damaged_files_are_compiled_anew(package: Path, run: Run) -> None:
    run(package)
    before = kept(package)
    for damage in (lambda data: b"", lambda data: b"\0" * 40, lambda data: data[:-1]):
        for file in before:
            file.write_bytes(damage(file.read_bytes()))
        out, error = run(package)
        assert out == "3.0 0" and error.count("damaged files in") == 1
        assert kept(package) == before
    assert run(package) == ("3.0 1", "")


@pytest.mark.slow
def test_where_the_code_is_kept(package: Path, run: Run) -> None:
    beside = package / "lib" / "macro_ase" / "__pycache__"
    run(package)
    assert len(kept(beside)) == 2 == len(kept(package))
    run(package, NUMBA_CACHE_DIR=str(package / "asked"))
    assert len(kept(package / "asked")) == 2 and len(kept(package)) == 4
    run(package, NUMBA_CACHE_DIR="")
    assert len(kept(package)) == 4


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_said_in_one_line(package: Path, run: Run) -> None:
    (package / "file").touch()
    out, error = run(package, NUMBA_CACHE_DIR=str(package / "file"))
    assert out == "3.0 0" and error.count("UserWarning") == 1
    assert str(package / "file") in error and f"kept in {package / 'user'}" in error
    assert len(kept(package / "user")) == 2
    assert run(package, NUMBA_CACHE_DIR=str(package / "file")) == ("3.0 1", "")


@pytest.mark.slow
def test_without_a_home_the_code_is_kept_in_a_private_temporary_folder(
    package: Path, run: Run
) -> None:
    (package / "lib" / "macro_ase" / "__pycache__").touch()
    out, error = run(package, XDG_CACHE_HOME="/proc/nowhere")
    assert out == "3.0 0" and error.count("cannot be kept") == 1
    assert len(kept(package / "temporary")) == 2
    (folder,) = (package / "temporary").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    assert run(package, XDG_CACHE_HOME="/proc/nowhere") == ("3.0 1", "")
    folder.chmod(0o777)
    out, error = run(package, XDG_CACHE_HOME="/proc/nowhere")
    assert out == "3.0 0" and "others can write there" in error and "compiled by each" in error


@pytest.mark.slow
def test_processes_that_begin_together(package: Path, run: Run) -> None:
    if hasattr(os, "fork"):
        out, error = run(package, TOGETHER)
        assert out.count("3.0 ") == 3 and out.endswith("[0, 0, 0]") and not error
    else:
        ask = {"env": environment(package), "cwd": package, "stdout": subprocess.PIPE, "text": True}
        begun = [subprocess.Popen([sys.executable, "-c", SHOW], **ask) for _ in range(3)]
        assert all(process.communicate()[0].startswith("3.0 ") for process in begun)
    assert run(package) == ("3.0 1", "") and not list(package.rglob("*.part"))


@pytest.mark.slow
def test_a_package_in_a_zip_file(package: Path, run: Run) -> None:
    with zipfile.ZipFile(package / "lib.zip", "w") as archive:
        for file in (package / "lib").rglob("*.py"):
            archive.write(file, file.relative_to(package / "lib"))
    assert run(package, PYTHONPATH=str(package / "lib.zip")) == ("3.0 0", "")
    assert run(package, PYTHONPATH=str(package / "lib.zip")) == ("3.0 1", "")
    assert len(kept(package / "user")) == 2


@pytest.mark.slow
def test_functions_outside_the_package_are_not_kept(package: Path, run: Run) -> None:
    (package / "mine.py").write_text(
        "from macro_ase.compiled import compiled\n@compiled\ndef mine(x): return x\n"
    )
    assert run(package, "from mine import mine; print(mine(2))")[0] == "2" and not kept(package)


@pytest.mark.slow
def test_a_users_function_is_the_one_of_today_and_leaves_ours_alone(
    package: Path, run: Run
) -> None:
    show = "from mine import *; print(rate(Mine(1.0)), rate(Ours(0.5)))"
    for factor, part, expected in ((1.0, 1.0, "1.0"), (2.0, 1.0, "2.0"), (2.0, 3.0, "6.0")):
        (package / "mine.py").write_text(MINE.format(factor))
        (package / "helper.py").write_text(HELPER.format(part))
        assert run(package, show) == (f"{expected} 0.5", "")
    ours = "import numpy as np; from macro_ase.kinetics.rates import *; x = np.zeros(1); "
    ours += "rates(Ours(0.5), np.ones(1), x); print(x[0], sum(rates._cache_hits.values()))"
    (package / "mine.py").unlink()
    assert run(package, ours) == ("0.5 1", "")


@pytest.mark.slow
def test_every_kernel_stands_where_its_content_counts() -> None:
    """Modules with kernels, and those of the package that they import but for types."""
    counted = {file for name in SOURCES for file in (ROOT / name, *(ROOT / name).glob("*.py"))}
    for file in ROOT.rglob("*.py"):
        names = {n.id for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Name)}
        if file.name != "compiled.py" and names & {"compiled", "njit", "jit"}:
            assert file in counted, f"{file} holds kernels: name its room in compiled.SOURCES"
    for file in counted & set(ROOT.rglob("*.py")):
        assert file.name == "compiled.py" or "njit" not in file.read_text(), file
