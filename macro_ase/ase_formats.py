"""File formats of this package in ``ase.io.read`` and ``write``, by ASE's entry points.

    macro-ase-lammps-data   LAMMPS data files with type labels of any kind, elements from labels,
                            masses or comments, ids, charges and images kept, packed or not
    macro-ase-lammps-dump   LAMMPS text dumps, written too
    macro-ase-restart       the atoms in a restart file of a driver

ASE finds them where the package is installed; `structure_files` reads and writes the first two
without a format's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.utils.plugins import ExternalIOFormat

from .engines.lammps.dump import read_dump, write_dump
from .engines.lammps.files import read_data, write_data
from .engines.restart_files import read_restart_file

Index = int | slice
DATA = ExternalIOFormat("LAMMPS data file, with type labels", "1S", module=__name__)
DUMP = ExternalIOFormat("LAMMPS text dump, written too", "+S", module=__name__)
RESTART = ExternalIOFormat("atoms of a restart of macro_ase", "1S", module=__name__)


def read_macro_ase_lammps_data(file: str, species: Sequence[str] | None = None) -> Atoms:
    """As `engines.lammps.files.read_data`."""
    return read_data(file, species)


def write_macro_ase_lammps_data(file: str, atoms: Atoms, **options: Any) -> None:
    """As `engines.lammps.files.write_data`."""
    write_data(file, atoms, **options)


def read_macro_ase_lammps_dump(
    file: str, index: Index = -1, species: Sequence[str] | None = None
) -> Atoms | list[Atoms]:
    """As `engines.lammps.dump.read_dump`; one frame for a number."""
    frames = read_dump(Path(file), species, slice(None) if isinstance(index, int) else index)
    found: Atoms | list[Atoms] = frames[index] if isinstance(index, int) else frames
    return found


def write_macro_ase_lammps_dump(
    file: str, images: Sequence[Atoms], species: Sequence[str] | None = None
) -> None:
    """As `engines.lammps.dump.write_dump`."""
    write_dump(file, images, species)


def read_macro_ase_restart(file: str) -> Atoms:
    """The atoms as a driver left them, vacancies as X.

    Raises
    ------
    ValueError
        If it is no restart file of a driver that moves atoms.
    """
    saved = read_restart_file(file)
    kept = {name.removeprefix("identity "): array for name, array in saved.items()}
    lacking = [name for name in ("numbers", "positions", "cell", "pbc") if name not in kept]
    if lacking:
        raise ValueError(f"{file} holds no atoms: it has no {' and no '.join(lacking)}")
    atoms = Atoms(kept["numbers"], kept["positions"], cell=kept["cell"], pbc=kept["pbc"])
    if "momenta" in kept:
        atoms.set_momenta(kept["momenta"])
    atoms.info["nsteps"] = int(kept.get("nsteps", 0))
    return atoms
