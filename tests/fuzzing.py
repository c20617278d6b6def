"""What fuzz tests share: bounded examples, a folder of their own, and what a refusal looks like."""

import contextlib
import copy
import io
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("hypothesis")

from hypothesis import settings
from hypothesis import strategies as st

from macro_ase.cli import main

CHARACTERS = st.characters(exclude_categories=["Cs"])
"""All that UTF-8 can write, without every one being tried."""
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    st.integers(),
    st.sampled_from([10**26, 2**63, -(2**31), 1e300, 5e-324, float("nan"), float("inf")]),
    st.floats(),
    st.text(CHARACTERS, max_size=8),
    st.sampled_from(["", "/", "..", "\x00", "<b>", "\u202e", "NbMo", "{}", "a" * 300]),
)
JSONS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=4), inner)
    ),
    max_leaves=6,
)
OF_PROGRAMMERS = re.compile(
    r"\b(Key|Index|Type|Attribute|Value|Assertion|Overflow|ZeroDivision|UnboundLocal|XYZ)Error\b"
    r"|StopIteration|out of range\b.*\bindex|index.*out of (range|bounds)|NoneType"
    r"|not subscriptable"
    r"|has no attribute|positional argument|keyword argument|invalid literal|could not convert"
    r"|could not broadcast|inhomogeneous|to unpack|unhashable|not iterable|codec can't"
    r"|cannot reshape"
    r"|object is not|must be a string, |zero-size array|reduction operation|of type '"
    r"|object of type"
)
"""What Python says of its own values: no sentence about a file."""


def bounded(examples: int) -> Any:
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None)


class Begun(Exception):
    """Work would begin."""


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(before)


def refused(*argv: str) -> str:
    """The line that refuses a command, which must end with status 2; empty if it is not."""
    out, err = io.StringIO(), io.StringIO()
    shown = warnings.showwarning
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(argv)
    except Begun:
        return ""
    finally:
        warnings.showwarning = shown
    lines = [line for line in err.getvalue().splitlines() if "warning: " not in line]
    if status == 0:
        return ""
    assert status == 2 and out.getvalue() == ""
    assert len(lines) == 1 and lines[0].startswith("macro-ase: error: "), err.getvalue()
    return lines[0]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all parts of a JSON value."""
    if not isinstance(value, (dict, list)):
        return [path]
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(p for key, part in parts for p in places(part, (*path, key)))]


def exchanged(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    changed = copy.copy(value)
    changed[path[0]] = exchanged(value[path[0]], path[1:], other)
    return changed
