"""What a driver and its user share: the atoms, and how a change by either is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from numpy.typing import NDArray

NAMES = {
    "numbers": "species",
    "initial_magmoms": "magnetic moments",
    "initial_charges": "charges",
}
"""What arrays are called when a change of them is told; others by their own name."""


FINITE = ("positions", "momenta", "masses", "initial_magmoms", "initial_charges")


def fixed_atoms(atoms: Atoms) -> NDArray[np.int64]:
    """Indices of the atoms under `FixAtoms`, ascending, each once, none negative.

    Raises
    ------
    ValueError
        If there is a constraint of another kind, or an index beyond the atoms.
    """
    others = [c for c in atoms.constraints if not isinstance(c, FixAtoms)]
    if others:
        raise ValueError(f"only FixAtoms can hold atoms here, not {type(others[0]).__name__}")
    held = np.zeros(len(atoms), dtype=bool)
    for constraint in atoms.constraints:
        try:
            held[constraint.index] = True
        except IndexError as error:
            raise ValueError(f"FixAtoms does not fit {len(atoms)} atoms: {error}") from error
    return np.flatnonzero(held)


def require_sound(atoms: Atoms, rows: Any = None) -> None:
    """Raise ValueError if cell or arrays of atoms, or of some, hold what no atoms can have.

    Parameters
    ----------
    atoms : ase.Atoms
    rows : int array or slice, optional
        Atoms to look at; default all.
    """
    rows = slice(None) if rows is None else rows
    for name in FINITE:
        if name in atoms.arrays and not np.isfinite(atoms.arrays[name][rows]).all():
            raise ValueError(f"the {NAMES.get(name, name)} of the atoms are not finite")
    if "masses" in atoms.arrays:
        masses = atoms.arrays["masses"][rows][atoms.numbers[rows] != 0]
        if masses.min(initial=1.0) <= 0:
            raise ValueError(f"masses must be above 0, not {masses.min():g}")
    if not np.isfinite(atoms.cell.array).all():
        raise ValueError("the cell of the atoms is not finite")
    if atoms.pbc.any() and not abs(atoms.cell.complete().volume) > 0:
        raise ValueError("the cell of the atoms is flat: its vectors span no volume")
    if not atoms.cell.lengths()[atoms.pbc].all():
        raise ValueError("the cell of the atoms has no length along a periodic axis")


class SharedState:
    """The atoms as a driver last left them.

    Parameters
    ----------
    atoms : ase.Atoms
    names : sequence of str
        The arrays that the driver's dynamics depends on.
    """

    def __init__(self, atoms: Atoms, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self.leave(atoms)

    def leave(self, atoms: Atoms, rows: Any = None) -> None:
        """Remember the atoms as they are; of arrays only ``rows``, if nothing else can differ."""
        if rows is None:
            self._arrays = {name: _copy(atoms.arrays.get(name)) for name in self._names}
        else:
            for name in self._names:
                kept, now = self._arrays[name], atoms.arrays.get(name)
                if kept is None or now is None:
                    self._arrays[name] = _copy(now)
                else:
                    kept[rows] = now[rows]
        self._n = len(atoms)
        self._frame = _frame(atoms)

    def changes(self, atoms: Atoms, rows: Any = None) -> frozenset[str]:
        """What differs from how the atoms were left; of arrays only ``rows`` are looked at.

        Returns
        -------
        frozenset of str
            Names of arrays, ``"cell"``, ``"pbc"``, ``"constraints"``, ``"number of atoms"``.
        """
        if len(atoms) != self._n:
            return frozenset({"number of atoms"})
        frame = _frame(atoms)
        found = {name for name, then in self._frame.items() if frame[name] != then}
        for name, then in self._arrays.items():
            if _differ(then, atoms.arrays.get(name), rows):
                found.add(name)
        return frozenset(found)


def _copy(array: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if array is None else array.copy()


def _frame(atoms: Atoms) -> dict[str, Any]:
    """Cell, pbc and constraints, as what can be compared."""
    held = [
        (type(c).__name__, np.asarray(c.index).tolist() if isinstance(c, FixAtoms) else repr(c))
        for c in atoms.constraints
    ]
    return {"cell": atoms.cell.array.tolist(), "pbc": atoms.pbc.tolist(), "constraints": held}


def _differ(then: NDArray[Any] | None, now: NDArray[Any] | None, rows: Any) -> bool:
    """Whether two arrays differ; one that is not there is one of zeros."""
    if then is None or now is None:
        given = now if then is None else then
        return given is not None and bool(np.any(given))
    if rows is not None:
        then, now = then[rows], now[rows]
    return not np.array_equal(then, now)
