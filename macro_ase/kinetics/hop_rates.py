"""Rates of vacancy hops, nu exp(-E / k_B T) each, kept up to date and drawn from.

Every vacancy hops to each of its Z first neighbours, 8 in bcc and 12 in fcc. The sums of rates by
vacancy are the leaves of a tree (`sum_tree`). After a hop only the vacancies that see one of the
two changed sites get new rates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled, inlined
from .barrier_tables import barriers_at
from .padding import Geometry, fold
from .random import uniform
from .sum_tree import add_up, choose_leaf, empty_tree, set_leaf


class Kinetics(NamedTuple):
    """What makes rates of barriers."""

    attempt_rate: float  # nu, 1/s
    betas: NDArray[np.float64]  # 1 / k_B T of every hop, 1/eV; the last holds on
    held: NDArray[np.bool_]  # padded sites whose atoms do not hop; may be empty


class Hops(NamedTuple):
    """What n vacancies can do next."""

    sites: NDArray[np.int64]  # (n,) padded positions
    barriers: NDArray[np.float64]  # (n, Z) eV
    rates: NDArray[np.float64]  # (n, Z) 1/s
    tree: NDArray[np.float64]  # sums of the rates by vacancy
    near: NDArray[np.int64]  # (n,) other vacancies that the barriers depend on
    stamp: NDArray[np.int64]  # (n,) hop after which they were last renewed, or -1


@compiled
def find_barriers(
    tables: Any,
    padded: NDArray[np.int8],
    site: int,
    n_basis: int,
    held: NDArray[np.bool_],
    barriers: NDArray[np.float64],
) -> int:
    """Barriers of one vacancy into ``barriers`` (Z,); the count of vacancies near."""
    basis = site % n_basis
    near = barriers_at(tables, padded, site, basis, barriers)
    if held.size > 0:
        for d in range(barriers.size):
            if held[site + tables.targets[basis, d]]:
                barriers[d] = np.inf
    return near


@compiled
def set_rates(
    attempt_rate: float,
    beta: float,
    barriers: NDArray[np.float64],
    rates: NDArray[np.float64],
) -> float:
    """Rates of one vacancy into ``rates`` (Z,); their sum."""
    total = 0.0
    for d in range(rates.size):
        rates[d] = attempt_rate * np.exp(-beta * barriers[d])
        total += rates[d]
    return total


@compiled
def find_hops(
    tables: Any,
    padded: NDArray[np.int8],
    sites: NDArray[np.int64],
    n_basis: int,
    held: NDArray[np.bool_],
) -> Hops:
    """Barriers of vacancies at padded positions; the rates are still 0."""
    n, ways = sites.size, tables.targets.shape[1]
    barriers, near = np.zeros((n, ways)), np.zeros(n, dtype=np.int64)
    for v in range(n):
        near[v] = find_barriers(tables, padded, sites[v], n_basis, held, barriers[v])
    return Hops(sites, barriers, np.zeros((n, ways)), empty_tree(n), near, np.full(n, -1))


@compiled
def warm(hops: Hops, attempt_rate: float, beta: float) -> None:
    """All rates at another temperature."""
    half = hops.tree.size // 2
    for v in range(len(hops.rates)):
        hops.tree[half + v] = set_rates(attempt_rate, beta, hops.barriers[v], hops.rates[v])
    add_up(hops.tree)


@compiled
def _choose_direction(rates: NDArray[np.float64], target: float) -> int:
    chosen = -1
    for d in range(rates.size):
        if rates[d] > 0.0:
            chosen = d
            if target < rates[d]:
                break
        target -= rates[d]
    return chosen


@compiled
def choose_hop(
    tree: NDArray[np.float64], rates: NDArray[np.float64], rng: NDArray[np.uint64]
) -> tuple[int, int]:
    """A vacancy and the direction in which it hops."""
    v, rest = choose_leaf(tree, uniform(rng) * tree[1])
    return v, _choose_direction(rates[v], rest)


@inlined
def renew_around(
    tables: Any,
    geometry: Geometry,
    padded: NDArray[np.int8],
    hops: Hops,
    kinetics: Kinetics,
    beta: float,
    centre: int,
    number: int,
) -> None:
    """New rates for the vacancies that see the site ``centre``, once in the hop of this number."""
    sites, barriers, rates, tree, near, stamp = hops
    n_basis, held = geometry.n_basis, kinetics.held
    vacancy = padded[sites[0]]
    basis = centre % n_basis
    for j in range(tables.reach.shape[1]):
        p = centre + tables.reach[basis, j]
        if padded[p] != vacancy:
            continue
        home = fold(geometry, p)
        for u in range(sites.size):
            if sites[u] == home and stamp[u] != number:
                stamp[u] = number
                near[u] = find_barriers(tables, padded, home, n_basis, held, barriers[u])
                total = set_rates(kinetics.attempt_rate, beta, barriers[u], rates[u])
                set_leaf(tree, u, total)


@compiled
def beside_vacancy(tables: Any, padded: NDArray[np.int8], site: int, n_basis: int) -> bool:
    """Whether the vacancy at a padded position has another as first neighbour."""
    for d in range(tables.targets.shape[1]):
        if padded[site + tables.targets[site % n_basis, d]] == padded[site]:
            return True
    return False


@compiled
def hop_rates(
    tables: Any,
    padded: NDArray[np.int8],
    sites: NDArray[np.int64],
    n_basis: int,
    kinetics: Kinetics,
) -> NDArray[np.float64]:
    """Rates, shape (n_active, Z), in 1/s, of the next hops of vacancies at padded positions."""
    hops = find_hops(tables, padded, sites, n_basis, kinetics.held)
    warm(hops, kinetics.attempt_rate, kinetics.betas[0])
    return hops.rates


@compiled
def evaluate_barriers(
    tables: Any, padded: NDArray[np.int8], site: int, basis: int, out: NDArray[np.float64]
) -> int:
    """`barriers_at`, callable from Python."""
    return barriers_at(tables, padded, site, basis, out)
