"""Trials of moves of atoms that move, with an embedded-atom potential: their places, their species.

A trial changes the pair energies of its atoms, and the density of all that feel one of them (see
`eam_atoms`): those alone are evaluated, and noted as they were. It is made, and put back where
Metropolis' rule rejects it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..compiled import compiled
from .eam_atoms import MovingAtoms, MovingEAM, MovingNeighbours, apart, cubic, embedding_of, knot
from .random import uniform


class Before(NamedTuple):
    """Atoms that a move touches, in order, and what they had: an atom may come more than once."""

    who: NDArray[np.int64]
    density: Array
    embedded: Array
    used: NDArray[np.int64]  # (1,) how many


@compiled
def _note(atoms: MovingAtoms, before: Before, m: int) -> None:
    k = before.used[0]
    before.who[k] = m
    before.density[k], before.embedded[k] = atoms.density[m], atoms.embedded[m]
    before.used[0] = k + 1


@compiled
def _turn(eam: MovingEAM, before: Before, i: int, new: int) -> float:
    """Give an atom a species; densities around it follow. Change of the pair energies, eV."""
    functions, near, atoms = eam
    old, change = atoms.codes[i], 0.0
    _note(atoms, before, i)
    for e in range(near.starts[i], near.starts[i + 1]):
        x, y, z = apart(near, atoms.places, i, e)
        r = np.sqrt(x * x + y * y + z * z)
        if r >= functions.cutoff:
            continue
        m = near.other[e]
        k, p = knot(r / functions.dr, functions.density.shape[1])
        if m == i:
            pair = cubic(functions.r_pair[new, new], k, p) - cubic(functions.r_pair[old, old], k, p)
            change += 0.5 * pair / r
        else:
            b = atoms.codes[m]
            pair = cubic(functions.r_pair[new, b], k, p) - cubic(functions.r_pair[old, b], k, p)
            change += pair / r
            _note(atoms, before, m)
        more = cubic(functions.density[new], k, p) - cubic(functions.density[old], k, p)
        atoms.density[m] += more
    atoms.codes[i] = new
    return change


@compiled
def _shift(eam: MovingEAM, before: Before, i: int, step: Array) -> float:
    """Move an atom; densities follow. Change of the pair energies, eV."""
    functions, near, atoms = eam
    own, change, more = atoms.codes[i], 0.0, 0.0
    _note(atoms, before, i)
    for e in range(near.starts[i], near.starts[i + 1]):
        m = near.other[e]
        if m == i:
            continue
        x, y, z = apart(near, atoms.places, i, e)
        r_old = np.sqrt(x * x + y * y + z * z)
        x, y, z = x - step[0], y - step[1], z - step[2]
        r_new = np.sqrt(x * x + y * y + z * z)
        if r_old >= functions.cutoff and r_new >= functions.cutoff:
            continue
        b, given = atoms.codes[m], 0.0
        if r_old < functions.cutoff:
            k, p = knot(r_old / functions.dr, functions.density.shape[1])
            change -= cubic(functions.r_pair[own, b], k, p) / r_old
            given -= cubic(functions.density[own], k, p)
            more -= cubic(functions.density[b], k, p)
        if r_new < functions.cutoff:
            k, p = knot(r_new / functions.dr, functions.density.shape[1])
            change += cubic(functions.r_pair[own, b], k, p) / r_new
            given += cubic(functions.density[own], k, p)
            more += cubic(functions.density[b], k, p)
        _note(atoms, before, m)
        atoms.density[m] += given
    atoms.density[i] += more
    for axis in range(3):
        atoms.places[i, axis] += step[axis]
    return change


@compiled
def _embed(eam: MovingEAM, before: Before) -> float:
    """Embed all that were noted in their densities; change of the energy, eV."""
    atoms, change = eam.atoms, 0.0
    for k in range(before.used[0]):
        m = before.who[k]
        energy = embedding_of(eam.functions, atoms.codes[m], atoms.density[m])
        change += energy - atoms.embedded[m]
        atoms.embedded[m] = energy
    return change


@compiled
def _put_back(atoms: MovingAtoms, before: Before) -> None:
    """Densities and embedding energies as they were: what was noted first comes last."""
    for k in range(before.used[0] - 1, -1, -1):
        m = before.who[k]
        atoms.density[m], atoms.embedded[m] = before.density[k], before.embedded[k]


@compiled
def try_step(
    eam: MovingEAM, before: Before, i: int, step: Array, beta: float, rng: NDArray[np.uint64]
) -> tuple[bool, float]:
    """Displace an atom by Metropolis' rule; whether it stays there, and the change, eV."""
    places = eam.atoms.places
    x, y, z = places[i, 0], places[i, 1], places[i, 2]
    before.used[0] = 0
    change = _shift(eam, before, i, step)
    change += _embed(eam, before)
    if change <= 0.0 or uniform(rng) < np.exp(-beta * change):
        return True, change
    _put_back(eam.atoms, before)
    places[i, 0], places[i, 1], places[i, 2] = x, y, z
    return False, 0.0


@compiled
def try_species(
    eam: MovingEAM,
    before: Before,
    i: int,
    j: int,
    new: int,
    extra: float,
    beta: float,
    rng: NDArray[np.uint64],
) -> tuple[bool, float]:
    """Turn an atom into ``new``, and j, unless -1, into what it was; the same.

    ``extra`` (eV), of an ensemble, counts as part of the change for the rule alone.
    """
    codes, old = eam.atoms.codes, int(eam.atoms.codes[i])
    before.used[0] = 0
    change = _turn(eam, before, i, new)
    if j >= 0:
        change += _turn(eam, before, j, old)
    change += _embed(eam, before)
    if change + extra <= 0.0 or uniform(rng) < np.exp(-beta * (change + extra)):
        return True, change
    _put_back(eam.atoms, before)
    codes[i] = old
    if j >= 0:
        codes[j] = new
    return False, 0.0


@compiled
def room_before(near: MovingNeighbours) -> Before:
    """For what two atoms and their neighbours had."""
    most = 0
    for i in range(near.starts.size - 1):
        most = max(most, near.starts[i + 1] - near.starts[i] + 1)
    used = np.zeros(1, dtype=np.int64)
    return Before(np.empty(2 * most, dtype=np.int64), np.empty(2 * most), np.empty(2 * most), used)
