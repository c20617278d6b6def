"""What readers raise, in a user's words."""

import json

import numpy as np
import pytest
from ase.io.formats import UnknownFileTypeError

from macro_ase.reasons import UNLIKE, reason


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
