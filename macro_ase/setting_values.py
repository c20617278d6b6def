"""Values of settings: in the type of the preset's, and within what any computer could want."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from .toml_text import toml_value

LARGEST_WHOLE = 10**7
LARGEST = {
    "seed": 2**63 - 1,
    "workers": 4096,
    "events": 10**9,
    **dict.fromkeys(("side", "n_side", "sizes", "beyond", "width", "hidden", "channels"), 10**4),
    **dict.fromkeys(("small_size", "large_size", "members", "variables", "depth", "seeds"), 10**3),
}
"""Largest whole number of keys of a name; of all others `LARGEST_WHOLE`."""
LARGEST_FLOAT, LEAST_FLOAT = 1e7, 1e-12
HUGE = 10**300


class Unfit(ValueError):
    """A setting that is unknown, or whose value does not fit.

    Attributes
    ----------
    key : str
        As it was given, or its full name.
    forms : sequence of dict
        Settings that fit in its place, by full name, the likeliest first.
    """

    def __init__(self, text: str, key: str, forms: Sequence[dict[str, Any]]) -> None:
        super().__init__(text)
        self.key, self.forms = key, forms


def fitting(key: str, value: Any, default: Any, usual: Any) -> list[Any]:
    """The value, or a list or the text of it, where that fits; last the usual value.

    A list of two is a range more often than not, for which one number would not do.
    """
    forms: list[Any] = [value]
    if isinstance(default, list) and isinstance(value, (int, float)) and len(default) != 2:
        forms.append([value] * (3 if key.endswith("_size") else 1))
    if isinstance(default, str) and isinstance(value, float):
        forms.append(str(value))
    found = []
    for form in forms:
        with suppress(ValueError):
            found.append(coerced(key, form, default))
    return [*found, usual]


def coerced(key: str, value: Any, default: Any) -> Any:
    """The value in the type of its default; whole numbers and floats stand for each other.

    A number is a list of it where the default is a list of one.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if _is_one_number(default) and type(value) in (int, float):
        value = [value]
    if isinstance(default, list) and isinstance(value, list):
        model = _element_model(default)
        return [
            v if model is None else coerced(f"{key}[{i}]", v, model) for i, v in enumerate(value)
        ]
    number = (type(value) is int and abs(value) < HUGE) or (
        type(value) is float and math.isfinite(value)
    )
    if number and isinstance(default, float):
        return _within(key, float(value))
    if number and type(default) is int and value == int(value):
        return _within(key, int(value))
    if type(value) is type(default) and isinstance(value, (str, bool)):
        return value
    raise ValueError(f"{key} = {_short(value)}: expected {_kind(default)}")


def _is_one_number(default: Any) -> bool:
    return isinstance(default, list) and len(default) == 1 and type(default[0]) in (int, float)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _within(key: str, value: Any) -> Any:
    """The number, unless no computer and no unit of use could want it.

    Raises
    ------
    ValueError
        Naming the limit.
    """
    if isinstance(value, int):
        name = key.rpartition(".")[2].partition("[")[0]
        most = LARGEST.get(name, LARGEST_WHOLE)
        if abs(value) > most:
            raise ValueError(f"{key} must be at most {most}, not {_short(value)}")
    elif value and not LEAST_FLOAT <= abs(value) <= LARGEST_FLOAT:
        raise ValueError(
            f"{key} must be 0 or, in size, {LEAST_FLOAT:g} to {LARGEST_FLOAT:g}, not {value:g}"
        )
    return value


def _element_model(default: list[Any]) -> Any:
    """What an element of a list must look like: a float if any is, None if nothing is known."""
    return next((v for v in default if isinstance(v, float)), default[0] if default else None)


def _kind(default: Any) -> str:
    if isinstance(default, list):
        return f"a list such as {toml_value(default)}"
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}
    return names[type(default)]


def plain(key: str, value: Any) -> Any:
    """A value of a key that no schema knows: numbers, words, and lists of them."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (list, tuple)):
        return [plain(f"{key}[{i}]", v) for i, v in enumerate(value)]
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)) and math.isfinite(value):
        return value
    raise ValueError(f"{key} = {_short(value)}: expected a number, a word or a list of them")
