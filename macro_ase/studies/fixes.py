"""What would do instead of settings that are refused: tried, and named at the end of the line.

    ... does not divide the large system's [18, 18, 18] cells: --set system.small_size=[9,9,9]

First comes what the refusal itself names (`refusals.Refused`), with what a further refusal of that
names, and so on; then the value that the preset has for a setting that was changed, those in the
message before others. Nothing is named that was not accepted.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ..config import Config, flatten, usual
from ..refusals import Mended, Refused
from ..toml_text import as_options

Made = TypeVar("Made")
OF_THE_USER = ("structure", "structure_species", "calculator", "potential", "barriers", "class")
"""Settings that hold something of a person's own, for which nothing else would do."""
MOST_TOGETHER = 3
"""Refusals in a row that are followed."""


def checked(design_of: Callable[[Config], Made], config: Config) -> Made:
    """What is made of settings.

    Parameters
    ----------
    design_of : callable
        From settings to a design; raises ValueError for those that make no sense.
    config : dict

    Raises
    ------
    ValueError
        As ``design_of``; `Mended`, with ``--set KEY=VALUE`` at the end, where that is accepted.
    """
    try:
        return design_of(config)
    except ValueError as error:
        changes = _named(design_of, config, error, {}) or _of_the_preset(design_of, config, error)
        if changes:
            raise Mended(f"{error}: {as_options(changes)}", changes) from error
        raise


def _named(
    design_of: Callable[[Config], Any], config: Config, error: BaseException, before: Config
) -> Config:
    """Changes that refusals name, one after the other until all is accepted; {} if it is not."""
    for instead in _instead(error, config):
        changes = before | instead
        if set(before) & set(instead):
            continue
        further = _refusal(design_of, config, changes)
        if further is None:
            return changes
        found = {}
        if len(changes) < MOST_TOGETHER:
            found = _named(design_of, config, further, changes)
        if found:
            return found
    return {}


def _instead(error: BaseException | None, config: Config) -> Iterator[Config]:
    """What a refusal and its causes name, by full names."""
    now = flatten(config)
    while error is not None:
        if isinstance(error, Refused) and error.instead:
            named = [_full_name(name, now) for name in error.instead]
            if all(named):
                yield dict(zip(named, error.instead.values()))
        error = error.__cause__


def _of_the_preset(design_of: Callable[[Config], Any], config: Config, error: ValueError) -> Config:
    """One changed setting as the preset has it; {} if no such change is accepted."""
    now, preset, text = flatten(config), usual(config), str(error)
    own = [k for k, v in preset.items() if k in now and now[k] != v]
    own = [key for key in own if key.rpartition(".")[2] not in OF_THE_USER]
    for key in sorted(own, key=lambda key: (key not in text, key.rpartition(".")[2] not in text)):
        if _refusal(design_of, config, {key: preset[key]}) is None:
            return {key: preset[key]}
    return {}


def _full_name(name: str, settings: Config) -> str:
    """Of a setting, from its last part where that is one's alone; "" if it is not."""
    found = [key for key in settings if name in (key, key.rpartition(".")[2])]
    return found[0] if len(found) == 1 else ""


def _refusal(
    design_of: Callable[[Config], Any], config: Config, changes: Config
) -> ValueError | OSError | None:
    """What is said against the settings with these changes; None if they are accepted."""
    tried = copy.deepcopy(config)
    for key, value in changes.items():
        *tables, name = key.split(".")
        inner = tried
        for table in tables:
            inner = inner[table]
        inner[name] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            design_of(tried)
        except (ValueError, OSError) as error:
            return error
    return None
