"""Short-range order of a structure file: what `macro-ase sro FILE` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from ..files import replacing
from ..observables.long_range_order import long_range_order
from ..observables.short_range_order import (
    short_range_order,
    short_range_order_trajectory,
)
from ..structure_files import read_structures


def sro_file(
    path: str | Path,
    n_shells: int = 2,
    csv: str | Path | None = None,
    species: Sequence[str] | None = None,
    per_atom: str | Path | None = None,
) -> str:
    """Short-range order of a file, as text.

    Parameters
    ----------
    path : str or Path
        Any file that `structure_files.read_structures` reads. Several frames give means with
        errors; they are taken as frames of a stationary run, in order of time.
    n_shells : int
    csv : str or Path, optional
        Where to write the numbers too.
    species : sequence of str, optional
        Element of each atom type, in order, for a LAMMPS file that names no elements.
    per_atom : str or Path, optional
        Where to write the (one) frame as extended XYZ with the numbers of neighbours of each
        species in each shell, as arrays such as ``neighbors_1`` of shape (n_atoms, n_species).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read, has atom types and no elements, or `short_range_order` finds no
        shells.
    """
    frames = read_structures(path, species=species)
    if per_atom is not None and len(frames) > 1:
        raise ValueError(f"{path} has {len(frames)} frames; per-atom values are of one")
    if len(frames) == 1:
        result = short_range_order(frames[0], n_shells, per_atom=per_atom is not None)
    else:
        result = short_range_order_trajectory(frames, n_shells)
    if csv is not None:
        result.to_csv(csv)
    if per_atom is not None and result.per_atom is not None:
        atoms = frames[0].copy()
        for shell, counts in enumerate(result.per_atom.swapaxes(0, 1), start=1):
            atoms.arrays[f"neighbors_{shell}"] = counts[: len(atoms)]
        atoms.info["species"] = " ".join(result.species)
        with replacing(per_atom) as beside:
            atoms.write(beside, format="extxyz")
    return "\n".join([str(path), result.table(), *_long_range(frames)])


def _long_range(frames: list[Atoms]) -> list[str]:
    """Long-range order of the last frame, where it is a bcc alloy on its sites."""
    try:
        return ["", long_range_order(frames[-1]).table()]
    except ValueError:
        return []
