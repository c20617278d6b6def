"""The JSON files of a run, read; whoever made them, they have the shape that the page needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..reasons import reason

TEXT, NUMBER, BOOLEAN, ANY = "text", "a number", "true or false", "anything"
VERDICTS = ("passed", "failed", "undecided", "information")
KINDS: dict[type, str] = {list: "a list", dict: "a table", tuple: f"one of {', '.join(VERDICTS)}"}
TABLE = {"caption": TEXT, "columns!": [ANY], "rows!": [[ANY]]}
FIGURE = {"file!": TEXT, "caption": TEXT}
METRIC = dict.fromkeys(("value", "error", "truth", "floor"), NUMBER) | {"unit": TEXT}
CHECK = {"name!": TEXT, "verdict": VERDICTS, "passed": BOOLEAN}
SHAPES: dict[str, Any] = {
    "metrics.json": {
        "study": TEXT,
        "seed": NUMBER,
        "wall_s": NUMBER,
        "versions": {"*": TEXT},
        "stages": {"*": NUMBER},
        "cost": {"*": NUMBER},
        "metrics": {"*": METRIC},
    },
    "results.json": {
        "title!": TEXT,
        "summary": [TEXT],
        "checks": [CHECK],
        "sections": [{"title!": TEXT, "text": TEXT, "tables": [TABLE], "figures": [FIGURE]}],
        "baselines": TABLE,
        "cost": {"table!": TABLE, "sentence": TEXT},
        "command": TEXT,
    },
}
"""Kinds of values by file: a key that ends in ! must be there, * is any key, and null is an absent
value. Keys that are not named are not looked at."""


def read_shaped(run: Path, name: str) -> dict[str, Any]:
    """``metrics.json`` or ``results.json`` of a run folder.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it is damaged or of another shape, naming the file and the part of it.
    """
    try:
        data = json.loads(read_text(run, name))
    except (ValueError, RecursionError) as error:
        why = f"{run / name} is damaged: {reason(error)}; run the study again"
        raise ValueError(why) from error
    if not isinstance(data, dict):
        raise ValueError(f"{run / name} must hold a table, not {_short(data)}")
    _require(data, SHAPES[name], f"{run / name}: ")
    return data


def read_text(run: Path, name: str) -> str:
    """A text file of a run folder; FileNotFoundError if it is not there, ValueError if no text."""
    if not (run / name).is_file():
        raise FileNotFoundError(f"{run} is not the folder of a finished run: it has no {name}")
    try:
        return (run / name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{run / name} is damaged: {error}") from error


def _require(value: Any, shape: Any, where: str, needed: bool = False) -> None:
    """Raise ValueError unless a value has a shape; null has any, unless it is needed."""
    if value is None and needed:
        raise ValueError(f"{where} must not be null")
    if value is None or shape == ANY:
        return
    if not _is(value, shape):
        raise ValueError(f"{where} must be {KINDS.get(type(shape), shape)}, not {_short(value)}")
    if isinstance(shape, list):
        for number, item in enumerate(value):
            _require(item, shape[0], f"{where}[{number}]", needed=shape[0] != ANY)
    for key, kind in shape.items() if isinstance(shape, dict) else ():
        name = key.rstrip("!")
        if name != key and value.get(name) is None:
            raise ValueError(f"{_inside(where, name)} is missing")
        for each in value if key == "*" else [name]:
            _require(value.get(each), kind, _inside(where, each), key == "*" and kind == METRIC)


def _inside(where: str, name: str) -> str:
    return where + ("" if where.endswith(": ") else ".") + name


def _is(value: Any, shape: Any) -> bool:
    if shape == NUMBER:
        return bool((type(value) in (int, float) and abs(value) < 10**300) or value != value)
    if isinstance(shape, str):
        return isinstance(value, str if shape == TEXT else bool)
    return value in shape if isinstance(shape, tuple) else isinstance(value, type(shape))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
