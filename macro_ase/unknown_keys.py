"""What is said of a setting that a study does not have.

    unknown key 'system.sise'; did you mean 'system.side'?
    unknown key 'sampling.memory_events': ising has no such setting (nbmota has): leave it out;
    sampling has boundary, buffer, dt, ...

A name is proposed only where it is like the one given, for another one mends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

ALIKE = 0.7
"""Least share of letters that two names have in common to be taken for each other."""


def meant(key: str, known: Sequence[str]) -> list[str]:
    """Settings that were probably meant, the likeliest first; [] where none is like the key.

    Parameters
    ----------
    key : str
        As it was given, with or without its table.
    known : sequence of str
        Full names of the study's settings.
    """
    table, _, name = key.rpartition(".")
    if table in known:
        return [table]
    alike = [full for full in known if _are_alike(name, full.rpartition(".")[2])]
    alike.sort(key=lambda full: -_likeness(key, full))
    same = [full for full in alike if full.rpartition(".")[2] == name]
    return same if same and not table else alike[:1]


def unknown_key(key: str, study: str, known: Sequence[str], homes: Iterable[str] = ()) -> str:
    """One line on a key that a study does not know.

    Parameters
    ----------
    key : str
    study : str
        Its name.
    known : sequence of str
        Full names of its settings.
    homes : iterable of str
        Other studies that have a setting of this full name.
    """
    own = _of_table(key, known)
    if own:
        return f"unknown key {key!r}: that is a table; name a setting of it: {', '.join(own)}"
    found = meant(key, known)
    if found:
        return f"unknown key {key!r}; did you mean {' or '.join(map(repr, found))}?"
    table, others = key.rpartition(".")[0], list(homes)
    text = f"unknown key {key!r}: {study} has no such setting"
    text += f" ({_and(others)})" if others else ""
    text += ": leave it out"
    beside = [full.removeprefix(f"{table}.") for full in _of_table(table, known)]
    if beside:
        return f"{text}; {table} has {', '.join(beside)}"
    return f"{text}, or see macro-ase run {study} --list-settings"


def _and(studies: Sequence[str]) -> str:
    *others, last = studies
    return f"{', '.join(others)} and {last} have" if others else f"{last} has"


def _of_table(table: str, known: Sequence[str]) -> list[str]:
    return [full for full in known if table and full.startswith(f"{table}.")]


def _are_alike(name: str, other: str) -> bool:
    return name in other.split("_") or _likeness(name, other) >= ALIKE


def _likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b).ratio()
