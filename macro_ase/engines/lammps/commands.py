"""Commands of a LAMMPS potential, read as LAMMPS reads them: lines, words, elements of the types.

Lines ``pair_coeff * *`` of many-body styles end in the elements of the atom types 1, 2, ...; with
``NULL`` in the place of a type that another style of a hybrid looks after. What the lines leave
open is asked for, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ase.data import atomic_numbers

WORD = re.compile(r"\"\"\"(.*?)\"\"\"|\"([^\"]*)\"|'([^']*)'|#.*|([^\s#]+)")
BRANCHES = ("if", "jump")
WITHOUT_FILE = ("kim", "deepmd")
WITH_LIBRARY = ("meam", "meam/c", "meam/ms")
ALL_TYPES_ALIKE = ("table", "none", "zero")
ASK = "give specorder, the elements of the types 1, 2, ... in their order"


class Coefficients(NamedTuple):
    """A ``pair_coeff`` line: types, style of a hybrid and its number, and what follows."""

    line: str
    types: tuple[str, str]
    style: tuple[str, ...]
    rest: tuple[str, ...]


def command_lines(commands: str | Iterable[str]) -> list[str]:
    """Commands one by one; a string may hold several lines, and ``&`` goes on in the next."""
    parts = [commands] if isinstance(commands, str) else commands
    lines = [""]
    for line in (line for part in parts for line in part.splitlines()):
        joined = lines.pop() + line.rstrip()
        lines += [joined[:-1]] if joined.endswith("&") else [joined, ""]
    return [line.strip() for line in lines if line.strip()]


def words(line: str) -> list[str]:
    """Words of a command without quotes and comment."""
    found = (match.groups() for match in WORD.finditer(line))
    return [group for groups in found for group in groups if group is not None]


def expanded(lines: Iterable[str], within: tuple[str, ...] = ()) -> Iterator[str]:
    """The lines, and after each ``include`` those of its file.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If it includes itself.
    """
    for line in lines:
        yield line
        command, *rest = words(line) or [""]
        if command != "include" or not rest or "$" in rest[0]:
            continue
        name = rest[0]
        if not Path(name).is_file():
            raise FileNotFoundError(f"no such file: {name}; in: {line}")
        if name in within:
            raise ValueError(f"{name} includes itself")
        text = Path(name).read_text(encoding="utf-8", errors="replace")
        yield from expanded(command_lines(text), (*within, name))


def pair_style(commands: Sequence[str]) -> list[str]:
    """What follows the last ``pair_style``; [] if there is none."""
    found = [words(line)[1:] for line in expanded(commands) if words(line)[:1] == ["pair_style"]]
    return found[-1] if found else []


def named_elements(commands: Sequence[str]) -> tuple[str, ...]:
    """Elements of the types 1, 2, ... that ``pair_coeff * *`` lines name; () if none does.

    Raises
    ------
    ValueError
        If they leave the element of a type open.
    """
    for line in expanded(commands):
        command, *rest = words(line) or [""]
        of_types = command == "include" or [command, *rest[:2]] == ["pair_coeff", "*", "*"]
        if command in BRANCHES or (of_types and "$" in " ".join(rest)):
            raise ValueError(f"what {line!r} comes to is not known: {ASK}")
    found = [names for _, names in _named(commands)]
    by_type = [{name for name in names if name} for names in zip(*found)]
    if len({len(names) for names in found}) > 1 or any(len(names) != 1 for names in by_type):
        said = "; ".join(" ".join(name or "NULL" for name in names) for names in found)
        raise ValueError(f"pair_coeff does not say one element for each type ({said}): {ASK}")
    order = tuple(name for (name,) in by_type)
    apart = line_of_numbers(commands)
    if apart is not None and len(set(order)) < len(order):
        raise ValueError(f"{apart!r} treats types of one element ({' '.join(order)}) apart: {ASK}")
    return order


def require_agreement(commands: Sequence[str], order: Sequence[str]) -> None:
    """Raise ValueError if a given order contradicts the elements that lines name.

    A type may have the potential of an element that the atoms are not of (an isotope, a trial),
    but not that of another type's element while its own is there.
    """
    for line, names in _named(commands):
        if len(names) != len(order):
            raise ValueError(f"specorder names {len(order)} types, {line!r} {len(names)}")
        for name, element in zip(names, order):
            if name not in (None, element) and element in names:
                raise ValueError(
                    f"specorder {' '.join(order)} contradicts {line!r}: the type of {element} has "
                    f"the potential of {name}"
                )


def _named(commands: Sequence[str]) -> list[tuple[str, tuple[str | None, ...]]]:
    """Lines that name elements, the last one of each style, and the names."""
    found = {
        c.style: (c.line, names_in(c)) for c in pair_coefficients(expanded(commands)) if names_in(c)
    }
    return list(found.values())


def pair_coefficients(lines: Iterable[str]) -> list[Coefficients]:
    """The ``pair_coeff`` lines of the last ``pair_style``."""
    style: list[str] = []
    found: list[Coefficients] = []
    for line in lines:
        command, *rest = words(line) or [""]
        if command == "pair_style":
            style, found = rest, []
        elif command == "pair_coeff" and len(rest) > 2:
            n = _style_words(style, rest[2:])
            sub = tuple(rest[2 : 2 + n]) if n else tuple(style[:1])
            found.append(Coefficients(line, (rest[0], rest[1]), sub, tuple(rest[2 + n :])))
    return found


def _style_words(style: Sequence[str], rest: Sequence[str]) -> int:
    """How many words name the style of a hybrid: 0 if it is none, 2 with a number."""
    if not style or not style[0].startswith("hybrid"):
        return 0
    return 2 if style.count(rest[0]) > 1 else 1


def line_of_types(commands: Sequence[str]) -> str | None:
    """The first ``pair_coeff`` line for which it matters which element has which type."""
    for coefficients in pair_coefficients(expanded(commands)):
        alike = coefficients.style[:1] in [(style,) for style in ALL_TYPES_ALIKE]
        if coefficients.types == ("*", "*") and not (alike or _numbers(coefficients.rest)):
            return coefficients.line
    return line_of_numbers(commands)


def line_of_numbers(commands: Sequence[str]) -> str | None:
    """The first ``pair_coeff`` line that is not for all types."""
    coefficients = pair_coefficients(expanded(commands))
    return next((c.line for c in coefficients if c.types != ("*", "*")), None)


def highest_type(commands: Sequence[str]) -> int:
    """The highest number of a type in the ``pair_coeff`` lines, 1 if there is none."""
    types = [t for c in pair_coefficients(expanded(commands)) for t in c.types]
    return max([int(number) for t in types for number in re.findall(r"\d+", t)], default=1)


def _numbers(found: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[+-]?[\d.]+([eE][+-]?\d+)?", word) for word in found)


def names_in(coefficients: Coefficients) -> tuple[str | None, ...]:
    """Elements of the types that a line for all types ends in, None for NULL; () if none."""
    if coefficients.types != ("*", "*") or "$" in " ".join(coefficients.rest):
        return ()
    style, rest = coefficients.style[:1], list(coefficients.rest)
    if style and style[0] in WITH_LIBRARY:
        after = next((n for n, word in enumerate(rest[1:], 2) if word not in atomic_numbers), 0)
        return _names(rest[after:] if after else [])
    names: list[str] = []
    while rest and (rest[-1] in atomic_numbers or rest[-1] == "NULL"):
        names.insert(0, rest.pop())
    if not rest and not (style and style[0] in WITHOUT_FILE):
        del names[:1]
    return _names(names)


def _names(found: Sequence[str]) -> tuple[str | None, ...]:
    if any(name not in atomic_numbers and name != "NULL" for name in found):
        return ()
    return tuple(None if name == "NULL" else name for name in found)
