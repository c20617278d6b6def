"""What readers raise, in a user's words."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase.io.formats import UnknownFileTypeError

from macro_ase.reasons import UNLIKE, absent, reason


def caught(action):
    try:
        action()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: int("two"), "'two' is no number"),
        (lambda: float("1.2.3"), "'1.2.3' is no number"),
        (lambda: np.loadtxt(["1 two"]), "'two' is no number"),
        (lambda: {}["energy"], "'energy' is missing or unknown"),
        (lambda: [][0], UNLIKE),
        (lambda: np.zeros(3) + np.zeros(2), UNLIKE),
        (lambda: np.array([[1], [1, 2]]), UNLIKE),
        (lambda: [].index(3), UNLIKE),
        (lambda: b"\xff".decode(), "it is not text in UTF-8"),
        (lambda: json.loads("[" * 100_000), "it is nested too deeply"),
        (lambda: open("/nothing/here"), "No such file or directory"),
    ],
)
def test_what_the_language_says_is_not_repeated(action, words):
    assert reason(caught(action)) == words


@pytest.mark.parametrize("kind", [ValueError, UnknownFileTypeError])
def test_what_is_said_for_people_is_kept_in_one_line(kind):
    assert reason(kind("its box\n has no volume")) == "its box has no volume"


def test_a_file_that_is_not_there_names_those_near_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("alloy.xyz").touch()
    Path("runs").mkdir()
    assert absent("aloy.xyz") == "no such file: aloy.xyz (near it: alloy.xyz)"
    assert absent(tmp_path / "alloy.xy").endswith(f"(near it: {tmp_path / 'alloy.xyz'})")
    assert absent("potential.alloy") == "no such file: potential.alloy"
    assert absent("runs") == "no such file: runs (it is a folder)"
    assert absent("gone/a.xyz") == "no such file: gone/a.xyz (there is no folder gone)"
