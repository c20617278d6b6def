"""Which lattice some atoms are, by distances alone, and their neighbours in a list of cells.

The lattice is recognised by the curve r(x), the distance within which an atom has x neighbours
in the mean.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from ase import Atoms
from ase.build import bulk
from numpy.typing import NDArray
from scipy.special import ndtr

from ..arrays import Array
from ..kinetics.cell_list import Cells, sort_into_cells
from ..neighbour_pairs import enclosed
from ..rng import coerce_rng
from .shell_kernels import SAME_PLACE_A2, pairs_within

Ints = NDArray[np.int64]

RECOGNISED = ("sc", "bcc", "fcc", "hcp", "diamond")
CURVE_NEIGHBORS = 45
MAX_CENTRES = 256
PER_NEIGHBOR = 4
SMALLEST_GAP = 0.025
LARGEST_MISFIT = 0.03
CLEARLY_BETTER = 0.8


def cells_of(atoms: Atoms, reach_A: float | None = None) -> Cells:
    """Atoms in cells not narrower than a reach; default: cells that hold some eight atoms."""
    box, positions = map(np.ascontiguousarray, enclosed(atoms))
    inverse = np.linalg.inv(box).astype(np.float64, copy=False)
    width = 1 / np.linalg.norm(inverse, axis=0)
    fair_A = (abs(np.linalg.det(box)) / len(atoms)) ** (1 / 3)
    shape = np.maximum(1, width // max(reach_A or 2 * fair_A, fair_A)).astype(np.int64)
    periodic = np.asarray(atoms.pbc, dtype=bool)
    return Cells(
        shape,
        width / shape,
        periodic,
        box,
        inverse,
        *sort_into_cells(positions, shape, periodic, box, inverse),
    )


def neighbours(cells: Cells, centres: Ints, reach_A: float) -> tuple[Ints, Ints, Array, Array]:
    """``owner``, ``index`` and ``vector`` as in `pairs_within`, and the distances.

    Raises
    ------
    ValueError
        If two atoms are at the same place.
    """
    owner, index, vector = pairs_within(cells, centres, float(reach_A))
    distance_A = np.sqrt(np.einsum("ij,ij->i", vector, vector))
    if len(distance_A) and distance_A.min() ** 2 < SAME_PLACE_A2:
        raise ValueError("two atoms are at the same place")
    return owner, index, vector, distance_A


def lattice_by_distances(atoms: Atoms) -> tuple[str | None, float]:
    """Name of the lattice, or None, and its nearest distance in A."""
    return _recognise(_coordination_curve(atoms, CURVE_NEIGHBORS, 0.5))


def _coordination_curve(atoms: Atoms, n_neighbors: int, inner_share: float) -> Array:
    """Distance r(x), in A, within which an atom has x = (j + 1/2) / PER_NEIGHBOR neighbours.

    The mean is over the given share of the atoms, those with the most neighbours, away from
    vacancies; over a tenth where there are surfaces. Small clusters have a shorter curve.
    """
    n_atoms, periodic = len(atoms), bool(atoms.pbc.all())
    centres = coerce_rng(0).permutation(n_atoms)[:MAX_CENTRES]
    n_inner = int(np.ceil(len(centres) * (inner_share if periodic else 0.1)))
    cells = cells_of(atoms)
    size_A = atoms.cell.volume ** (1 / 3) if periodic else np.ptp(atoms.positions, axis=0).max()
    reach_A, enough = (size_A or 1.0) * (n_neighbors / (4 * n_atoms)) ** (1 / 3), False
    while not enough:
        reach_A *= 1.1
        first, _, _, distance_A = neighbours(cells, centres, reach_A)
        number = np.bincount(first, minlength=len(centres))
        inner = np.argsort(-number, kind="stable")[:n_inner]
        all_found = not atoms.pbc.any() and number.min() == n_atoms - 1
        enough = all_found or number[inner].mean() > n_neighbors
    chosen = np.zeros(len(centres), dtype=bool)
    chosen[inner] = True
    pooled = np.sort(distance_A[chosen[first]])
    length = min(n_neighbors, len(pooled) // n_inner) * PER_NEIGHBOR
    curve: Array = pooled[((np.arange(length) + 0.5) * n_inner / PER_NEIGHBOR).astype(int)]
    return curve


def _gaps(curve: Array) -> tuple[Array, Array]:
    """Numbers of neighbours where the curve jumps, and the middle of each jump in A.

    A jump is large beside most steps, and beside 1 / (3 n), the n-th step in an ideal gas.
    """
    from scipy.signal import find_peaks

    steps = np.diff(curve) / curve[:-1]
    usual = float(np.median(steps)) if len(steps) else 0.0
    height = np.maximum(0.5 / np.arange(1, len(steps) + 1), max(SMALLEST_GAP, 12 * usual))
    at, _ = find_peaks(steps, height=height, distance=PER_NEIGHBOR // 2)
    return (at + 1) / PER_NEIGHBOR, (curve[at] + curve[at + 1]) / 2


def cutoffs_at_gaps(atoms: Atoms, n_shells: int) -> Array:
    """Outer radii of the first shells, in A, at gaps of the curve."""
    for n_neighbors in CURVE_NEIGHBORS * np.array([1, 2, 4, 8]):
        _, cutoffs = _gaps(_coordination_curve(atoms, n_neighbors, 1.0))
        if len(cutoffs) >= n_shells:
            return cutoffs[:n_shells]
    raise ValueError(
        f"only {len(cutoffs)} of {n_shells} neighbour shells can be told apart by distance; "
        "give their outer radii as cutoffs_A"
    )


@lru_cache
def ideal_shells(lattice: str, n_shells: int) -> tuple[Array, Ints]:
    """Radii, in nearest-neighbour distances, and coordination of an ideal crystal's shells."""
    crystal = bulk("X", lattice, a=1.0, c=np.sqrt(8 / 3) if lattice == "hcp" else None)
    _, _, _, distances = neighbours(cells_of(crystal), np.array([0]), 1.0 + 0.5 * n_shells)
    radii, numbers = np.unique(np.round(distances, 6), return_counts=True)
    return radii[:n_shells] / radii[0], numbers[:n_shells]


def _recognise(curve: Array) -> tuple[str | None, float]:
    """Best lattice with gaps where the curve has them, or None; its nearest distance in A."""
    gaps, _ = _gaps(curve)
    best, least_misfit, nearest_A = None, LARGEST_MISFIT, np.nan
    for lattice in RECOGNISED:
        ends = np.cumsum(ideal_shells(lattice, 6)[1])
        n_whole = int(np.sum(ends * PER_NEIGHBOR <= len(curve)))
        inside = gaps[(gaps > 1) & (gaps < 0.94 * ends[n_whole - 1])]
        explained = np.abs(inside[:, None] - ends) <= np.maximum(0.5, 0.06 * ends)
        if n_whole >= 2 and len(inside) and explained.any(axis=1).all():
            misfit, scale_A = _fit(curve, lattice, n_whole)
            if misfit < CLEARLY_BETTER * least_misfit:
                best, least_misfit, nearest_A = lattice, misfit, scale_A
    return best, nearest_A


def _fit(curve: Array, lattice: str, n_whole: int) -> tuple[float, float]:
    """Misfit of ideal shells, scaled, and broadened as the first one is; the scale in A."""
    radii, numbers = ideal_shells(lattice, 6)
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
