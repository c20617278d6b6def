"""What is wrong with a file, in words of whoever made it, from what a reader of it raised."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

NO_NUMBER = re.compile(
    r"could not convert string '(?P<a>.*)' to |could not convert string to \w+: ?'?(?P<b>.*?)'?$"
    r"|invalid literal for int\(\) with base 10: ?'?(?P<c>.*?)'?$"
)
OF_THE_LANGUAGE = re.compile(
    r"to unpack|broadcast|inhomogeneous|cannot reshape|could not convert|invalid literal|argument"
    r"|zero-size|array element|operands|NoneType|object|out of bounds|dimensions|buffer"
    r"|cannot convert|math domain|base 10|sequence|must be a |tuple|dtype|is not in list|unpickl"
    r"|substring|field "
)
UNLIKE = "it is cut, or not as files of its kind are"


def reason(error: BaseException) -> str:
    """One line of a user's words for any error of a reader.

    What is said for people (`ValueError` of this package or ASE's own errors) is kept; what
    Python, NumPy and ASE say of their own values is not.
    """
    text = " ".join(str(error).split())
    if (found := NO_NUMBER.search(text)) is not None:
        return f"{(found[found.lastgroup or 'a'])[:40]!r} is no number"
    if isinstance(error, UnicodeError):
        return "it is not text in UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, KeyError) and error.args:
        return f"{str(error.args[0])[:60]!r} is missing or unknown"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    own = isinstance(error, (ValueError, OSError, EOFError)) or _of_ase(error)
    return text[:300] if own and text and OF_THE_LANGUAGE.search(text) is None else UNLIKE


def absent(file: str | Path) -> str:
    """That there is no such file, with those of nearly its name: a line to go on with."""
    path = Path(file)
    if path.is_dir():
        return f"no such file: {file} (it is a folder)"
    if not path.parent.is_dir():
        return f"no such file: {file} (there is no folder {path.parent})"
    near = get_close_matches(path.name, [beside.name for beside in path.parent.iterdir()])
    named = ", ".join(str(path.with_name(name)) for name in near)
    return f"no such file: {file}" + (f" (near it: {named})" if near else "")


def _of_ase(error: BaseException) -> bool:
    return type(error).__module__.startswith("ase.")
