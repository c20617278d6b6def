"""Checks of numbers among the settings of a study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from typing import Any

from ..ratios import either, near_multiples, whole_ratio
from ..refusals import Refused

MOST_STEPS = 10**7
DRIFTS = ("network", "onsager", "potential")
LEARNING = {
    **{f"learning.{k}": 1 for k in ("width", "depth", "members", "epochs", "batch_size")},
    "learning.weight_decay": 0,
}
"""Smallest values of the settings ``learning`` that models of patches share."""


_NOTES: ContextVar[dict[str, list[str]] | None] = ContextVar("limits of settings", default=None)


@contextmanager
def limits_noted() -> Iterator[dict[str, list[str]]]:
    """What the checks of this module ask of each setting while the block runs, in words."""
    notes: dict[str, list[str]] = {}
    token = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(token)


def _note(key: str, limit: str) -> None:
    notes = _NOTES.get()
    if notes is not None and limit not in notes.setdefault(key, []):
        notes[key].append(limit)


def require_numbers(
    config: dict[str, Any],
    least: Mapping[str, float],
    above_0: Iterable[str],
    most: Mapping[str, float] | None = None,
    not_negative: Iterable[str] = (),
) -> None:
    """Refuse settings that are too small or too large; of lists, every number counts.

    Settings, as "table.key", are by their smallest or largest value, above 0, or 0 or more;
    ValueError names the first that is not.
    """
    for key, limit in least.items():
        _note(key, f"at least {limit:g}")
        if _end(config, key, min) < limit:
            text = f"{key} must be at least {limit}, not {setting(config, key)}"
            raise Refused(text, {key: _each(config, key, max, limit)})
    for key, limit in (most or {}).items():
        _note(key, f"at most {limit:g}")
        if _end(config, key, max) > limit:
            text = f"{key} must be at most {limit}, not {setting(config, key)}"
            raise Refused(text, {key: _each(config, key, min, limit)})
    for key in not_negative:
        _note(key, "0 or more")
        if _end(config, key, min) < 0:
            text = f"{key} must not be negative, not {setting(config, key)}"
            raise Refused(text, {key: _each(config, key, max, 0)})
    for key in above_0:
        _note(key, "above 0")
        if not _end(config, key, min) > 0:
            raise ValueError(f"{key} must be above 0, not {setting(config, key)}")


def _end(config: dict[str, Any], key: str, which: Callable[[Iterable[Any]], Any]) -> Any:
    """The least or the largest value of a setting, which may be a list that is not empty."""
    value = setting(config, key)
    if value == []:
        raise ValueError(f"{key} must not be empty")
    return which(value) if isinstance(value, list) else value


def _each(config: dict[str, Any], key: str, change: Callable[[Any, Any], Any], by: Any) -> Any:
    """A setting with its value changed by something, or every value of its list."""
    value = setting(config, key)
    return [change(v, by) for v in value] if isinstance(value, list) else change(value, by)


def require_choices(config: dict[str, Any], choices: Mapping[str, Iterable[str]]) -> None:
    """Refuse settings that are none of a few words; of lists, every word counts."""
    for key, allowed in choices.items():
        _note(key, f"of {', '.join(allowed)}")
        value = setting(config, key)
        wrong = [v for v in (value if isinstance(value, list) else [value]) if v not in allowed]
        if wrong:
            kind = "of" if isinstance(value, list) else "one of"
            text = f"{key} must be {kind} {', '.join(allowed)}, not {wrong[0]!r}"
            raise Refused(text, {key: _each(config, key, nearest_word, allowed)})


def nearest_word(word: str, allowed: Iterable[str]) -> str:
    """That of a few words which one looks like."""
    return get_close_matches(word, list(allowed), n=1, cutoff=0.0)[0]


def require_steps(config: dict[str, Any], parts: Mapping[str, str], beyond: bool = False) -> None:
    """Refuse intervals that divide a time into more steps than there is time for.

    ``parts`` are from settings that are intervals to those that they divide; an interval may be
    ``beyond`` what it divides where that is said. ValueError names both.
    """
    for key, whole in parts.items():
        if not beyond:
            _note(key, f"at most {whole}")
        interval, longest = setting(config, key), setting(config, whole)
        times = longest if isinstance(longest, list) else [longest]
        if max(times) / interval > MOST_STEPS:
            raise ValueError(
                f"{key} = {interval:g} divides {whole} = {max(times):g} into more than "
                f"{MOST_STEPS:g} steps"
            )
        if not beyond and interval > min(times):
            text = f"{key} must be at most {whole} = {min(times):g}, not {interval:g}"
            raise Refused(text, {key: min(times)})


def require_multiple(value: float, unit: float, key: str, of: str) -> int:
    """How often a unit fits into a setting; ValueError, naming it, if that is no whole number."""
    times = whole_ratio(value, unit)
    if times is None:
        near = near_multiples(value, unit)
        raise Refused(
            f"{key} must be a multiple of {of} = {unit:g}, not {value:g}: the nearest is "
            f"{either(near)}",
            {key: near[0]},
        )
    return times


def setting(config: dict[str, Any], key: str) -> Any:
    """The value of "table.key"."""
    table, name = key.split(".")
    return config[table][name]
