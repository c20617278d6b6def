"""Short-range order of a structure file: what `macro-ase sro FILE` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from ..files import replacing
from ..lattice import VACANCY
from ..observables.frame_weights import Weighting
from ..observables.long_range_order import long_range_order
from ..observables.order_result import ShortRangeOrder
from ..observables.order_trajectory import short_range_order_trajectory
from ..observables.short_range_order import short_range_order
from ..structure_files import Index, read_structures


def sro_file(
    path: str | Path,
    n_shells: int | None = None,
    csv: str | Path | None = None,
    species: Sequence[str] | None = None,
    per_atom: str | Path | None = None,
    index: Index | None = None,
    cutoffs_A: Sequence[float] | None = None,
    weights: Weighting = "auto",
) -> str:
    """Short-range order of a file, as text.

    Parameters
    ----------
    path : str or Path
        Any file that `structure_files.read_structures` reads. Several frames give means with
        errors; they are taken as frames of a stationary run, in order of time.
    n_shells : int, optional
        Default 2.
    csv : str or Path, optional
        Where to write the numbers too.
    species : sequence of str, optional
        Element of each atom type, in order, for a LAMMPS file that names no elements.
    per_atom : str or Path, optional
        Where to write the (one) frame as extended XYZ with the numbers of neighbours of each
        species in each shell, as arrays such as ``neighbors_1`` of shape (n_atoms, n_species).
    index : int, slice or str, optional
        Frames, as in ASE; default: all.
    cutoffs_A : sequence of float, optional
        Outer radius of each shell, in A, instead of ``n_shells``.
    weights : {"auto", "residence", "time", "frames"}
        What a frame counts in means; see `observables.frame_weights`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read, has atom types and no elements, or `short_range_order` finds no
        shells.
    """
    if n_shells is not None and cutoffs_A is not None:
        raise ValueError("cutoffs_A give the number of shells: leave the number out")
    frames = read_structures(path, index, species)
    if per_atom is not None and len(frames) > 1:
        raise ValueError(
            f"{path} has {len(frames)} frames, and values by atom are of one: choose it by index, "
            "such as -1"
        )
    shells = 2 if n_shells is None else n_shells
    if len(frames) == 1:
        result = short_range_order(frames[0], shells, per_atom is not None, cutoffs_A)
    else:
        result = short_range_order_trajectory(frames, shells, cutoffs_A, weights=weights)
    if csv is not None:
        result.to_csv(csv)
    if per_atom is not None:
        _write_per_atom(per_atom, frames[0], result)
    return "\n".join([str(path), result.table(), *_long_range(frames, result.lattice)])


def _write_per_atom(path: str | Path, frame: Atoms, result: ShortRangeOrder) -> None:
    assert result.per_atom is not None
    atoms = frame.copy()
    for shell, counts in enumerate(result.per_atom.swapaxes(0, 1), start=1):
        atoms.arrays[f"neighbors_{shell}"] = counts
    atoms.info["species"] = " ".join(result.species)
    with replacing(path) as beside:
        atoms.write(beside, format="extxyz")


def _long_range(frames: list[Atoms], lattice: str | None) -> list[str]:
    """Long-range order of the last frame, where it is a bcc alloy."""
    species = set(frames[-1].get_chemical_symbols()) - {VACANCY}
    if lattice != "bcc" or len(species) < 2:
        return []
    try:
        text = long_range_order(frames[-1]).table()
    except ValueError as error:
        text = f"no long-range order: {error}"
    return ["", f"last frame: {text}" if len(frames) > 1 else text]
