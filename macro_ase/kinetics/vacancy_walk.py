"""Rejection-free kinetic Monte Carlo of vacancies.

Every vacancy hops to each of its 8 first neighbours with rate nu exp(-E / k_B T). One
event is chosen with probability rate / total from a binary tree of sums over vacancies,
and the clock advances by an exponential time of mean 1 / total (Bortz, Kalos and
Lebowitz, J. Comput. Phys. 17, 10 (1975)). After a hop only the vacancies that see one of
the two changed sites get new rates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .barrier_tables import barriers_at
from .padding import Geometry, fold, put
from .random import uniform


class Kinetics(NamedTuple):
    """What makes rates of barriers."""

    attempt_rate: float  # nu, 1/s
    betas: NDArray[np.float64]  # 1 / k_B T of every hop, 1/eV; the last holds on
    held: NDArray[np.bool_]  # padded sites whose atoms do not hop; may be empty


SLOWEST_PER_S = 1e-300
"""Total rate below which nothing happens: its mean time is beyond what a float can hold."""


@compiled
def count_bond_changes(
    padded: NDArray[np.int8],
    shells: NDArray[np.int32],
    shell_of: NDArray[np.int64],
    place: tuple[int, int, int, int],
    atom: int,
    vacancy: int,
    bonds: NDArray[np.int64],
) -> None:
    """Add the change of the ordered bond counts when an atom hops from ``new`` to ``old``."""
    old, old_basis, new, new_basis = place
    for j in range(shells.shape[1]):
        k = shell_of[j]
        at_old = old + shells[old_basis, j]
        if at_old != new:
            s = padded[at_old]
            bonds[k, vacancy, s] -= 1
            bonds[k, s, vacancy] -= 1
            bonds[k, atom, s] += 1
            bonds[k, s, atom] += 1
        at_new = new + shells[new_basis, j]
        if at_new != old:
            s = padded[at_new]
            bonds[k, atom, s] -= 1
            bonds[k, s, atom] -= 1
            bonds[k, vacancy, s] += 1
            bonds[k, s, vacancy] += 1


@compiled
def _set_leaf(tree: NDArray[np.float64], leaf: int, value: float) -> None:
    node = leaf + tree.size // 2
    tree[node] = value
    node //= 2
    while node >= 1:
        tree[node] = tree[2 * node] + tree[2 * node + 1]
        node //= 2


@compiled
def _choose_leaf(tree: NDArray[np.float64], target: float) -> tuple[int, float]:
    """Leaf in which the running sum passes ``target``, and what is left of it there."""
    half = tree.size // 2
    node = 1
    while node < half:
        node *= 2
        if target >= tree[node] and tree[node + 1] > 0.0:
            target -= tree[node]
            node += 1
    return node - half, target


@compiled
def _find_barriers(
    tables: Any,
    padded: NDArray[np.int8],
    site: int,
    n_basis: int,
    held: NDArray[np.bool_],
    barriers: NDArray[np.float64],
) -> int:
    """Barriers of one vacancy into ``barriers`` (8,); the count of vacancies near."""
    basis = site % n_basis
    near = barriers_at(tables, padded, site, basis, barriers)
    if held.size > 0:
        for d in range(8):
            if held[site + tables.targets[basis, d]]:
                barriers[d] = np.inf
    return near


@compiled
def _set_rates(
    attempt_rate: float,
    beta: float,
    barriers: NDArray[np.float64],
    rates: NDArray[np.float64],
) -> float:
    """Rates of one vacancy into ``rates`` (8,); their sum."""
    total = 0.0
    for d in range(8):
        rates[d] = attempt_rate * np.exp(-beta * barriers[d])
        total += rates[d]
    return total


@compiled
def _warm(
    attempt_rate: float,
    beta: float,
    barriers: NDArray[np.float64],
    rates: NDArray[np.float64],
    tree: NDArray[np.float64],
) -> None:
    """All rates at another temperature."""
    half = tree.size // 2
    for v in range(len(rates)):
        tree[half + v] = _set_rates(attempt_rate, beta, barriers[v], rates[v])
    for node in range(half - 1, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]


@compiled
def _refresh_around(
    tables: Any,
    geometry: Geometry,
    padded: NDArray[np.int8],
    sites: NDArray[np.int64],
    centre: int,
    kinetics: Kinetics,
    beta: float,
    barriers: NDArray[np.float64],
    rates: NDArray[np.float64],
    near: NDArray[np.int64],
    tree: NDArray[np.float64],
    stamp: NDArray[np.int64],
    hop: int,
) -> None:
    """New rates for the active vacancies that see the site ``centre``, once in a hop."""
    vacancy = padded[sites[0]]
    basis = centre % geometry.n_basis
    for j in range(tables.reach.shape[1]):
        p = centre + tables.reach[basis, j]
        if padded[p] != vacancy:
            continue
        home = fold(geometry, p)
        for u in range(sites.size):
            if sites[u] == home and stamp[u] != hop:
                stamp[u] = hop
                near[u] = _find_barriers(
                    tables, padded, home, geometry.n_basis, kinetics.held, barriers[u]
                )
                total = _set_rates(kinetics.attempt_rate, beta, barriers[u], rates[u])
                _set_leaf(tree, u, total)


@compiled
def _choose_direction(rates: NDArray[np.float64], target: float) -> int:
    chosen = -1
    for d in range(8):
        if rates[d] > 0.0:
            chosen = d
            if target < rates[d]:
                break
        target -= rates[d]
    return chosen


@compiled
def _beside_vacancy(tables: Any, padded: NDArray[np.int8], site: int, n_basis: int) -> bool:
    """Whether the vacancy at a padded position has another as first neighbour."""
    for d in range(8):
        if padded[site + tables.targets[site % n_basis, d]] == padded[site]:
            return True
    return False


@compiled
def walk(
    tables: Any,
    geometry: Geometry,
    padded: NDArray[np.int8],
    sites: NDArray[np.int64],
    shells: NDArray[np.int32],
    shell_of: NDArray[np.int64],
    bonds: NDArray[np.int64],
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
    shells : int32 array, shape (n_basis, Z)
        Offsets of the neighbours whose bonds are counted.
    shell_of : int64 array, shape (Z,)
        Row of ``bonds`` for each of them.
    bonds : int64 array, shape (n_shells, S, S)
        Ordered bond counts, kept up to date.
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
    n, n_basis = sites.size, geometry.n_basis
    vacancy = bonds.shape[1] - 1
    leaves = 1
    while leaves < n:
        leaves *= 2
    tree = np.zeros(2 * leaves)
    barriers, rates = np.zeros((n, 8)), np.zeros((n, 8))
    near = np.zeros(n, dtype=np.int64)
    stamp = np.full(n, -1)
    nu, betas, held = kinetics.attempt_rate, kinetics.betas, kinetics.held
    for v in range(n):
        near[v] = _find_barriers(tables, padded, sites[v], n_basis, held, barriers[v])
    beta = betas[0]
    _warm(nu, beta, barriers, rates, tree)
    hops, meetings = 0, 0
    exposure = 0.0
    while hops < max_hops:
        if hops < betas.size and betas[hops] != beta:
            beta = betas[hops]
            _warm(nu, beta, barriers, rates, tree)
        if tree[1] < SLOWEST_PER_S:
            if end_time < np.inf:
                clock[0] = end_time
            break
        step = -np.log(1.0 - uniform(rng)) / tree[1]
        if clock[0] + step > end_time:
            clock[0] = end_time
            break
        clock[0] += step
        exposure += 1.0 / tree[1]
        v, rest = _choose_leaf(tree, uniform(rng) * tree[1])
        d = _choose_direction(rates[v], rest)
        old = sites[v]
        image = old + tables.targets[old % n_basis, d]
        atom = padded[image]
        if hops < len(trail):
            trail[hops, 0] = old
            trail[hops, 1] = image
        place = (old, old % n_basis, image, image % n_basis)
        count_bond_changes(padded, shells, shell_of, place, atom, vacancy, bonds)
        new = fold(geometry, image)
        put(geometry, padded, old, atom)
        put(geometry, padded, new, vacancy)
        sites[v] = new
        stamp[v] = hops
        near_old = near[v]
        near[v] = _find_barriers(tables, padded, new, n_basis, held, barriers[v])
        _set_leaf(tree, v, _set_rates(nu, beta, barriers[v], rates[v]))
        if near[v] > 0 and _beside_vacancy(tables, padded, new, n_basis):
            meetings += 1
        for centre, seen in ((old, near_old), (new, near[v])):
            if n > 1 and seen > 0:
                _refresh_around(
                    tables,
                    geometry,
                    padded,
                    sites,
                    centre,
                    kinetics,
                    beta,
                    barriers,
                    rates,
                    near,
                    tree,
                    stamp,
                    hops,
                )
        hops += 1
    return hops, exposure, meetings


@compiled
def hop_rates(
    tables: Any,
    padded: NDArray[np.int8],
    sites: NDArray[np.int64],
    n_basis: int,
    kinetics: Kinetics,
) -> NDArray[np.float64]:
    """Rates, shape (n_active, 8), in 1/s, of the next hops of vacancies at padded positions."""
    barriers, rates = np.zeros(8), np.zeros((sites.size, 8))
    for v in range(sites.size):
        _find_barriers(tables, padded, sites[v], n_basis, kinetics.held, barriers)
        _set_rates(kinetics.attempt_rate, kinetics.betas[0], barriers, rates[v])
    return rates


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


@compiled
def evaluate_barriers(
    tables: Any, padded: NDArray[np.int8], site: int, basis: int, out: NDArray[np.float64]
) -> int:
    """`barriers_at`, callable from Python."""
    return barriers_at(tables, padded, site, basis, out)
