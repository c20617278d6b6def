"""Long work on a crystal, kept in a folder of its own: what it begins with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from ase import Atoms

from ..counts import require_count
from ..engines.calculators import calculator_files
from ..executors import Engine
from ..folder_lock import NAME as LOCK
from ..folder_lock import only_writer
from ..structure_files import read_structure


def read_crystal(structure: str | Path, species: Sequence[str] | None, what: str) -> Atoms:
    """Species, positions and cell of a structure file, periodic along all axes.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, an axis is open, or it holds constraints, which ``what`` do not keep.
    """
    found = read_structure(structure, species=species)
    if not found.pbc.all():
        raise ValueError(f"{structure} must repeat along all three axes; its pbc is {found.pbc}")
    if found.constraints:
        names = ", ".join(sorted({type(c).__name__ for c in found.constraints}))
        raise ValueError(f"{structure} holds constraints ({names}), which {what} do not keep")
    return Atoms(found.numbers, found.positions, cell=found.cell, pbc=True)


def digest_of(atoms: Atoms) -> str:
    """SHA-256 of species, positions and cell."""
    arrays = (atoms.numbers, atoms.positions, atoms.cell.array)
    return sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()


def digests(calculator: str) -> dict[str, str]:
    """SHA-256 of the files that a calculator is made from, by name."""
    return {f.name: sha256(f.read_bytes()).hexdigest() for f in calculator_files(calculator)}


def processes(workers: Engine) -> Engine:
    """An engine as it is; a number as so many processes.

    Raises
    ------
    ValueError
        If the number is none of 1 or more.
    """
    if isinstance(workers, str) or hasattr(workers, "submit"):
        return workers
    return f"processes:{require_count(workers, 'workers', 1)}"


def require_journal(folder: Path, journal: str) -> None:
    """Refuse a folder that holds something else than this journal's work.

    Raises
    ------
    FileExistsError
    """
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, not a folder")
    if folder.is_dir() and not (folder / journal).is_file():
        others = {file.name for file in folder.iterdir()} - {LOCK}
        if others:
            raise FileExistsError(f"{folder} is not empty and holds no {journal}; choose another")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder for this process alone; one that it made is removed again if it stays empty."""
    there = folder.is_dir()
    try:
        with only_writer(folder):
            yield
    finally:
        if not there:
            with suppress(OSError):
                folder.rmdir()
