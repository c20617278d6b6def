"""Reading of the command line: the registry of commands, the parser, kinds of arguments."""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Callable, Sequence
from functools import cache
from inspect import cleandoc
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from .executors import ENGINES
from .setting_values import LARGEST, LARGEST_FLOAT, LEAST_FLOAT
from .slurm import seconds_of

MOST = 10**15
"""The largest whole number on the command line: more steps than a computer makes in a year."""
Handler = Callable[[argparse.Namespace], int | None]
"""Runs a command; its exit status where that is not 0."""
Argument = tuple[tuple[str, ...], dict[str, Any]]
COMMANDS: dict[str, tuple[Handler, tuple[Argument, ...]]] = {}


def command(name: str, *arguments: Argument) -> Callable[[Handler], Handler]:
    """Registers a function as the command ``name``."""

    def register(handler: Handler) -> Handler:
        COMMANDS[name] = (handler, arguments)
        return handler

    return register


def arg(*names: str, **options: Any) -> Argument:
    """One argument of a command, as for `ArgumentParser.add_argument`."""
    return names, options


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line like all others."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


@cache
def parser() -> argparse.ArgumentParser:
    """The parser of all registered commands, made once a process."""
    parser = _Parser(
        prog="macro-ase",
        description="Learn how a large material behaves from simulations of small patches of it.",
        epilog="macro-ase COMMAND --help says more about each command.",
    )
    parser.add_argument("--version", action="version", version=f"macro-ase {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (handler, arguments) in COMMANDS.items():
        description, _, examples = cleandoc(handler.__doc__ or "").partition("Examples:\n")
        title = description.partition("\n")[0].rstrip(".")
        sub = commands.add_parser(
            name,
            help=title[:1].lower() + title[1:],
            description=description,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for names, options in arguments:
            sub.add_argument(*names, **options)
    return parser


def understand(argv: Sequence[str] | None, into: argparse.Namespace) -> None:
    """Read a command and its arguments.

    Raises
    ------
    ValueError
        If they make no sense; of an option that the command does not have, with the one meant.
    """
    _, strange = parser().parse_known_args(argv, into)
    if strange:
        meant = _option_meant(into.command, strange)
        raise ValueError(f"unrecognized arguments: {' '.join(strange)}; {meant}")


def _option_meant(name: str, strange: Sequence[str]) -> str:
    """The option of a command that is nearest to the first strange one."""
    own = [option for names, _ in COMMANDS[name][1] for option in names if option[:2] == "--"]
    for word in strange:
        near = difflib.get_close_matches(word.partition("=")[0], own, n=1)
        if word.startswith("-") and near:
            return f"did you mean {near[0]}?"
    return f"macro-ase {name} --help shows what there is"


def whole(least: int, most: int = MOST) -> Callable[[str], int]:
    """Reads a whole number of at least ``least``; 1e6 is one too."""

    def read(text: str) -> int:
        digits = text.lstrip("+-").isdecimal() and len(text) <= len(str(most))
        value = int(text) if digits else number(text)
        if not value >= least or value != math.floor(value):
            raise argparse.ArgumentTypeError(f"expected a whole number >= {least}, not {text}")
        if value > most:
            raise argparse.ArgumentTypeError(f"expected a whole number <= {most}, not {text}")
        return int(value)

    return read


seed = whole(0, LARGEST["seed"])
workers = whole(1, LARGEST["workers"])


def positive(text: str) -> float:
    """Reads a number above 0 of a size that a physical quantity may have."""
    value = number(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"expected a number > 0, not {text}")
    if not LEAST_FLOAT <= value <= LARGEST_FLOAT:
        raise argparse.ArgumentTypeError(
            f"expected a number from {LEAST_FLOAT:g} to {LARGEST_FLOAT:g}, not {text}"
        )
    return value


def finite(text: str) -> float:
    """Reads a number that may be 0 or less."""
    value = number(text)
    if math.isnan(value):
        raise argparse.ArgumentTypeError(f"expected a number, not {text}")
    return value


def number(text: str) -> float:
    """A finite number, or nan, which no limit lets through."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def file(text: str) -> Path:
    from .reasons import absent

    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(absent(text))
    return Path(text)


def barriers(text: str) -> Path:
    """A file of a barrier model, or the name of a model that ships."""
    from .barriers.shipped import barrier_file

    try:
        barrier_file(text)
    except FileNotFoundError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Path(text)


def structure(text: str) -> Path:
    """A structure file, with ``@INDEX`` or without."""
    from .structure_files import absent_structure, split_index

    file = split_index(text)[0]
    if not file.is_file():
        raise argparse.ArgumentTypeError(absent_structure(file))
    return Path(text)


def time(text: str) -> float:
    """Reads a time limit."""
    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def task(text: str) -> tuple[int, int]:
    """Reads I/N."""
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and int(number) <= int(of) != 0):
        raise argparse.ArgumentTypeError(f"expected I/N with I of 0 to N, not {text}")
    return int(number), int(of)


def folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"no such folder: {text}")
    return Path(text)


def output(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"cannot write a file {text}: is its folder there?")
    return path


SEED = arg(
    "--seed",
    type=seed,
    default=0,
    metavar="N",
    help="random seed (default: 0)",
)
STRUCTURE = arg(
    "file",
    type=structure,
    metavar="FILE",
    help="a structure file that ASE reads, or a LAMMPS data or dump file; FILE@INDEX: one frame",
)
SPECIES = arg(
    "--species",
    nargs="+",
    metavar="NAME",
    help="elements of the atom types of a LAMMPS file that does not name them",
)
ENGINE = (
    arg("--engine", metavar="ENGINE", help=f"who computes: {ENGINES} (see docs/scaling.md)"),
    arg("-v", dest="verbose", action="store_true", help="say more"),
    arg("-q", dest="quiet", action="store_true", help="say only errors and the end"),
)
