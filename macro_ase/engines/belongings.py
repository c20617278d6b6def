"""What belongs to an atom travels with it when atoms change places.

That is every array of the atoms but their positions: mass, momentum, tag, charge, magnetic moment,
arrays of the user's own. An atom that turns into another species takes the mass of that species,
and its momentum becomes

    p' = p sqrt(m' / m),

which keeps its kinetic energy, and p / sqrt(m) its Maxwell-Boltzmann law. A vacancy ``X`` has no
momentum; an atom put where there was one gets its momentum from that law.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from ase.data import atomic_masses
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def exchange(atoms: Atoms, rows: Rows, origin: Rows) -> None:
    """Let atoms change places.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place.
    rows : int array, shape (n,)
        Indices of atoms, each once.
    origin : int array, shape (n,)
        What comes to ``rows[k]`` was at ``rows[origin[k]]``; a permutation of 0..n-1.
    """
    moved = np.flatnonzero(origin != np.arange(len(origin)))
    to, source = rows[moved], rows[origin[moved]]
    for name, array in atoms.arrays.items():
        if name != "positions":
            array[to] = array[source]


def like_for_like(before: NDArray[np.int64], after: NDArray[np.int64]) -> Rows:
    """An ``origin`` for `exchange` that turns one arrangement of species into another.

    Sites of one species that lost it give it, in their order, to those that got it.

    Parameters
    ----------
    before, after : int arrays, shape (n,)
        Atomic numbers; of each as many before as after.
    """
    origin = np.arange(len(before))
    for species in np.unique(before[before != after]):
        left = np.flatnonzero((before == species) & (after != species))
        came = np.flatnonzero((before != species) & (after == species))
        origin[came] = left
    return origin


def turn_into(
    atoms: Atoms,
    rows: Rows,
    numbers: NDArray[np.int64],
    temperature_K: float,
    rng: np.random.Generator,
) -> None:
    """Let atoms turn into other species, where they are not yet; masses and momenta follow.

    Parameters
    ----------
    atoms : ase.Atoms
        Changed in place.
    rows : int array, shape (n,)
        Indices of atoms, each once.
    numbers : int array, shape (n,)
        Their atomic numbers, 0 for a vacancy.
    temperature_K : float
    rng : numpy Generator
        Of momenta for atoms that come to where vacancies were.
    """
    turned = np.flatnonzero(atoms.numbers[rows] != numbers)
    rows, new, arrays = rows[turned], numbers[turned], atoms.arrays
    old = atoms.numbers[rows].copy()
    atoms.numbers[rows] = new
    mass = arrays["masses"][rows] if "masses" in arrays else atomic_masses[old]
    new_mass = atomic_masses[new]
    if "masses" in arrays:
        arrays["masses"][rows] = new_mass
    if "momenta" in arrays:
        momenta = np.sqrt(new_mass / mass)[:, None] * arrays["momenta"][rows]
        width = np.sqrt(new_mass[old == 0] * units.kB * temperature_K)
        momenta[old == 0] = width[:, None] * rng.standard_normal((len(width), 3))
        momenta[new == 0] = 0.0
        arrays["momenta"][rows] = momenta
