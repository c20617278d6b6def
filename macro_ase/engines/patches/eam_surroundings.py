"""Embedded-atom energies and forces of atoms that move among frozen ones, by a compiled kernel.

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
from ...kinetics.eam_atoms import (
    EAMFunctions,
    MovingAtoms,
    MovingEAM,
    MovingNeighbours,
    energy_and_forces,
    fill_atoms,
)
from ...neighbour_pairs import neighbour_pairs
from ...potentials.eam_calculator import (
    TableEAM,
    codes_by_number,
    embedding,
    interpolate,
    species_codes,
    sums,
)


class EAMSurroundings:
    """Moving atoms, the first ``n_moving``, among frozen ones.

    Parameters
    ----------
    atoms : ase.Atoms
        Vacancies ``X`` are nothing.
    n_moving : int
    eam : TableEAM
    room_A : float
        How far an atom may go from where it is now.

    Attributes
    ----------
    kernel : MovingEAM
        What kernels take; moving atoms come first.
    """

    def __init__(self, atoms: Atoms, n_moving: int, eam: TableEAM, room_A: float) -> None:
        self.n, self.table, self._codes = n_moving, eam.table, codes_by_number(eam.table)
        self._codes[0] = len(eam.table.species)
        real = np.flatnonzero(atoms.numbers)
        species_codes(eam.table, atoms[real])
        codes = self._codes[atoms.numbers]
        i, j, distance, vector = neighbour_pairs(atoms, eam.table.cutoff_A + 2 * room_A)
        felt = (i < n_moving) | (j < n_moving)
        seen = np.union1d(np.arange(n_moving), i[felt])
        row = np.zeros(len(atoms), dtype=np.int64)
        row[seen] = np.arange(len(seen))
        rest = ~felt & (distance < eam.table.cutoff_A) & (atoms.numbers[j] != 0)
        splines = eam.splines
        density = interpolate(splines.density, splines.dr_A, distance[rest], codes[j[rest]])[0]
        frozen = sums(i[rest], density, len(atoms))[seen]
        own = i < n_moving
        near = MovingNeighbours(
            np.searchsorted(i[own], np.arange(n_moving + 1)),
            row[j[own]].astype(np.int32),
            (vector - atoms.positions[j] + atoms.positions[i])[own],
        )
        density, embedded = np.zeros((2, len(seen)))
        moving = MovingAtoms(
            atoms.positions[seen], codes[seen].astype(np.int8), density, embedded, frozen
        )
        self.kernel = MovingEAM(functions_of(eam), near, moving)
        alone = seen[(seen >= n_moving) & (atoms.numbers[seen] != 0)]
        self._alone = embedding(splines, frozen[row[alone]], codes[alone])[0].sum()

    def evaluate(self, atoms: Atoms) -> tuple[float, Array]:
        """Energy that the moving atoms add, eV, and the forces on them, eV/A.

        Parameters
        ----------
        atoms : ase.Atoms
            Those of the constructor; the moving ones may have other species and positions.
        """
        self._take(atoms)
        forces = np.zeros((self.n, 3))
        energy = energy_and_forces(self.kernel, forces)
        return float(energy - self._alone), forces

    def fill(self, atoms: Atoms) -> None:
        """Densities and embedding energies of the atoms as they are now, into ``kernel``."""
        self._take(atoms)
        fill_atoms(self.kernel)

    def _take(self, atoms: Atoms) -> None:
        codes, moving = self._codes[atoms.numbers[: self.n]], self.kernel.atoms
        if codes.min(initial=0) < 0:
            species_codes(self.table, atoms[: self.n])
        moving.places[: self.n], moving.codes[: self.n] = atoms.positions[: self.n], codes


def functions_of(eam: TableEAM) -> EAMFunctions:
    """The table of a calculator as kernels take it."""
    cubics = eam.splines.with_vacancy()
    return EAMFunctions(
        cubics.density,
        cubics.r_pair,
        cubics.embedding,
        cubics.dr_A,
        cubics.drho,
        float(eam.table.cutoff_A),
    )
