"""ASE calculator of an `EAMTable`, in numpy: the energies and forces that LAMMPS gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_changes
from ase.data import atomic_numbers, chemical_symbols
from ase.stress import full_3x3_to_voigt_6_stress
from numpy.typing import NDArray

from ..arrays import Array
from ..neighbour_pairs import neighbour_pairs
from .eam_table import EAMTable, Splines
from .exact_state import ExactState

PROPERTIES = ["energy", "free_energy", "energies", "forces", "stress"]


class TableEAM(ExactState):
    """Energy, energies of atoms, forces and stress of an embedded-atom table.

    An atom's energy is its embedding energy and half of its pair energies.

    Parameters
    ----------
    table : EAMTable, str or Path
        The potential, or its setfl file.

    Raises
    ------
    ValueError
        When atoms of an element that the table lacks are calculated.
    """

    implemented_properties = PROPERTIES

    def __init__(self, table: EAMTable | str | Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table if isinstance(table, EAMTable) else EAMTable.read(table)
        self.splines = self.table.splines()

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        crystal = Atoms(self.atoms)
        codes = species_codes(self.table, crystal)
        i, j, distance, vector = neighbour_pairs(crystal, self.table.cutoff_A)
        energies, pull = energies_and_pulls(self.splines, codes, i, j, distance)
        pull_vector = (pull / distance)[:, None] * vector
        forces = np.stack([sums(i, pull_vector[:, k], len(codes)) for k in range(3)], axis=1)
        energy = float(energies.sum())
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "energies": energies,
            "forces": forces,
        }
        if crystal.cell.rank == 3:
            virial = pull_vector.T @ vector / (2 * crystal.get_volume())
            self.results["stress"] = full_3x3_to_voigt_6_stress(virial)


def species_codes(table: EAMTable, atoms: Atoms) -> NDArray[np.int64]:
    """Number of each atom's species in the table, shape (n_atoms,).

    Raises
    ------
    ValueError
        If the table lacks an element.
    """
    codes: NDArray[np.int64] = codes_by_number(table)[atoms.numbers]
    if codes.min(initial=0) < 0:
        missing = sorted(set(atoms.get_chemical_symbols()) - set(table.species))
        raise ValueError(
            f"the potential knows {', '.join(table.species)}, not {', '.join(missing)}"
        )
    return codes


def codes_by_number(table: EAMTable) -> NDArray[np.int64]:
    """Number of each element's species in the table, by atomic number; -1 of those it lacks."""
    codes = np.full(len(chemical_symbols), -1, dtype=np.int64)
    for n, name in enumerate(table.species):
        if name in atomic_numbers:
            codes[atomic_numbers[name]] = n
    return codes


def energies_and_pulls(
    splines: Splines,
    codes: NDArray[np.int64],
    i: NDArray[np.int64],
    j: NDArray[np.int64],
    distance_A: Array,
    background: Array | float = 0.0,
) -> tuple[Array, Array]:
    """Energies of atoms, and the derivative of the energy with the length of each pair.

    Parameters
    ----------
    codes : int array, shape (n_atoms,)
    i, j : int arrays, shape (n_pairs,)
        Every pair within the cutoff, from both sides.
    distance_A : array, shape (n_pairs,)
    background : array, shape (n_atoms,)
        Densities that atoms have beside those of these pairs.

    Returns
    -------
    energies : array, shape (n_atoms,)
        eV.
    pulls : array, shape (n_pairs,)
        dE/dr of the pair, eV/A: positive when it attracts.
    """
    a, b, n = codes[i], codes[j], len(codes)
    f_b, f_b_slope = interpolate(splines.density, splines.dr_A, distance_A, b)
    _, f_a_slope = interpolate(splines.density, splines.dr_A, distance_A, a)
    z, z_slope = interpolate(splines.r_pair, splines.dr_A, distance_A, a, b)
    rho = background + sums(i, f_b, n)
    F, F_slope = embedding(splines, rho, codes)
    phi = z / distance_A
    energies = F + sums(i, phi, n) / 2
    pulls = F_slope[i] * f_b_slope + F_slope[j] * f_a_slope + (z_slope - phi) / distance_A
    return energies, np.asarray(pulls)


def embedding(splines: Splines, rho: Array, codes: NDArray[np.int64]) -> tuple[Array, Array]:
    """Embedding energies (eV) and their slopes; beyond the table along the tangent."""
    F, slope = interpolate(splines.embedding, splines.drho, rho, codes)
    last = splines.drho * splines.embedding.shape[-2]
    return F + slope * np.maximum(rho - last, 0.0), slope


def sums(index: NDArray[np.int64], values: Array, n: int) -> Array:
    """Sum of the values with each index, shape (n,)."""
    return np.asarray(np.bincount(index, values, minlength=n), dtype=np.float64)


def interpolate(
    cubics: Array, width: float, x: Array, *which: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Values and slopes of tabulated functions; beyond the last knot those at the last knot.

    Parameters
    ----------
    cubics : array, shape (..., n - 1, 4)
    width : float
        Of an interval.
    x : array, shape (n_points,)
    which : int arrays, shape (n_points,)
        Indices of the function for every point, one for each leading axis of ``cubics``.
    """
    position = x / width
    interval = np.clip(position.astype(np.int64), 0, cubics.shape[-2] - 1)
    p = np.minimum(position - interval, 1.0)
    c = cubics[(*which, interval)]
    value = c[:, 0] + p * (c[:, 1] + p * (c[:, 2] + p * c[:, 3]))
    slope = (c[:, 1] + p * (2 * c[:, 2] + p * 3 * c[:, 3])) / width
    return value, slope
