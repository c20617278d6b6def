"""Who neighbours whom in a crystal that comes as atoms, shell by shell.

On the sites of the crystal where there are sites, by distance elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks
from scipy.spatial import cKDTree
from scipy.special import ndtr

from ..lattice import LATTICES, Crystal, as_atoms
from ..rng import coerce_rng

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SITE_LATTICES = {"sc": "cubic", "bcc": "bcc", "fcc": "fcc"}
RECOGNISED = (*SITE_LATTICES, "hcp", "diamond")
CURVE_NEIGHBORS = 45
MAX_CENTRES = 512
PER_NEIGHBOR = 4
SMALLEST_GAP = 0.025
LARGEST_MISFIT = 0.03
CLEARLY_BETTER = 0.8


@dataclass(frozen=True)
class NeighborShells:
    """Who neighbours whom in a structure, shell by shell.

    Attributes
    ----------
    symbols : str array, shape (n_sites,)
        Symbol of each site: the atoms in their order, then the vacancies found.
    lattice : str or None
        ``"sc"``, ``"bcc"``, ``"fcc"``, ``"hcp"`` or ``"diamond"``, where recognised.
    radii_A : array, shape (n_shells,)
        Mean distance in each shell, in A.
    cutoffs_A : array, shape (n_shells,), or None
        Outer radius of each shell, in A; None if the atoms were assigned to lattice sites.
    pairs : tuple of int arrays, shape (2, n_pairs)
        Each shell's ordered pairs of sites; a pair occurs once per periodic image.
    """

    symbols: NDArray[np.str_]
    lattice: str | None
    radii_A: Floats
    cutoffs_A: Floats | None
    pairs: tuple[Ints, ...]


def neighbor_shells(
    structure: Any, n_shells: int = 2, cutoffs_A: ArrayLike | None = None
) -> NeighborShells:
    """Neighbour shells of a crystal: perfect, relaxed or moving, periodic or not.

    The lattice is recognised by the curve r(x), the distance within which an atom has x
    neighbours in the mean. A periodic block of conventional sc, bcc or fcc cells has its
    atoms assigned to sites, which stays right when thermal motion mixes two shells. In
    other recognised crystals a shell ends midway between two ideal radii, elsewhere at a
    gap of the curve.

    Parameters
    ----------
    structure : ase.Atoms or pymatgen Structure
        ``X`` marks a vacancy; a block on sites also finds those that are merely absent.
    n_shells : int
    cutoffs_A : array, shape (n_shells,), optional
        Outer radius of each shell, in A, ascending; then nothing is recognised or assigned,
        and ``n_shells`` is not used.

    Raises
    ------
    ValueError
        If atoms coincide, the cutoffs do not ascend, or no such shells can be told apart.
    """
    atoms = as_atoms(structure)
    if len(atoms) == 0 or np.any(atoms.pbc & ~atoms.cell.any(axis=1)):
        raise ValueError("neighbours need atoms, and a cell vector along each periodic axis")
    if cutoffs_A is not None:
        return _within_cutoffs(atoms, None, np.asarray(cutoffs_A, dtype=float))
    if n_shells < 1:
        raise ValueError(f"the number of shells must be at least 1, not {n_shells}")
    lattice, nearest_A = _recognise(_coordination_curve(atoms, CURVE_NEIGHBORS, 0.5))
    if lattice is None:
        return _within_cutoffs(atoms, None, _cutoffs_at_gaps(atoms, n_shells))
    if lattice in SITE_LATTICES and atoms.pbc.all():
        try:
            return _on_sites(atoms, lattice, nearest_A, n_shells)
        except ValueError:
            pass  # not a block of conventional cells
    radii = _ideal_shells(lattice, n_shells + 1)[0] * nearest_A
    return _within_cutoffs(atoms, lattice, (radii[1:] + radii[:-1]) / 2)


def _pairs(atoms: Atoms, reach_A: float, centres: Ints) -> tuple[Ints, Ints, Floats]:
    """Atoms i (among the centres) and j and their distance in A, all images in reach."""
    cell = atoms.cell.complete()
    home = np.linalg.solve(cell.T, atoms.positions.T).T
    home[:, atoms.pbc] %= 1.0
    points, owner = home, np.arange(len(atoms))
    for axis in np.flatnonzero(atoms.pbc):
        margin = reach_A * np.linalg.norm(cell.reciprocal()[axis])
        shifts = np.arange(-np.ceil(margin), np.ceil(margin) + 1)
        images = np.concatenate([points + shift * np.eye(3)[axis] for shift in shifts])
        near = (images[:, axis] >= -margin) & (images[:, axis] <= 1 + margin)
        points, owner = images[near], np.tile(owner, len(shifts))[near]
    tree, middle = cKDTree(points @ cell.array), cKDTree(home[centres] @ cell.array)
    found = middle.sparse_distance_matrix(tree, reach_A, output_type="ndarray")
    first, second, distance_A = centres[found["i"]], owner[found["j"]], found["v"]
    if np.any((first != second) & (distance_A < 1e-6)):
        raise ValueError("two atoms are at the same place")
    other = distance_A > 1e-6
    return first[other], second[other], distance_A[other]


def _coordination_curve(atoms: Atoms, n_neighbors: int, inner_share: float) -> Floats:
    """Distance r(x), in A, within which an atom has x = (j + 1/2) / PER_NEIGHBOR neighbours.

    The mean is over the given share of the atoms, those with the most neighbours, away from
    vacancies; over a tenth where there are surfaces. Small clusters have a shorter curve.
    """
    n_atoms, periodic = len(atoms), bool(atoms.pbc.all())
    centres = coerce_rng(0).permutation(n_atoms)[:MAX_CENTRES]
    n_inner = int(np.ceil(len(centres) * (inner_share if periodic else 0.1)))
    size_A = atoms.cell.volume ** (1 / 3) if periodic else np.ptp(atoms.positions, axis=0).max()
    reach_A, enough = (size_A or 1.0) / n_atoms ** (1 / 3), False
    while not enough:
        reach_A *= 1.25
        first, _, distance_A = _pairs(atoms, reach_A, centres)
        number = np.bincount(first, minlength=n_atoms)[centres]
        inner = np.argsort(-number, kind="stable")[:n_inner]
        all_found = not atoms.pbc.any() and number.min() == n_atoms - 1
        enough = all_found or number[inner].mean() > n_neighbors
    pooled = np.sort(distance_A[np.isin(first, centres[inner])])
    length = min(n_neighbors, len(pooled) // n_inner) * PER_NEIGHBOR
    return pooled[((np.arange(length) + 0.5) * n_inner / PER_NEIGHBOR).astype(int)]


def _gaps(curve: Floats) -> tuple[Floats, Floats]:
    """Numbers of neighbours where the curve jumps, and the middle of each jump in A.

    A jump is large beside most steps, and beside 1 / (3 n), the n-th step in an ideal gas.
    """
    steps = np.diff(curve) / curve[:-1]
    usual = float(np.median(steps)) if len(steps) else 0.0
    height = np.maximum(0.5 / np.arange(1, len(steps) + 1), max(SMALLEST_GAP, 12 * usual))
    at, _ = find_peaks(steps, height=height, distance=PER_NEIGHBOR // 2)
    return (at + 1) / PER_NEIGHBOR, (curve[at] + curve[at + 1]) / 2


def _cutoffs_at_gaps(atoms: Atoms, n_shells: int) -> Floats:
    for n_neighbors in CURVE_NEIGHBORS * np.array([1, 2, 4, 8]):
        _, cutoffs = _gaps(_coordination_curve(atoms, n_neighbors, 1.0))
        if len(cutoffs) >= n_shells:
            return cutoffs[:n_shells]
    raise ValueError(
        f"only {len(cutoffs)} of {n_shells} neighbour shells can be told apart by distance; "
        "give their outer radii as cutoffs_A"
    )


@lru_cache
def _ideal_shells(lattice: str, n_shells: int) -> tuple[Floats, Ints]:
    """Radii, in nearest-neighbour distances, and coordination of an ideal crystal's shells."""
    crystal = bulk("X", lattice, a=1.0, c=np.sqrt(8 / 3) if lattice == "hcp" else None)
    _, _, distances = _pairs(crystal, 1.0 + 0.5 * n_shells, np.array([0]))
    radii, numbers = np.unique(np.round(distances, 6), return_counts=True)
    return radii[:n_shells] / radii[0], numbers[:n_shells]


def _recognise(curve: Floats) -> tuple[str | None, float]:
    """Best lattice with gaps where the curve has them, or None; its nearest distance in A."""
    gaps, _ = _gaps(curve)
    best, least_misfit, nearest_A = None, LARGEST_MISFIT, np.nan
    for lattice in RECOGNISED:
        ends = np.cumsum(_ideal_shells(lattice, 6)[1])
        n_whole = int(np.sum(ends * PER_NEIGHBOR <= len(curve)))
        inside = gaps[(gaps > 1) & (gaps < 0.94 * ends[n_whole - 1])]
        explained = np.abs(inside[:, None] - ends) <= np.maximum(0.5, 0.06 * ends)
        if n_whole >= 2 and len(inside) and explained.any(axis=1).all():
            misfit, scale_A = _fit(curve, lattice, n_whole)
            if misfit < CLEARLY_BETTER * least_misfit:
                best, least_misfit, nearest_A = lattice, misfit, scale_A
    return best, nearest_A


def _fit(curve: Floats, lattice: str, n_whole: int) -> tuple[float, float]:
    """Misfit of ideal shells, scaled, and broadened as the first one is; the scale in A."""
    radii, numbers = _ideal_shells(lattice, 6)
    ends = np.cumsum(numbers[:n_whole]) * PER_NEIGHBOR
    shells = np.split(curve[: ends[-1]], ends[:-1])
    ratios = [shell.mean() / radii[k] for k, shell in enumerate(shells)]
    scale_A = float(np.average(ratios, weights=numbers[:n_whole]))
    low, high = np.quantile(shells[0], [0.16, 0.84])
    width_A = max((high - low) / 2, 1e-3 * scale_A)
    r = np.linspace(0, 1.2 * radii[-1] * scale_A, 2000)
    number = ndtr((r[:, None] - radii * scale_A) / width_A) @ numbers
    ideal = np.interp((np.arange(ends[-1]) + 0.5) / PER_NEIGHBOR, number, r)
    return float(np.abs(curve[: ends[-1]] / ideal - 1).mean()), scale_A


def _on_sites(atoms: Atoms, lattice: str, nearest_A: float, n_shells: int) -> NeighborShells:
    sites = LATTICES[SITE_LATTICES[lattice]]
    crystal = Crystal.from_atoms(atoms, lattice=sites, tolerance_A=0.75 * nearest_A)
    atom_at = np.argsort(crystal.site_of_atom)
    pairs, radii_A = [], []
    for vectors in sites.shells(n_shells):
        second = atom_at[crystal.grid.neighbors(vectors)]
        pairs.append(np.stack([np.repeat(atom_at, len(vectors)), second.ravel()]))
        radii_A.append(np.linalg.norm(vectors[0]) * crystal.lattice_constant_A / 2)
    symbols = np.array(crystal.template.get_chemical_symbols())
    return NeighborShells(symbols, lattice, np.array(radii_A), None, tuple(pairs))


def _within_cutoffs(atoms: Atoms, lattice: str | None, cutoffs_A: Floats) -> NeighborShells:
    if cutoffs_A.ndim != 1 or len(cutoffs_A) == 0 or np.any(np.diff(cutoffs_A, prepend=0.0) <= 0):
        raise ValueError(f"cutoffs_A must be positive and ascending, not {cutoffs_A}")
    first, second, distance_A = _pairs(atoms, cutoffs_A[-1], np.arange(len(atoms)))
    shell = np.searchsorted(cutoffs_A, distance_A)
    members = [np.flatnonzero(shell == k) for k in range(len(cutoffs_A))]
    radii_A = [distance_A[m].mean() if len(m) else np.nan for m in members]
    pairs = tuple(np.stack([first[m], second[m]]) for m in members)
    symbols = np.array(atoms.get_chemical_symbols())
    return NeighborShells(symbols, lattice, np.array(radii_A), cutoffs_A, pairs)
