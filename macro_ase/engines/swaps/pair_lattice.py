"""A pair energy by neighbour shells on the compiled kernel of embedded-atom tables.

    E = 1/2 sum_i sum_j V_k(s_i, s_j),    k the shell in which site j is of site i

phi of `EAMLattice` is V of the shell that a distance lies in, and nothing is embedded.
"""

from __future__ import annotations

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from ...barriers.pair_energy import PairEnergy
from ...potentials.eam_table import EAMTable
from ...site_cells import SiteCells
from .eam_lattice import EAMLattice

KNOTS = 16


def pair_lattice(cells: SiteCells, energy: PairEnergy, n_shells: int) -> EAMLattice:
    """The sites of bcc cells with a pair energy; bonds of ``n_shells`` shells are counted.

    Raises
    ------
    ValueError
        If the cells are not bcc.
    """
    if cells.name != "bcc":
        raise ValueError(
            f"a pair energy is of bcc sites, not of {cells.name or 'cells of another lattice'}"
        )
    most = max(n_shells, energy.n_shells)
    made = EAMLattice.from_cells(cells, _nothing(energy, cells.between_shells_A(most)), most)
    shells = made.tables.shells
    pair = np.zeros((most, *energy.pair_eV.shape[1:]))
    pair[: energy.n_shells] = energy.pair_eV
    counted = np.where(shells < n_shells, shells, -1)
    made.tables, made.n_shells = made.tables._replace(pair=pair[shells], shells=counted), n_shells
    return made


def _nothing(energy: PairEnergy, cutoff_A: float) -> EAMTable:
    """A table of these species without interactions."""
    n = len(energy.species)
    masses = np.array([atomic_masses[atomic_numbers[name]] for name in energy.species])
    none = np.zeros((n, KNOTS))
    functions = none, none, np.zeros((n, n, KNOTS))
    return EAMTable(energy.species, masses, np.ones(n), cutoff_A, cutoff_A / KNOTS, 1.0, *functions)
