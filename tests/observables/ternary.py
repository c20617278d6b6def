"""Random ternary crystals with vacancies, on their sites or moved off them."""

import numpy as np

from macro_ase.crystal import Crystal
from macro_ase.lattice import BCC, SiteGrid

SPECIES = ("Mo", "Nb", "Ta")


def alloy(size=4, seed=0, lattice=BCC, n_vacancies=2, a=3.24):
    """A random ternary crystal with vacancies marked X; composition not equimolar."""
    grid = SiteGrid(lattice, (size, size, size))
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, grid.n_sites, p=[0.5, 0.3, 0.2]).astype(np.int8)
    codes[rng.choice(grid.n_sites, n_vacancies, replace=False)] = 3
    return Crystal.from_sites(grid, SPECIES, codes, a).to_atoms()


def rattled(atoms, rms_A, seed=0):
    """Each atom moved by rms_A in the root mean square of its displacement."""
    moved = atoms.copy()
    rng = np.random.default_rng(seed)
    moved.positions += rng.normal(0, rms_A / np.sqrt(3), moved.positions.shape)
    return moved
