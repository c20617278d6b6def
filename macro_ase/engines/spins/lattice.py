"""Spin lattices as `ase.Atoms`: one atom a site, its spin the initial magnetic moment.

A chain is periodic along x, a square lattice along x and y, a cubic one along all three. ASE
compares initial moments, so a calculator notices when a spin has turned.
"""

from __future__ import annotations

import math

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from ...kinetics.ising import require_size
from ...reals import require_positive
from ...rng import Seed, coerce_rng

TOLERANCE = 0.1


def random_spins(n_sites: int, magnetisation: float = 0.0, rng: Seed = None) -> NDArray[np.int8]:
    """Spins in random order, shape (n_sites,), whose mean is as close as can be to a given one.

    Raises
    ------
    ValueError
        If the mean does not lie between -1 and 1.
    """
    if not -1 <= magnetisation <= 1:
        raise ValueError(f"magnetisation must lie in -1..1, not {magnetisation}")
    spins = np.full(n_sites, -1, dtype=np.int8)
    spins[: round((1 + magnetisation) / 2 * n_sites)] = 1
    return coerce_rng(rng).permutation(spins)


def spin_lattice(
    size: int | tuple[int, ...],
    magmoms: ArrayLike = 1,
    spacing: float = 1.0,
    symbol: str = "Fe",
) -> Atoms:
    """A periodic chain, square or cubic lattice of spins.

    Parameters
    ----------
    size : int or tuple of int
        Sites along each axis, at least 3.
    magmoms : int or array, shape (n_sites,) or of the size
        Spins, 1 or -1, in C order of the sites.
    spacing : float
        Distance of neighbours.
    symbol : str
        Chemical symbol of every site; models take no notice of it.

    Returns
    -------
    ase.Atoms
        The cell is one ``spacing`` thick along the axes that the lattice does not have.

    Raises
    ------
    ValueError
        If the size is no lattice, or the spins do not fit.
    """
    lengths = require_size(size)
    cells = (*lengths, 1, 1)[:3]
    values = np.asarray(magmoms)
    if not np.all(np.abs(values) == 1) or values.size not in (1, math.prod(lengths)):
        raise ValueError(f"magmoms must be 1 or -1 for each of {math.prod(lengths)} sites")
    spacing = require_positive(spacing, "spacing")
    positions = np.indices(cells).reshape(3, -1).T * spacing
    return Atoms(
        [symbol] * len(positions),
        positions=positions,
        cell=np.array(cells) * spacing,
        pbc=np.arange(3) < len(lengths),
        magmoms=np.broadcast_to(values.ravel(), len(positions)),
    )


def spins_of(atoms: Atoms) -> NDArray[np.int8]:
    """Spins in order of atoms, shape (n_atoms,).

    Raises
    ------
    ValueError
        If an initial magnetic moment is neither 1 nor -1.
    """
    moments = atoms.get_initial_magnetic_moments()
    if moments.ndim != 1 or not np.all(np.abs(moments) == 1):
        raise ValueError("initial magnetic moments must be 1 or -1: see spin_lattice")
    spins: NDArray[np.int8] = moments.astype(np.int8)
    return spins


def lattice_sites(atoms: Atoms) -> tuple[tuple[int, ...], NDArray[np.int64]]:
    """Size of a spin lattice, and the site of every atom, shape (n_atoms,).

    Raises
    ------
    ValueError
        If the atoms are not one to a site of a periodic chain, square or cubic lattice.
    """
    axes = int(atoms.pbc.sum())
    lengths = atoms.cell.lengths()[:axes]
    off_diagonal = atoms.cell.array - np.diag(np.diag(atoms.cell.array))
    if axes == 0 or not atoms.pbc[:axes].all() or off_diagonal.any() or not lengths.all():
        raise ValueError("not a spin lattice: it must be periodic along x, xy or xyz")
    spacing = (math.prod(lengths) / len(atoms)) ** (1 / axes)
    size = require_size(np.rint(lengths / spacing))
    if not np.isfinite(atoms.positions).all():
        raise ValueError("not a spin lattice: positions must be finite")
    steps = (atoms.positions[:, :axes] - atoms.positions[0, :axes]) / spacing
    nearest = np.rint(steps).astype(np.int64)
    if math.prod(size) != len(atoms) or np.abs(steps - nearest).max() > TOLERANCE:
        raise ValueError(f"not a spin lattice: the atoms are not on the sites of {size}")
    sites = np.ravel_multi_index(tuple((nearest % size).T), size)
    if len(np.unique(sites)) < len(atoms):
        raise ValueError("not a spin lattice: two atoms share a site")
    return size, sites
