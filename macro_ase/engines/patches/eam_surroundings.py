"""Embedded-atom energies and forces of atoms that move among frozen ones.

With a, b moving, h frozen, and rho_h from frozen neighbours alone, known once, the moving atoms
add

    E = sum_a F_a(rho_a) + sum_ab phi_ab(r) / 2 + sum_ah phi_ah(r)
        + sum_h [F_h(rho_h + sum_a f_a(r_ah)) - F_h(rho_h)]

Only pairs with a moving atom are visited: that costs what the moving atoms cost, whatever halo
they need.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms

from ...arrays import Array
from ...neighbour_pairs import neighbour_pairs
from ...potentials.eam_calculator import (
    TableEAM,
    embedding,
    energies_and_pulls,
    interpolate,
    species_codes,
    sums,
)


class EAMSurroundings:
    """Moving atoms, the first ``n_moving``, among frozen ones.

    Parameters
    ----------
    atoms : ase.Atoms
        Without vacancies.
    n_moving : int
    eam : TableEAM
    room_A : float
        How far an atom may go from where it is now.
    """

    def __init__(self, atoms: Atoms, n_moving: int, eam: TableEAM, room_A: float) -> None:
        self.table, self.splines, self.n = eam.table, eam.splines, n_moving
        table = eam.table
        i, j, distance, vector = neighbour_pairs(atoms, table.cutoff_A + 2 * room_A)
        pairs = (i < n_moving) | (j < n_moving)
        seen = np.union1d(np.arange(n_moving), i[pairs])
        row = np.zeros(len(atoms), dtype=np.int64)
        row[seen] = np.arange(len(seen))
        self._i, self._j = row[i[pairs]], row[j[pairs]]
        self._images = (vector - atoms.positions[j] + atoms.positions[i])[pairs]
        self._positions, self._codes = atoms.positions[seen], species_codes(table, atoms[seen])
        rest = ~pairs & (distance < table.cutoff_A)
        codes = species_codes(table, atoms)[j[rest]]
        density = interpolate(self.splines.density, self.splines.dr_A, distance[rest], codes)[0]
        self._rho = sums(i[rest], density, len(atoms))[seen]
        frozen = slice(n_moving, None)
        self._alone = embedding(self.splines, self._rho[frozen], self._codes[frozen])[0].sum()

    def evaluate(self, atoms: Atoms) -> tuple[float, Array]:
        """Energy that the moving atoms add, eV, and the forces on them, eV/A.

        Parameters
        ----------
        atoms : ase.Atoms
            Those of the constructor; the moving ones may have other species and positions.
        """
        n, place = self.n, self._positions
        place[:n], self._codes[:n] = atoms.positions[:n], species_codes(self.table, atoms[:n])
        vector = place[self._j] - place[self._i] + self._images
        distance = np.sqrt((vector**2).sum(axis=1))
        felt = distance < self.table.cutoff_A
        i, j, distance, vector = self._i[felt], self._j[felt], distance[felt], vector[felt]
        energies, pulls = energies_and_pulls(self.splines, self._codes, i, j, distance, self._rho)
        along = (pulls / distance)[:, None] * vector
        forces = np.stack([sums(i, along[:, k], len(place)) for k in range(3)], axis=1)
        return float(energies.sum() - self._alone), forces[:n]
