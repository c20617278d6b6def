"""What the JSON files of a run must look like for a report to be made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..reasons import reason

TEXT, NUMBER, ANY = "text", "a number", "anything"
VERDICTS = "passed, failed, undecided or information"
TABLE = {"caption": TEXT, "columns!": [ANY], "rows!": [[ANY]]}
FIGURE = {"file!": TEXT, "caption": TEXT}
SHAPES: dict[str, Any] = {
    "metrics.json": {
        "study": TEXT,
        "seed": NUMBER,
        "wall_s": NUMBER,
        "versions": {"*": TEXT},
        "stages": {"*": NUMBER},
        "metrics": {
            "*": {"value": NUMBER, "error": NUMBER, "truth": NUMBER, "floor": NUMBER, "unit": TEXT}
        },
    },
    "results.json": {
        "title!": TEXT,
        "summary": [TEXT],
        "sections": [{"title!": TEXT, "text": TEXT, "tables": [TABLE], "figures": [FIGURE]}],
        "checks": [
            {
                "name!": TEXT,
                "verdict": VERDICTS,
                "passed": "true or false",
                "value": ANY,
                "allowed": ANY,
                "text": ANY,
            }
        ],
    },
}
"""Kinds of values by file: a key that ends in ! must be there, * is any key, and null is an absent
value. Keys that are not named are not looked at."""


def read_shaped(run: Path, name: str) -> dict[str, Any]:
    """A JSON file of a run folder.

    Parameters
    ----------
    run : Path
    name : {"metrics.json", "results.json"}

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
        raise ValueError(
            f"{run / name} is damaged: {reason(error)}; run the study again"
        ) from error
    if not isinstance(data, dict):
        raise ValueError(f"{run / name} must hold a table, not {_short(data)}")
    _require(data, SHAPES[name], str(run / name) + ":")
    return data


def read_text(run: Path, name: str) -> str:
    """A text file of a run folder.

    Raises
    ------
    FileNotFoundError, ValueError
        If it is not there, or no text.
    """
    if not (run / name).is_file():
        raise FileNotFoundError(f"{run} is not the folder of a finished run: it has no {name}")
    try:
        return (run / name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{run / name} is damaged: {error}") from error


def _require(value: Any, shape: Any, where: str) -> None:
    """Raise ValueError unless a value has a shape; null has any."""
    if value is None or shape == ANY:
        return
    if not _is(value, shape):
        kinds: dict[Any, str] = {list: "a list", dict: "a table"}
        kind = kinds.get(type(shape), shape)
        raise ValueError(f"{where} must be {kind}, not {_short(value)}")
    if isinstance(shape, list):
        for number, item in enumerate(value):
            if item is None and shape[0] != ANY:
                raise ValueError(f"{where}[{number}] must not be null")
            _require(item, shape[0], f"{where}[{number}]")
    if isinstance(shape, dict):
        _require_table(value, shape, where)


def _require_table(table: dict[str, Any], shape: dict[str, Any], where: str) -> None:
    dot = " " if where.endswith(":") else "."
    for key, kind in shape.items():
        name = key.rstrip("!")
        if key.endswith("!") and table.get(name) is None:
            raise ValueError(f"{where}{dot}{name} is missing")
        names = list(table) if key == "*" else [name]
        for each in names:
            if key == "*" and table[each] is None and isinstance(kind, dict):
                raise ValueError(f"{where}{dot}{each} must not be null")
            _require(table.get(each), kind, f"{where}{dot}{each}")


def _is(value: Any, shape: Any) -> bool:
    if shape == NUMBER:
        return (type(value) in (int, float) and abs(value) < 10**300) or value != value
    if shape == VERDICTS:
        return isinstance(value, str) and value in VERDICTS.replace(" or", ",").split(", ")
    if isinstance(shape, str):
        return isinstance(value, str if shape == TEXT else bool)
    return isinstance(value, type(shape))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
