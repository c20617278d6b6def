"""Pairs that repel each other, for patches whose calculator is none of the package's."""

from typing import Any, ClassVar

import numpy as np
from ase.calculators.calculator import all_changes
from scipy.spatial import cKDTree

from macro_ase.potentials.exact_state import ExactState


class SoftSpheres(ExactState):
    """E = sum over pairs of eps (1 - (r / r_c)^2)^3, without periodic images.

    eps is 1 eV, larger by ``unlike_eV`` if the two are unlike.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]
    reach_A = 4.8

    def __init__(self, unlike_eV: float = 0.0) -> None:
        super().__init__()
        self.unlike_eV = unlike_eV

    def calculate(
        self, atoms: Any = None, properties: Any = (), system_changes: Any = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        assert not self.atoms.pbc.any()
        x, kind = self.atoms.positions, self.atoms.numbers
        i, j = cKDTree(x, balanced_tree=False).query_pairs(self.reach_A, output_type="ndarray").T
        d = x[i] - x[j]
        y = 1 - np.einsum("pk,pk->p", d, d) / self.reach_A**2
        eps = 1.0 + self.unlike_eV * (kind[i] != kind[j]) if self.unlike_eV else 1.0
        pull = eps * y * y
        self.results["energy"] = float((pull * y).sum())
        if "forces" in properties:
            self.results["forces"] = self._forces(i, j, 6 / self.reach_A**2 * pull[:, None] * d)

    def _forces(self, i: np.ndarray, j: np.ndarray, pull: np.ndarray) -> np.ndarray:
        n = len(self.atoms)
        return np.stack([np.bincount(i, f, n) - np.bincount(j, f, n) for f in pull.T], axis=1)
