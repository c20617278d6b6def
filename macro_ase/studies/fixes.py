"""What would do instead of settings that are refused: tried, and named at the end of the line.

    ... does not divide the large system's [18, 18, 18] cells: --set system.small_size=[9,9,9]

First comes what the refusal itself names (`refusals.Refused`), then the value that the preset has
for a setting that was changed, those in the message before others. Nothing is named that was not
accepted.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ..config import Config, flatten, usual
from ..refusals import Refused
from ..toml_text import as_options

Made = TypeVar("Made")
OF_THE_USER = ("structure", "structure_species", "calculator", "potential", "barriers", "class")
"""Settings that hold something of a person's own, for which nothing else would do."""


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
        As ``design_of``, with ``--set KEY=VALUE`` at the end where that is known to be accepted.
    """
    try:
        return design_of(config)
    except ValueError as error:
        for changes in _instead(error, config):
            if _accepted(design_of, config, changes):
                raise ValueError(f"{error}: {as_options(changes)}") from error
        raise


def _instead(error: ValueError, config: Config) -> Iterator[Config]:
    """Changes that may do, by full name."""
    now, preset, text = flatten(config), usual(config), str(error)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Refused) and cause.instead:
            named = [_full_name(name, now) for name in cause.instead]
            if all(named):
                yield dict(zip(named, cause.instead.values()))
        cause = cause.__cause__
    own = [k for k, v in preset.items() if k in now and now[k] != v]
    own = [key for key in own if key.rpartition(".")[2] not in OF_THE_USER]
    for key in sorted(own, key=lambda key: (key not in text, key.rpartition(".")[2] not in text)):
        yield {key: preset[key]}


def _full_name(name: str, settings: Config) -> str:
    """Of a setting, from its last part where that is one's alone; "" if it is not."""
    found = [key for key in settings if name in (key, key.rpartition(".")[2])]
    return found[0] if len(found) == 1 else ""


def _accepted(design_of: Callable[[Config], Any], config: Config, changes: Config) -> bool:
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
        except (ValueError, OSError):
            return False
    return True
