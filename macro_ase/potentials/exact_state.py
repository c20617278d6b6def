"""Calculators that know by exact equality whether atoms have changed.

ASE compares with a tolerance of 1e-15, which takes longer than many a patch's energy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

ARRAYS = ("positions", "numbers", "initial_charges", "initial_magmoms")


class ExactState(Calculator):
    """What ASE calculators of this package share."""

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """What is not as in the last calculation, by ASE's names; there is no tolerance."""
        before = self.atoms
        if before is None:
            return list(all_changes)
        pairs = {name: (before.arrays.get(name), atoms.arrays.get(name)) for name in ARRAYS}
        pairs |= {"cell": (before.cell.array, atoms.cell.array), "pbc": (before.pbc, atoms.pbc)}
        return [name for name, (one, other) in pairs.items() if not _same(one, other)]


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
