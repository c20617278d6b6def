"""What ships with the package is in its wheel, and is found from there."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = """
import sys
sys.path.insert(0, sys.argv[1])
from macro_ase.config import list_studies
from macro_ase.engines import input_path
from macro_ase.potentials import path
files = path("NbMoTa.eam.alloy"), path("NbMoTa-kra.json"), input_path("in.relax")
print(*files, *[name for name, _ in list_studies()])
"""


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for module in ("hatchling", "pip"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: no wheel can be built")
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", ".", "--no-deps", "--no-build-isolation", "-q", "-w", str(folder))
    (file,) = folder.glob("macro_ase-*.whl")
    return file


@pytest.mark.slow
def test_what_ships_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder, place in (
        ("potentials", "macro_ase/_potentials"),
        ("lammps_inputs", "macro_ase/_lammps_inputs"),
        ("macro_ase/presets", "macro_ase/presets"),
        ("macro_ase/report", "macro_ase/report"),
    ):
        files = {file.name for file in (ROOT / folder).iterdir() if file.is_file()}
        assert len(files) >= 2
        assert not {f"{place}/{name}" for name in files} - inside
    assert not [name for name in inside if name.startswith(("tests", "tutorials", "benchmarks"))]


@pytest.mark.slow
def test_an_installed_package_finds_them_in_itself(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    pip("install", "--no-deps", "--no-index", "-q", "--target", str(place), str(wheel))
    words = [sys.executable, "-c", FILES, str(place)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *files, studies = done.stdout.split(maxsplit=3)
    assert "nbmota" in studies.split() and len(files) == 3
    for file in files:
        assert Path(file).is_relative_to(place) and Path(file).is_file()
