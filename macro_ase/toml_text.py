"""Values and settings as TOML, in files and as options of the command line."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

Table = dict[str, Any]


def dump_toml(config: Table) -> str:
    """Settings as TOML text; `tomllib.loads` gives them back.

    Raises
    ------
    ValueError
        If a value has no TOML form, such as None.
    """
    return "\n".join(_toml_lines(config, ())).lstrip("\n") + "\n"


def toml_value(value: Any) -> str:
    """One value in TOML; tables are written inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, dict):
        pairs = (f"{_toml_key(key)} = {toml_value(v)}" for key, v in value.items())
        return "{ " + ", ".join(pairs) + " }"
    raise ValueError(f"no TOML form for {value!r}")


def as_options(changes: Table) -> str:
    """Settings by full name as a shell takes them: ``--set system.small_size=[6,6,6]``."""
    return " ".join(f"--set {_option(key, value)}" for key, value in changes.items())


def _option(key: str, value: Any) -> str:
    """One setting; a word needs no quotes of TOML, and a list of numbers none of the shell."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w.-]*", value)
    text = f"{key}={value if plain else toml_value(value).replace(', ', ',')}"
    return text if re.fullmatch(r"[\w.=\[\],+-]*", text) else shlex.quote(text)


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)


def _toml_lines(table: Table, name: tuple[str, ...]) -> list[str]:
    """Values first, then each table under its header."""
    values = {key: value for key, value in table.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    header = ["", "[" + ".".join(map(_toml_key, name)) + "]"]
    lines = header if name and (values or not tables) else []
    lines += [f"{_toml_key(key)} = {toml_value(value)}" for key, value in values.items()]
    for key, inner in tables.items():
        lines += _toml_lines(inner, (*name, key))
    return lines
