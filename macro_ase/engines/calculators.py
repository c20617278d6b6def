"""Calculators from a text, such as ``eam:NbMoTa.eam.alloy``, so that any process can make its own.

==================================  ================================================================
``emt``                             ASE's effective medium theory: Al, Ni, Cu, Pd, Ag, Pt, Au
``eam:FILE``                        embedded-atom table (setfl), `TableEAM`
``mace:FILE``                       MACE model, in double precision; on a GPU if there is one
``mace:FILE@float32``               the same in single precision
``snap:PREFIX``                     ``PREFIX.snapcoeff`` and ``PREFIX.snapparam``, through LAMMPS
``lammps:COMMAND; COMMAND ...``     ``pair_style`` and ``pair_coeff`` lines, through LAMMPS; with
                                    ``specorder Nb Mo`` the elements of the types, if asked for
``python:MODULE:FUNCTION``          what ``FUNCTION()`` returns, from a module on the path or in the
                                    working directory. This runs that module's code
==================================  ================================================================

A file is looked for as given, then among the potentials that ship. A MACE model is a pickle, which
can run code when it is read, and some styles of LAMMPS (python, mliap, kim) run what they are
given: use files and lines that you trust. ``shell`` and other commands of LAMMPS are refused.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers, chemical_symbols

from ..extras import need
from ..potentials.shipped import given_or_shipped

EMT_METALS = ("Al", "Ni", "Cu", "Pd", "Ag", "Pt", "Au")
"""Its other elements are for tests alone, as ASE says."""
PRECISIONS = ("float64", "float32")
Maker = Callable[[], tuple[Calculator, tuple[str, ...]]]


@dataclass(frozen=True)
class _Recipe:
    """Files that a calculator is made from, and how: calculator, elements it knows (() = any)."""

    files: tuple[Path, ...]
    make: Maker


def calculator_from_text(text: str, species: Iterable[str] = ()) -> Calculator:
    """The calculator that a text describes.

    Parameters
    ----------
    text : str
        ``KIND:SPECIFICATION``, see the module.
    species : iterable of str, optional
        Elements that it must know.

    Raises
    ------
    ValueError
        If the text cannot be understood, or an element is not known to the potential.
    FileNotFoundError
        If a file is missing.
    ModuleNotFoundError
        If MACE or LAMMPS is needed and not installed.

    Examples
    --------
    >>> from ase.build import bulk
    >>> atoms = bulk("Ta", a=3.3)
    >>> atoms.calc = calculator_from_text("eam:NbMoTa.eam.alloy", species=["Ta"])
    >>> f"{atoms.get_potential_energy():.2f} eV"
    '-8.09 eV'
    """
    calculator, known = _recipe(text).make()
    missing = sorted(set(species) - set(known)) if known else []
    if missing:
        raise ValueError(f"{text} knows {', '.join(known)}, not {', '.join(missing)}")
    return calculator


def calculator_files(text: str) -> tuple[Path, ...]:
    """Files that the calculator of a text is made from; errors as of `calculator_from_text`."""
    return _recipe(text).files


def _recipe(text: str) -> _Recipe:
    if text.strip() == "emt":
        return _emt()
    kind, colon, rest = text.strip().partition(":")
    if not colon or kind not in KINDS or not rest.strip():
        raise ValueError(
            f"calculator {text!r} is not understood: it is emt, or KIND:SPECIFICATION with the "
            f"kind one of {', '.join(KINDS)}, such as eam:NbMoTa.eam.alloy"
        )
    return KINDS[kind](rest.strip())


def _emt() -> _Recipe:
    def make() -> tuple[Calculator, tuple[str, ...]]:
        from ase.calculators.emt import EMT

        return EMT(), EMT_METALS

    return _Recipe((), make)


def _eam(name: str) -> _Recipe:
    file = given_or_shipped(name)

    def make() -> tuple[Calculator, tuple[str, ...]]:
        from ..potentials.eam_calculator import TableEAM

        calculator = TableEAM(file)
        return calculator, calculator.table.species

    return _Recipe((file,), make)


def _mace(text: str) -> _Recipe:
    name, _, precision = text.partition("@")
    if precision not in ("", *PRECISIONS):
        raise ValueError(
            f"mace:{text}: the precision is {' or '.join(PRECISIONS)}, not {precision!r}"
        )
    file = given_or_shipped(name)

    def make() -> tuple[Calculator, tuple[str, ...]]:
        need("mace", "a MACE model")
        from mace.calculators import MACECalculator
        from torch import cuda

        device = "cuda" if cuda.is_available() else "cpu"
        with _told(f"{file} is no MACE model"):
            kind = precision or PRECISIONS[0]
            calculator = MACECalculator([str(file)], device=device, default_dtype=kind)
            numbers = calculator.models[0].atomic_numbers.tolist()
        return calculator, tuple(chemical_symbols[int(n)] for n in numbers)

    return _Recipe((file,), make)


def _snap(prefix: str) -> _Recipe:
    coefficients = given_or_shipped(f"{prefix}.snapcoeff")
    parameters = given_or_shipped(f"{prefix}.snapparam")

    def make() -> tuple[Calculator, tuple[str, ...]]:
        from ..potentials.snap import load_snap
        from .lammps.calculator import LammpsCalculator

        potential = load_snap(coefficients, parameters)
        calculator = LammpsCalculator(potential.commands)
        weakref.finalize(calculator, potential.folder.cleanup)
        return calculator, potential.species

    return _Recipe((coefficients, parameters), make)


def _lammps(text: str) -> _Recipe:
    from .lammps.box import given_order
    from .lammps.commands import words

    lines: list[str] = []
    files: list[Path] = []
    order: tuple[str, ...] | None = None
    for line in filter(None, map(str.strip, text.split(";"))):
        command, *rest = words(line) or [""]
        if command == "specorder":
            order = given_order(rest)
            continue
        if command not in ("pair_style", "pair_coeff"):
            raise ValueError(
                "a LAMMPS potential is pair_style and pair_coeff lines, and specorder, not "
                f"{line!r}"
            )
        found = [_file_or_none(word) for word in rest]
        files += filter(None, found)
        lines.append(" ".join([command, *(_quoted(f or w) for f, w in zip(found, rest))]))

    def make() -> tuple[Calculator, tuple[str, ...]]:
        from .lammps.calculator import LammpsCalculator

        calculator = LammpsCalculator(lines, order)
        return calculator, calculator.specorder or ()

    return _Recipe(tuple(files), make)


def _quoted(word: str | Path) -> str:
    return f'"{word}"' if " " in str(word) else str(word)


def _file_or_none(word: str) -> Path | None:
    """The file that a word names, if it names one; elements and numbers do not."""
    if word in atomic_numbers:
        return None
    if "." not in word and "/" not in word:
        return Path(word) if Path(word).is_file() else None
    try:
        return given_or_shipped(word)
    except FileNotFoundError:
        return None


@contextmanager
def _told(what: str) -> Iterator[None]:
    """One line for whatever other people's code and files raise."""
    try:
        yield
    except Exception as error:
        raise ValueError(" ".join(f"{what}: {type(error).__name__}: {error}".split())) from error


def _python(name: str) -> _Recipe:
    module, _, function = name.partition(":")
    if not (module.strip() and function.strip()):
        raise ValueError(f"python:{name} is not python:MODULE:FUNCTION")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise ValueError(f"python:{name}: there is no module {module}")
    origin = Path(spec.origin or "")

    def make() -> tuple[Calculator, tuple[str, ...]]:
        with _told(f"python:{name}"):
            maker = getattr(importlib.import_module(module), function, None)
        if not callable(maker):
            raise ValueError(f"python:{name}: {module} has no function {function}")
        with _told(f"python:{name}"):
            calculator = maker()
        if not hasattr(calculator, "get_forces"):
            raise ValueError(f"python:{name}: {function}() gave no ASE calculator")
        return calculator, ()

    return _Recipe((origin,) if origin.is_file() else (), make)


KINDS: dict[str, Callable[[str], _Recipe]] = {
    "eam": _eam,
    "mace": _mace,
    "snap": _snap,
    "lammps": _lammps,
    "python": _python,
}
