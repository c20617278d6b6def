"""Kernels that find neighbours: on sites by index arithmetic, elsewhere in a list of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..compiled import compiled
from ..kinetics.cell_list import Cells, cell_range
from ..kinetics.copying import lengthened

Codes = NDArray[np.int8]
Ints = NDArray[np.int64]
SAME_PLACE_A2 = 1e-12


@compiled
def bonds_on_sites(codes: Codes, hermite: Ints, steps: Ints, bonds: Ints) -> None:
    """Add the ordered pairs of sites that are some steps apart.

    Parameters
    ----------
    codes : int8 array, shape (n_sites,)
        Species by site, numbered as by `site_index`.
    hermite : int array, shape (3, 3)
    steps : int array, shape (n_steps, 3)
        In primitive vectors.
    bonds : int array, shape (S, S)
        N[A, B], to which they are added.
    """
    h = hermite
    for a in range(h[0, 0]):
        for b in range(h[1, 1]):
            here = (a * h[1, 1] + b) * h[2, 2]
            for step in steps:
                there, shift = _row(h, a + step[0], b + step[1], step[2])
                for c in range(h[2, 2] - shift):
                    bonds[codes[here + c], codes[there + c + shift]] += 1
                there -= h[2, 2]
                for c in range(h[2, 2] - shift, h[2, 2]):
                    bonds[codes[here + c], codes[there + c + shift]] += 1


@compiled
def sites_around(site: Ints, hermite: Ints, steps: Ints) -> Ints:
    """Sites that are some steps away from each of some sites, shape (n, n_steps)."""
    h = hermite
    around = np.empty((len(site), len(steps)), dtype=np.int64)
    for n in range(len(site)):
        a = site[n] // (h[1, 1] * h[2, 2])
        b = site[n] // h[2, 2] - a * h[1, 1]
        c = site[n] % h[2, 2]
        for k in range(len(steps)):
            there, shift = _row(h, a + steps[k, 0], b + steps[k, 1], c + steps[k, 2])
            around[n, k] = there + shift
    return around


@compiled
def _row(h: Ints, a: int, b: int, c: int) -> tuple[int, int]:
    """First site of the row in which folded coordinates lie, and the place along it."""
    turns = a // h[0, 0]
    a, b, c = a - turns * h[0, 0], b - turns * h[0, 1], c - turns * h[0, 2]
    turns = b // h[1, 1]
    b, c = b - turns * h[1, 1], c - turns * h[1, 2]
    return (a * h[1, 1] + b) * h[2, 2], c % h[2, 2]


@compiled
def pairs_within(cells: Cells, centres: Ints, reach: float) -> tuple[Ints, Ints, Array]:
    """All atoms and images within reach of some atoms.

    Returns
    -------
    owner : int array, shape (m,)
        Number of the centre, from 0, ascending.
    other : int array, shape (m,)
        The atom that is near; an atom comes once for each of its images.
    vector : array, shape (m, 3)
        To it.
    """
    found, room = 0, 32 * len(centres) + 32
    owner, index = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    vector, f = np.empty((room, 3)), np.empty(3)
    span, box = np.empty((3, 2), dtype=np.int64), cells.box
    for n in range(len(centres)):
        at = cells.row[centres[n]]
        x, y, z = cells.places[at, 0], cells.places[at, 1], cells.places[at, 2]
        for k in range(3):
            f[k] = x * cells.inverse[0, k] + y * cells.inverse[1, k] + z * cells.inverse[2, k]
        cell_range(cells, f, f, reach, span)
        for a in range(span[0, 0], span[0, 1] + 1):
            i = a // cells.shape[0]
            for b in range(span[1, 0], span[1, 1] + 1):
                j = b // cells.shape[1]
                row = (a - i * cells.shape[0]) * cells.shape[1] + b - j * cells.shape[1]
                for c in range(span[2, 0], span[2, 1] + 1):
                    k = c // cells.shape[2]
                    cell = row * cells.shape[2] + c - k * cells.shape[2]
                    sx = i * box[0, 0] + j * box[1, 0] + k * box[2, 0] - x
                    sy = i * box[0, 1] + j * box[1, 1] + k * box[2, 1] - y
                    sz = i * box[0, 2] + j * box[1, 2] + k * box[2, 2] - z
                    for other in range(cells.starts[cell], cells.starts[cell + 1]):
                        dx = cells.places[other, 0] + sx
                        dy = cells.places[other, 1] + sy
                        dz = cells.places[other, 2] + sz
                        r2 = dx * dx + dy * dy + dz * dz
                        if r2 > reach * reach or (other == at and r2 < SAME_PLACE_A2):
                            continue
                        if found == room:
                            room *= 2
                            owner, index = lengthened(owner, room), lengthened(index, room)
                            vector = lengthened(vector, room)
                        owner[found], index[found] = n, cells.order[other]
                        vector[found, 0], vector[found, 1], vector[found, 2] = dx, dy, dz
                        found += 1
    return owner[:found].copy(), index[:found].copy(), vector[:found].copy()
