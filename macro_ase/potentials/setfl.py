"""Reading of setfl files, the tables of LAMMPS's ``pair_style eam/alloy``, as LAMMPS reads them.

Three lines of comment, then, where empty lines and what follows ``#`` do not count,

    n  element ... element                          on one line
    nrho  drho  nr  dr  cutoff
    number  mass  [lattice constant  [lattice]]     for every element, with its tables
        F, nrho numbers;  f, nr numbers
    r phi, nr numbers                               for every pair of elements a >= b

Every item begins on a new line and may go on over several; what is left of its last line is not
read. ``UNITS: real`` in the first line means kcal/mol. Text may follow the last table, numbers may
not: tables of other styles (adp) go on there. Exponents may be Fortran's ``D``.
The format: docs.lammps.org/pair_eam.html.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from ..arrays import Array

FEWEST_KNOTS = 5
EV = {"metal": 1.0, "real": 1 / 23.060549}
"""Energy of LAMMPS's units, eV."""
TAG = re.compile(r"(\bUNITS:\s+)(\S+)")
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", re.ASCII)
TO_E = str.maketrans("dD", "ee")
MINUS_SIGN = "\u2212"


class Setfl(NamedTuple):
    """What a file holds; shapes and units as in `eam_table.EAMTable`, energies in eV."""

    species: tuple[str, ...]
    masses: Array
    lattice_constants_A: Array
    cutoff_A: float
    dr_A: float
    drho: float
    density: Array
    embedding: Array
    r_pair: Array
    lattices: tuple[str, ...]
    comment: tuple[str, str, str]


def read_setfl(raw: bytes) -> Setfl:
    """What the bytes of a file mean.

    Raises
    ------
    ValueError
        If they are no setfl table; that of another style is called by its name.
    """
    text = _decoded(raw)
    try:
        return _setfl(text)
    except ValueError:
        style = _other_style(text)
        if style is None:
            raise
        raise ValueError(
            f"it is a table of pair_style {style}; LAMMPS calculates it: LammpsCalculator, or "
            f"lammps:pair_style {style}; pair_coeff ..."
        ) from None


def require_elements(raw: bytes) -> None:
    """Check that the fourth line that counts is a number of elements, and as many names.

    Raises
    ------
    ValueError
        If it is not.
    """
    head = _decoded(raw).split("\n", 3)
    _species(_Lines(head[3].split("\n", 99) if len(head) == 4 else []).take(1, "the elements"))


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace(MINUS_SIGN, "-")


class _Lines:
    """Lines that count, as words, taken from the front."""

    def __init__(self, lines: list[str]) -> None:
        words = (line.partition("#")[0].split() for line in lines)
        self.lines, self.taken = [line for line in words if line], 0

    def take(self, least: int, what: str) -> list[str]:
        """The words of a line, or of as many as make ``least`` words."""
        words: list[str] = []
        while len(words) < least:
            if self.taken == len(self.lines):
                raise ValueError(f"it ends in {what}: {len(words)} of {least} entries are there")
            words += self.lines[self.taken]
            self.taken += 1
        return words

    def table(self, n: int, what: str) -> Array:
        return _numbers(self.take(n, what)[:n], what)

    def require_end(self) -> None:
        rest = self.lines[self.taken :]
        numbers = sum(len(line) for line in rest if all(map(NUMBER.fullmatch, line)))
        if numbers:
            raise ValueError(f"{numbers} entries follow after the last table")


def _setfl(text: str, densities: int | None = 1) -> Setfl:
    """``densities`` by element; None: one for each element, as in eam/fs (the last is kept)."""
    head = text.split("\n", 3)
    if len(head) < 4:
        raise ValueError("it has fewer than four lines")
    comment, unit_eV = _comment(head[:3])
    lines = _Lines(head[3].split("\n"))
    species = _species(lines.take(1, "the elements"))
    n = len(species)
    sizes = lines.take(5, "nrho, drho, nr, dr, cutoff")
    nrho, nr = (_count(sizes[k], what, FEWEST_KNOTS) for k, what in ((0, "nrho"), (2, "nr")))
    drho, dr_A, cutoff_A = _numbers([sizes[k] for k in (1, 3, 4)], "drho, dr and cutoff").tolist()
    if min(drho, dr_A, cutoff_A) <= 0:
        raise ValueError(f"drho, dr and cutoff must be positive, not {' '.join(sizes[:5])}")
    masses, constants, lattices = np.empty(n), np.zeros(n), []
    embedding, density, r_pair = np.empty((n, nrho)), np.empty((n, nr)), np.empty((n, n, nr))
    for i, name in enumerate(species):
        number, mass, *more = lines.take(2, f"the header of {name}")
        _count(number, f"the atomic number of {name}", 0)
        masses[i] = _numbers([mass], f"the mass of {name}")[0]
        if more and NUMBER.fullmatch(more[0]):
            constants[i] = _numbers(more[:1], f"the lattice constant of {name}")[0]
        lattices.append(more[1] if len(more) > 1 else "unknown")
        embedding[i] = lines.table(nrho, f"the embedding energy of {name}")
        for _ in range(n if densities is None else densities):
            density[i] = lines.table(nr, f"the density of {name}")
    for a in range(n):
        for b in range(a + 1):
            what = f"the pair function of {species[a]} and {species[b]}"
            r_pair[a, b] = r_pair[b, a] = lines.table(nr, what)
    lines.require_end()
    return Setfl(
        species,
        masses,
        constants,
        cutoff_A,
        dr_A,
        drho,
        density,
        unit_eV * embedding,
        unit_eV * r_pair,
        tuple(lattices),
        comment,
    )


def _comment(lines: list[str]) -> tuple[tuple[str, str, str], float]:
    """The comment, with energies said to be metal, and the unit in eV that it told of them."""
    tagged = next((n for n, line in enumerate(lines) if line.split()), 0)
    found = TAG.search(lines[tagged])
    units = found.group(2) if found else "metal"
    if units not in EV:
        raise ValueError(f"its units are {units}, not one of {', '.join(EV)}")
    lines[tagged] = TAG.sub(r"\1metal", lines[tagged])
    first, second, third = (line.rstrip("\r") for line in lines)
    return (first, second, third), EV[units]


def _species(words: list[str]) -> tuple[str, ...]:
    count, *names = words
    n = _count(count, "the number of elements", 1)
    if len(names) != n:
        raise ValueError(f"{n} elements must stand on one line, not {' '.join(names)!r}")
    return tuple(names)


def _count(word: str, what: str, fewest: int) -> int:
    if not WHOLE.fullmatch(word) or int(word) < fewest:
        raise ValueError(f"{what} must be a whole number from {fewest} on, not {word!r}")
    return int(word)


def _numbers(words: list[str], what: str) -> Array:
    wrong = next((word for word in words if not NUMBER.fullmatch(word)), None)
    if wrong is not None and wrong.lower().strip("+-") in ("nan", "inf", "infinity"):
        raise ValueError(f"{what} holds a number that is not finite")
    if wrong is not None:
        raise ValueError(f"{what} holds {wrong!r}, which is no number")
    values = np.array(" ".join(words).translate(TO_E).split(), dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{what} holds a number that is not finite")
    return values


def _other_style(text: str) -> str | None:
    """``eam/fs`` or ``eam`` (funcfl), if the text is such a table."""
    for style, read in (("eam/fs", _finnis_sinclair), ("eam", _funcfl)):
        try:
            read(text)
        except ValueError:
            continue
        return style
    return None


def _finnis_sinclair(text: str) -> None:
    _setfl(text, None)


def _funcfl(text: str) -> None:
    """A comment; number, mass, ...; nrho, drho, nr, dr, cutoff; three tables without headers."""
    lines = _Lines(text.split("\n")[1:])
    number, mass, *_ = lines.take(2, "the header")
    _count(number, "the atomic number", 0)
    _numbers([mass], "the mass")
    nrho, drho, nr, dr, cutoff = lines.take(5, "sizes")
    _numbers([drho, dr, cutoff], "sizes")
    total = _count(nrho, "nrho", FEWEST_KNOTS) + 2 * _count(nr, "nr", FEWEST_KNOTS)
    lines.table(total, "the tables")
