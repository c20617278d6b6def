"""What a restart must find as it was: the same atoms, in the same order, in the same cell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from .shared_state import fixed_atoms

TOLERANCE = 1e-6
"""Within which numbers that went through a text file are the same; lengths in A."""


def identity(atoms: Atoms, *arrays: str) -> dict[str, NDArray[Any]]:
    """Number of atoms, cell, pbc and fixed atoms, and arrays that no step changes, by name."""
    found: dict[str, NDArray[Any]] = {
        "number of atoms": np.array(len(atoms)),
        "cell": atoms.cell.array.copy(),
        "pbc": atoms.pbc.copy(),
        "fixed atoms": fixed_atoms(atoms),
    }
    for name in arrays:
        found[name] = atoms.get_masses() if name == "masses" else atoms.arrays[name].copy()
    return found


def refuse_others(
    path: str | Path, here: Mapping[str, NDArray[Any]], there: Mapping[str, NDArray[Any]]
) -> None:
    """Compare the driver's own identity with that of a restart file.

    Raises
    ------
    ValueError
        If they differ; it names in what.
    """
    for name, mine in here.items():
        theirs = there[name]
        numbers = theirs.dtype.kind in "biuf"
        same = numbers and mine.shape == theirs.shape
        if same and np.allclose(mine, theirs, rtol=0, atol=TOLERANCE):
            continue
        if numbers and name in ("numbers", "positions") and _sorted_alike(mine, theirs):
            raise ValueError(f"{path} was written for these atoms in another order")
        name = "species" if name == "numbers" else name
        raise ValueError(f"{path} was written with other {name}")


def _sorted_alike(mine: NDArray[Any], theirs: NDArray[Any]) -> bool:
    if mine.shape != theirs.shape:
        return False
    a, b = (np.round(array.reshape(len(array), -1), 5) + 0.0 for array in (mine, theirs))
    return np.array_equal(a[np.lexsort(a.T)], b[np.lexsort(b.T)])
