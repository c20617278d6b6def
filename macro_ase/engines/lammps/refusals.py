"""Commands of a LAMMPS potential that are refused before LAMMPS sees them, in one line.

What this package sets itself would be overridden in silence, or would override it: units, box,
atoms, masses, groups, time steps, runs. Fixes that charges or other properties of atoms need are
taken; others would move atoms. A table whose elements are not on its fourth line ends LAMMPS with
a segmentation fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ...potentials.setfl import require_elements
from .commands import expanded, pair_coefficients, words
from .library import refuse_intel

OWN = frozenset(
    "atom_modify atom_style boundary box change_box clear create_atoms create_box delete_atoms "
    "dimension displace_atoms dump group lattice mass minimize read_data read_dump read_restart "
    "region replicate rerun reset_atoms reset_timestep run run_style set thermo thermo_modify "
    "thermo_style timestep units velocity write_data".split()
)
OWN_NEIGHBOURS = frozenset({"check", "delay", "every", "once"})
FIXES = ("acks2", "property", "qeq", "qtpie")
SETFL_STYLES = ("adp", "eam/alloy", "eam/fs", "eam/he")


def refuse_commands(lines: Sequence[str]) -> None:
    """Refuse what a potential cannot be told by.

    Raises
    ------
    ValueError
        If a line is of /intel, sets what the package sets itself, or names a table that LAMMPS
        cannot read.
    """
    refuse_intel(lines)
    found = list(expanded(lines))
    for line in found:
        if _own(words(line)):
            raise ValueError(
                "units, box, atoms, masses, groups, time steps and runs are set from the atoms "
                f"and the driver, not by commands of the potential: leave out {line.strip()!r}"
            )
    _require_tables(found)


def _own(found: Sequence[str]) -> bool:
    command, *rest = found or [""]
    if command == "neigh_modify":
        return not OWN_NEIGHBOURS.isdisjoint(rest)
    if command == "fix":
        return len(rest) > 2 and not rest[2].startswith(FIXES)
    return command in OWN


def _require_tables(lines: Iterable[str]) -> None:
    for coefficients in pair_coefficients(lines):
        style, rest = coefficients.style[:1], coefficients.rest
        if not style or not rest or not style[0].startswith(SETFL_STYLES):
            continue
        file = Path(rest[0])
        if not file.is_file():
            continue
        try:
            require_elements(file.read_bytes())
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
