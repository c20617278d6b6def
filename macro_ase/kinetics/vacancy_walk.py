"""Rejection-free kinetic Monte Carlo of vacancies.

One hop is chosen with probability rate / total (`hop_rates`), and the clock advances by an
exponential time of mean 1 / total (Bortz, Kalos and Lebowitz, J. Comput. Phys. 17, 10 (1975)).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled, inlined
from .hop_rates import (
    Hops,
    Kinetics,
    beside_vacancy,
    choose_hop,
    find_barriers,
    find_hops,
    renew_around,
    set_rates,
    warm,
)
from .padding import Geometry, fold, put
from .random import uniform
from .sum_tree import set_leaf

SLOWEST_PER_S = 1e-300
"""Total rate below which nothing happens: its mean time is beyond what a float can hold."""


class Bonds(NamedTuple):
    """Bonds that are counted as vacancies hop."""

    shells: NDArray[np.int32]  # (n_basis, Z) padded offsets of the neighbours
    shell_of: NDArray[np.int64]  # (Z,) row of the counts for each of them
    counts: NDArray[np.int64]  # (n_shells, S, S) ordered, kept up to date


@inlined
def _count_changes(
    bonds: Bonds,
    padded: NDArray[np.int8],
    n_basis: int,
    old: int,
    new: int,
    gained: NDArray[np.int64],
) -> None:
    """Add the change of the counts when the vacancy at ``old`` and the atom at ``new`` swap.

    ``gained``, shape (n_shells, S), is room for the neighbours of either kind that the atom gains.
    """
    shells, shell_of, counts = bonds
    vacancy, atom = counts.shape[1] - 1, padded[new]
    at_old, at_new = np.uint64(old % n_basis), np.uint64(new % n_basis)
    gained[:] = 0
    for j in range(np.uint64(shells.shape[1])):
        shell = np.uint64(shell_of[j])
        near_old, near_new = old + shells[at_old, j], new + shells[at_new, j]
        if near_old != new:
            gained[shell, np.uint8(padded[np.uint64(near_old)])] += 1
        if near_new != old:
            gained[shell, np.uint8(padded[np.uint64(near_new)])] -= 1
    for k in range(gained.shape[0]):
        for s in range(gained.shape[1]):
            change = gained[k, s]
            counts[k, vacancy, s] -= change
            counts[k, s, vacancy] -= change
            counts[k, atom, s] += change
            counts[k, s, atom] += change


@inlined
def _wait(
    clock: NDArray[np.float64], total: float, end_time: float, rng: NDArray[np.uint64]
) -> bool:
    """Advance the clock to the next hop, or to the end; whether there is a hop."""
    slow = total < SLOWEST_PER_S
    step = np.inf if slow else -np.log(1.0 - uniform(rng)) / total
    if slow or clock[0] + step > end_time:
        if end_time < np.inf:
            clock[0] = end_time
        return False
    clock[0] += step
    return True


@inlined
def _swap(geometry: Geometry, padded: NDArray[np.int8], old: int, image: int) -> int:
    """Let the vacancy at ``old`` and the atom at ``image`` change places; where the vacancy is."""
    atom, vacancy = padded[image], padded[old]
    new = fold(geometry, image)
    put(geometry, padded, old, atom)
    put(geometry, padded, new, vacancy)
    return new


@inlined
def _renew(
    tables: Any,
    padded: NDArray[np.int8],
    hops: Hops,
    held: NDArray[np.bool_],
    n_basis: int,
    v: int,
    kept: NDArray[np.float64],
    back: bool,
) -> None:
    """Barriers of a vacancy that has hopped; ``kept``, shape (9,), takes those that it had.

    Where it went ``back`` to, with nothing else changed since, they are what was kept: a third of
    the hops at 2000 K, more when colder.
    """
    barriers, near = hops.barriers[v], hops.near
    for d in range(8):
        barriers[d], kept[d] = kept[d], barriers[d]
    before = near[v]
    if back:
        near[v] = int(kept[8])
    else:
        near[v] = find_barriers(tables, padded, hops.sites[v], n_basis, held, barriers)
    kept[8] = before


@inlined
def _walk(
    tables: Any,
    geometry: Geometry,
    padded: NDArray[np.int8],
    hops: Hops,
    bonds: Bonds,
    trail: NDArray[np.int64],
    kinetics: Kinetics,
    clock: NDArray[np.float64],
    end_time: float,
    max_hops: int,
    rng: NDArray[np.uint64],
) -> tuple[int, float, int]:
    """`walk` from barriers that are known."""
    sites, barriers, rates, tree, near, stamp = hops
    n_basis, beta = geometry.n_basis, np.nan
    nu, betas, held = kinetics.attempt_rate, kinetics.betas, kinetics.held
    number, exposure, meetings = int(np.int64(0)), 0.0, 0  # a plain 0 is a type of its own
    gained, kept, last = np.empty(bonds.counts.shape[:2], dtype=np.int64), np.empty(9), -1
    while number < max_hops:
        if betas[min(number, betas.size - 1)] != beta:
            beta = betas[min(number, betas.size - 1)]
            warm(hops, nu, beta)
        if not _wait(clock, tree[1], end_time, rng):
            break
        exposure += 1.0 / tree[1]
        v, d = choose_hop(tree, rates, rng)
        old, saw = sites[v], near[v]
        image = old + tables.targets[old % n_basis, d]
        if number < len(trail):
            trail[number, 0], trail[number, 1] = old, image
        _count_changes(bonds, padded, n_basis, old, image, gained)
        new = _swap(geometry, padded, old, image)
        sites[v], stamp[v] = new, number
        _renew(tables, padded, hops, held, n_basis, v, kept, sites.size == 1 and new == last)
        last = old
        set_leaf(tree, v, set_rates(nu, beta, barriers[v], rates[v]))
        if near[v] > 0 and beside_vacancy(tables, padded, new, n_basis):
            meetings += 1
        for centre, seen in ((old, saw), (new, near[v])):
            if sites.size > 1 and seen > 0:
                renew_around(tables, geometry, padded, hops, kinetics, beta, centre, number)
        number += 1
    return number, exposure, meetings


@compiled
def walk(
    tables: Any,
    geometry: Geometry,
    padded: NDArray[np.int8],
    sites: NDArray[np.int64],
    bonds: Bonds,
    trail: NDArray[np.int64],
    kinetics: Kinetics,
    clock: NDArray[np.float64],
    end_time: float,
    max_hops: int,
    rng: NDArray[np.uint64],
) -> tuple[int, float, int]:
    """Let vacancies hop until a time or a number of hops; all arrays change in place.

    Parameters
    ----------
    tables : named tuple
        Barrier tables of a registered type.
    geometry : Geometry
    padded : int8 array
        Species codes with halo; vacancies that are not in ``sites`` stay where they are.
    sites : int64 array, shape (n_active,)
        Padded positions of the vacancies that hop.
    bonds : Bonds
    trail : int64 array, shape (n, 2)
        Padded positions that vacancies left and reached (possibly in the halo), one row a
        hop, for the first n hops.
    kinetics : Kinetics
    clock : float64 array, shape (1,)
        Time in s.
    end_time : float
        Time at which to stop, in s; the clock then reads exactly this, unless `max_hops` came
        first. Where nothing can happen any more it is reached at once, if it is finite.
    max_hops : int
        Hops after which to stop.
    rng : uint64 array, shape (4,)

    Returns
    -------
    hops : int
    exposure : float
        Sum over hops of the mean residence time 1 / total at the time of the hop, in s.
    meetings : int
        Hops after which the vacancy that hopped had another as first neighbour.
    """
    hops = find_hops(tables, padded, sites, geometry.n_basis, kinetics.held)
    return _walk(
        tables, geometry, padded, hops, bonds, trail, kinetics, clock, end_time, max_hops, rng
    )


@compiled
def retrace(
    geometry: Geometry, padded: NDArray[np.int8], trail: NDArray[np.int64], hops: int
) -> None:
    """Undo the recorded hops of a walk in ``padded``."""
    for k in range(hops - 1, -1, -1):
        vacant = fold(geometry, trail[k, 1])
        vacancy = padded[vacant]
        put(geometry, padded, vacant, padded[trail[k, 0]])
        put(geometry, padded, trail[k, 0], vacancy)
