"""An embedded-atom potential of atoms that move among frozen ones: arrays, energies, forces.

With a, b moving, m any atom that feels one of them, and frozen_m what frozen neighbours alone add
to its density, known once,

    E = sum_m F_m(rho_m) + 1/2 sum_ab phi_ab(r) + sum_ah phi_ah(r),
    rho_m = frozen_m + sum_a f_a(r_am)

Only pairs with a moving atom are visited.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..compiled import compiled


class EAMFunctions(NamedTuple):
    """Cubics of a table, by interval; S species, of which the last, the vacancy, is nothing."""

    density: Array  # (S, nr - 1, 4) f
    r_pair: Array  # (S, S, nr - 1, 4) r phi, eV A
    embedding: Array  # (S, nrho, 4) F, eV; the last its tangent at the end
    dr: float  # A
    drho: float
    cutoff: float  # A


class MovingNeighbours(NamedTuple):
    """Neighbours of n moving atoms, ascending; both atoms of a pair of moving ones know of it."""

    starts: NDArray[np.int64]  # (n + 1,) where the neighbours of an atom begin
    other: NDArray[np.int32]  # (n_edges,) moving atoms are 0 to n - 1
    image: Array  # (n_edges, 3) what is added to the place of the other, A


class MovingAtoms(NamedTuple):
    """Moving atoms, the first n, and those m - n that feel them."""

    places: Array  # (m, 3) A
    codes: NDArray[np.int8]  # (m,) species
    density: Array  # (m,) rho
    embedded: Array  # (m,) F(rho), eV
    frozen: Array  # (m,) the part of rho that frozen atoms add


class MovingEAM(NamedTuple):
    """What kernels take."""

    functions: EAMFunctions
    near: MovingNeighbours
    atoms: MovingAtoms


@compiled
def knot(x: float, n_intervals: int) -> tuple[np.uint64, float]:
    """Interval of a table, and how far into it, at x in intervals; goes on beyond the last."""
    k = min(max(int(x), 0), n_intervals - 1)
    return np.uint64(k), x - k


@compiled
def cubic(c: Array, k: np.uint64, p: float) -> float:
    """Value of a cubic; ``c`` has shape (n_intervals, 4)."""
    value: float = c[k, 0] + p * (c[k, 1] + p * (c[k, 2] + p * c[k, 3]))
    return value


@compiled
def slope(c: Array, k: np.uint64, p: float) -> float:
    """Its derivative, per interval."""
    value: float = c[k, 1] + p * (2 * c[k, 2] + p * 3 * c[k, 3])
    return value


@compiled
def apart(near: MovingNeighbours, places: Array, i: int, e: int) -> tuple[float, float, float]:
    """From atom i to its neighbour at entry e, A."""
    j = near.other[e]
    return (
        places[j, 0] + near.image[e, 0] - places[i, 0],
        places[j, 1] + near.image[e, 1] - places[i, 1],
        places[j, 2] + near.image[e, 2] - places[i, 2],
    )


@compiled
def embedding_of(functions: EAMFunctions, species: int, density: float) -> float:
    """F(rho) in eV."""
    k, p = knot(density / functions.drho, functions.embedding.shape[1])
    return cubic(functions.embedding[species], k, p)


@compiled
def fill_atoms(eam: MovingEAM) -> float:
    """Densities and embedding energies of all; energy of all pairs, eV."""
    functions, near, atoms = eam
    n, codes, energy = near.starts.size - 1, atoms.codes, 0.0
    for m in range(codes.size):
        atoms.density[m] = atoms.frozen[m]
    for i in range(n):
        for e in range(near.starts[i], near.starts[i + 1]):
            j = near.other[e]
            if j < i:
                continue
            x, y, z = apart(near, atoms.places, i, e)
            r = np.sqrt(x * x + y * y + z * z)
            if r >= functions.cutoff:
                continue
            a, b = codes[i], codes[j]
            k, p = knot(r / functions.dr, functions.density.shape[1])
            pair = cubic(functions.r_pair[a, b], k, p) / r
            atoms.density[i] += cubic(functions.density[b], k, p)
            energy += 0.5 * pair if j == i else pair
            if j != i:
                atoms.density[j] += cubic(functions.density[a], k, p)
    for m in range(codes.size):
        atoms.embedded[m] = embedding_of(functions, codes[m], atoms.density[m])
    return energy


@compiled
def energy_and_forces(eam: MovingEAM, forces: Array) -> float:
    """Energy, eV; those on the moving atoms are added to ``forces``, shape (n, 3), eV/A."""
    functions, near, atoms = eam
    n, codes, dr = near.starts.size - 1, atoms.codes, functions.dr
    energy, steep = fill_atoms(eam), np.empty(codes.size)
    for m in range(codes.size):
        energy += atoms.embedded[m]
        k, p = knot(atoms.density[m] / functions.drho, functions.embedding.shape[1])
        steep[m] = slope(functions.embedding[codes[m]], k, p) / functions.drho
    for i in range(n):
        for e in range(near.starts[i], near.starts[i + 1]):
            j = near.other[e]
            if j <= i:
                continue
            x, y, z = apart(near, atoms.places, i, e)
            r = np.sqrt(x * x + y * y + z * z)
            if r >= functions.cutoff:
                continue
            a, b = codes[i], codes[j]
            k, p = knot(r / dr, functions.density.shape[1])
            pair = functions.r_pair[a, b]
            pull = steep[i] * slope(functions.density[b], k, p)
            pull += steep[j] * slope(functions.density[a], k, p)
            pull += (slope(pair, k, p) - cubic(pair, k, p) * dr / r) / r
            pull /= dr * r
            forces[i, 0] += pull * x
            forces[i, 1] += pull * y
            forces[i, 2] += pull * z
            if j < n:
                forces[j, 0] -= pull * x
                forces[j, 1] -= pull * y
                forces[j, 2] -= pull * z
    return energy
