"""Every setting of a study as a file of settings: its value, its meaning, its limits.

The text is the preset's own with the values that were asked for; it may be kept, changed and run.
Limits are what the checks of the study's design ask for while it is made of these settings.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any

from ..config import flatten
from ..extras import installed
from ..setting_values import LARGEST, LARGEST_WHOLE
from ..studies.registry import study_of
from ..studies.settings import limits_noted
from ..toml_text import toml_value

SHARED = {"seed": ["at least 0"], "workers": ["at least 1"]}
KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"} | {
    list: "list",
    dict: "table",
}


def settings_text(config: dict[str, Any], preset: Path) -> str:
    """The settings of a study, with limits and defaults, in TOML.

    Parameters
    ----------
    config : dict
        As `config.load_config` gives it.
    preset : Path
        That of the study, as `config.preset_of` gives it.
    """
    text = preset.read_text(encoding="utf-8")
    default, values, limits = tomllib.loads(text), flatten(config), SHARED | _limits(config)
    quick, open_tables = flatten(default.pop("quick", {})), default.pop("open", [])
    known = flatten(default)
    lines = [f"study = {toml_value(config['study'])}"]
    for table, name, line in _parts(text.splitlines()):
        key = f"{table}.{name}" if table and name else name
        if name and table != "quick" and key != "open":
            value = _at(config, key)
            notes = _notes(key, value, _at(default, key), limits.get(key, []), quick)
            line = f"{name} = {toml_value(value)}  # {'; '.join(notes)}"
        if table != "quick" and key != "open":
            lines.append(line)
        if line.startswith("[") and table in open_tables:
            own = [k for k in values if k not in known and k.startswith(f"{table}.")]
            lines += [f"{k.removeprefix(f'{table}.')} = {toml_value(values[k])}" for k in own]
    return "\n".join(lines).rstrip() + "\n"


def _at(table: Any, key: str) -> Any:
    """The value of a dotted key."""
    return reduce(lambda inner, name: inner[name], key.split("."), table)


def _parts(lines: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Table, name of the key or "", and text of each line; values of several lines are one."""
    table, name, whole = "", "", ""
    for line in lines:
        if line.startswith("["):
            table = line.strip("[] ")
        if not whole and "=" in line and not line.startswith(("#", "[")):
            name = line.partition("=")[0].strip().strip('"')
        if name:
            whole = f"{whole}\n{line}" if whole else line
            with suppress(tomllib.TOMLDecodeError):
                tomllib.loads(whole)
                yield table, name, whole
                name = whole = ""
        else:
            yield table, "", line


def _limits(config: dict[str, Any]) -> dict[str, list[str]]:
    """Limits by key; none where the study cannot be made yet, or its extra is not installed."""
    with limits_noted() as noted, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if installed("torch"):
            with suppress(ValueError, FileNotFoundError):
                study_of(config)
    return noted


def _notes(
    key: str, value: Any, default: Any, limits: list[str], quick: dict[str, Any]
) -> list[str]:
    """Kind and limits of a value; the default and the quick form's, where they differ."""
    notes = [KINDS[type(default)], *limits]
    if type(default) is int:
        notes.append(f"at most {LARGEST.get(key.rpartition('.')[2], LARGEST_WHOLE):g}")
    if value != default:
        notes.append(f"default: {toml_value(default)}")
    if quick.get(key, value) != value:
        notes.append(f"--quick: {toml_value(quick[key])}")
    return notes
