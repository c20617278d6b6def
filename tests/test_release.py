"""Versions from one place, a recipe that matches, scripts that do what they say, a small clone."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from zlib import compress

import pytest

import macro_ase

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OF_CONDA = {"matplotlib": "matplotlib-base", "torch": "pytorch"}


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT and PROJECT["dynamic"] == ["version"]
    assert f"version: {macro_ase.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_recipe_is_that_of_the_package() -> None:
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text())
    assert recipe["context"]["version"] == macro_ase.__version__
    assert f">={recipe['context']['python_min']}" == PROJECT["requires-python"]

    def named(needed: str) -> tuple[str, str]:
        name, limits = re.fullmatch(r"([\w.-]+) ?(.*)", needed).groups()  # type: ignore[union-attr]
        return OF_CONDA.get(name, name), limits

    requirements = recipe["requirements"]
    run = [named(line) for line in requirements["run"] if not line.startswith("python ")]
    assert run == [named(line) for line in PROJECT["dependencies"]]
    learn = PROJECT["optional-dependencies"]["learn"]
    assert [named(line) for line in requirements["run_constraints"]] == list(map(named, learn))
    command = f"macro-ase = {PROJECT['scripts']['macro-ase']}"
    assert recipe["build"]["python"]["entry_points"] == [command]
    assert recipe["about"]["summary"] == PROJECT["description"]
    assert recipe["about"]["license"] == PROJECT["license"]


def test_a_python_is_found_or_named_as_missing() -> None:
    words = ["sh", str(ROOT / ".ci" / "python")]
    found = subprocess.run(words, capture_output=True, text=True)
    assert found.returncode == 0 and Path(found.stdout.strip()).exists()
    none = subprocess.run([*words, "python0.1"], capture_output=True, text=True)
    assert none.returncode == 1 and none.stdout == ""
    assert none.stderr.count("\n") == 1 and "make PYTHON=python3.12" in none.stderr


def test_workflows_call_scripts_that_are_there() -> None:
    text = "".join(file.read_text() for file in (ROOT / ".github" / "workflows").glob("*.yml"))
    scripts = set(re.findall(r"run: (\.ci/\w+)", text))
    assert {".ci/matrix", ".ci/run"} <= scripts
    assert all((ROOT / script).is_file() for script in scripts)
    targets = set(re.findall(r"run: make ([\w-]+)", text))
    assert all(f"\n{target}:" in (ROOT / "Makefile").read_text() for target in targets)


def test_the_matrix_runs_tests_that_are_there() -> None:
    text = (ROOT / ".ci" / "matrix").read_text()
    tests = re.findall(r"tests/[\w/]+\.py", text)
    assert len(tests) >= 10 and all((ROOT / test).is_file() for test in tests)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("script", ["matrix", "release", "run", "light"])
def test_scripts_can_be_read(script: str) -> None:
    assert subprocess.run(["bash", "-n", str(ROOT / ".ci" / script)]).returncode == 0


def test_containers_have_a_python_that_will_do() -> None:
    least = tuple(map(int, PROJECT["requires-python"].removeprefix(">=").split(".")))
    for page in ("Dockerfile", "docs/install.md"):
        for version in re.findall(r"python:(\d+)\.(\d+)-slim", (ROOT / page).read_text()):
            assert tuple(map(int, version)) >= least


def test_containers_hold_what_a_wheel_is_made_of() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = whole["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]}
    needed |= {*wheel["packages"], *wheel["force-include"]}
    docker = re.findall(r"^COPY (.*) /src/\w*$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {name for line in docker for name in line.split()} == needed
    lines = re.findall(r"^ +(\S+) /src/(\S+)$", (ROOT / "docs" / "install.md").read_text(), re.M)
    assert {name for name, _ in lines} == needed and all(name == place for name, place in lines)


def test_a_clone_is_small() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    words = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if (ROOT / name).is_file()]
    kept = {file: file.read_bytes() for file in files}
    assert len(kept) > 500
    # A shallow clone holds every file as it is, and packed.
    assert sum(len(text) + len(compress(text)) for text in kept.values()) < 10 * 2**20
    pictures = {str(file): len(text) for file, text in kept.items() if file.suffix == ".png"}
    assert pictures and max(pictures.values()) < 100_000, max(pictures, key=lambda k: pictures[k])
