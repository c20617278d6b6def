"""The sections of a LAMMPS data file, as text."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SECTIONS = re.compile(
    r"Atoms|Velocities|Masses|Ellipsoids|Lines|Triangles|Bodies|Bonds|Angles|Dihedrals|Impropers"
    r"|[A-Z]\w* Coeffs|(Atom|Bond|Angle|Dihedral|Improper) Type Labels"
)
WORDS = re.compile(r"[A-Za-z][\w/-]*( [A-Za-z][\w/-]*)*")
HEADER = re.compile(r"(.*\d\S*)\s+([a-z][a-z ]*)")


@dataclass(frozen=True)
class DataText:
    """A data file in parts.

    Attributes
    ----------
    title : str
        Its first line.
    header : dict
        Words of each line of numbers before the sections, by what follows: ``"atom types"``.
    hints : dict
        Comment behind the name of each section.
    rows : dict
        Lines of each section, as (text without comment, comment).
    """

    title: str
    header: dict[str, list[str]]
    hints: dict[str, str]
    rows: dict[str, list[tuple[str, str]]]

    def table(self, section: str) -> NDArray[np.str_]:
        """Words of a section, shape (n_rows, n_columns); (0, 0) where it has no row.

        Raises
        ------
        ValueError
            If its rows differ in length.
        """
        rows = [text.split() for text, _ in self.rows.get(section, [])]
        if len({len(row) for row in rows}) > 1:
            lengths = sorted({len(row) for row in rows})
            raise ValueError(f"rows of {section} have {' and '.join(map(str, lengths))} columns")
        return np.array(rows, dtype=str).reshape(len(rows), len(rows[0]) if rows else 0)


def split_sections(text: str) -> DataText:
    """Header and sections of the text of a data file.

    A section begins with a line of words alone: one of LAMMPS's, or, as a fix may write its own,
    any that a blank line follows.
    """
    title, *lines = text.splitlines() or [""]
    header: dict[str, list[str]] = {}
    hints: dict[str, str] = {}
    rows: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line, following in zip(lines, [*lines[1:], ""]):
        words, _, comment = (part.strip() for part in line.partition("#"))
        if not words:
            continue
        if words[0].isalpha() and _begins_section(" ".join(words.split()), following):
            section = " ".join(words.split())
            hints[section] = comment
            rows.setdefault(section, [])
        elif section:
            rows[section].append((words, comment))
        elif (match := HEADER.fullmatch(words)) is not None:
            header[" ".join(match[2].split())] = match[1].split()
    return DataText(title, header, hints, rows)


def _begins_section(words: str, following: str) -> bool:
    if SECTIONS.fullmatch(words):
        return True
    return not following.strip() and WORDS.fullmatch(words) is not None


def looks_like_data(text: str) -> bool:
    """Whether the beginning of a file is that of a data file."""
    atoms = re.search(r"^\s*\d+\s+atoms\b", text, re.MULTILINE)
    box = re.search(r"^\s*\S+\s+\S+\s+(xlo\s+xhi|\S+\s+avec)\b", text, re.MULTILINE)
    return atoms is not None and box is not None
