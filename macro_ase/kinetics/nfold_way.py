"""The n-fold way: Glauber dynamics without rejections, at a cost that does not grow with n.

Spins of one class share one rate. An event draws a class with probability proportional to
(its number of spins) x (its rate), then any spin of it; the clock advances by an exponential time
of mean 1 / (sum of all rates). Each class is a list without gaps: a spin that leaves is replaced
by the last one, so a flip moves 1 + z entries at most.

On lattices larger than the cache an event waits for memory, so the neighbourhood of the event after
it, which is all but certain, is asked for ahead.

A. B. Bortz, M. H. Kalos and J. L. Lebowitz, J. Comput. Phys. 17, 10 (1975).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .copying import copy_into
from .ising import PeriodicLattice, flip, flip_class, neighbor_sum, number_of_sites, site_at
from .prefetch import prefetch
from .random import integer_below, uniform

FROZEN = -1
IN_CACHE = 2**19
"""Sites whose lists a core's cache holds."""
UNLIMITED = 2**62


class ClassLists(NamedTuple):
    """Active spins of one replica by class.

    Attributes
    ----------
    slots : int32 array, shape (n_sites,)
        Where in ``members`` each active spin stands, `FROZEN` of the others.
    members : int32 array, shape (n_classes * 2**shift,)
        The lists; that of class c begins at c * 2**shift.
    sizes : int64 array, shape (n_classes,)
        Their lengths.
    shift : uint64
        A spin's class is its slot shifted right by so many bits.
    """

    slots: NDArray[np.int32]
    members: NDArray[np.int32]
    sizes: NDArray[np.int64]
    shift: np.uint64


@compiled
def _shift(n_active: int) -> np.uint64:
    """Bits that number the spins of one class."""
    shift = 0
    while (1 << shift) < n_active:
        shift += 1
    return np.uint64(shift)


@compiled
def first_slots(
    spins: NDArray[np.int8], lattice: PeriodicLattice, active: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Slots of all spins, shape (n_replicas, n_sites), in lists in the order of ``active``.

    ``active`` is as in `n_fold_way`; up to 2**27 sites.
    """
    n_neighbors = lattice.offsets.shape[1]
    slots = np.full(spins.shape, FROZEN, dtype=np.int32)
    for r in range(len(spins)):
        sites = active[r % len(active)]
        n = number_of_sites(sites, spins.shape[1])
        sizes = np.zeros(2 * (n_neighbors + 1), dtype=np.uint64)
        for i in range(n):
            site = site_at(sites, i)
            total = neighbor_sum(spins[r], lattice, site)
            kind = flip_class(int(spins[r, site]), total, n_neighbors)
            slots[r, site] = (kind << _shift(n)) + sizes[kind]
            sizes[kind] += np.uint64(1)
    return slots


@compiled
def class_lists(
    slots: NDArray[np.int32], active: NDArray[np.int32], n_neighbors: int
) -> ClassLists:
    """Lists of one replica from the slots of its spins."""
    n_classes = 2 * (n_neighbors + 1)
    n = number_of_sites(active, slots.size)
    shift = _shift(n)
    members = np.empty(np.uint64(n_classes) << shift, dtype=np.int32)
    sizes = np.zeros(n_classes, dtype=np.int64)
    for i in range(n):
        site = site_at(active, i)
        slot = np.uint64(slots[site])
        members[slot] = site
        sizes[slot >> shift] += 1
    return ClassLists(slots, members, sizes, shift)


@compiled
def _move(lists: ClassLists, site: np.uint64, old: np.uint64, new: np.uint64) -> None:
    """Take a spin out of one list, whose last fills the gap, and append it to another."""
    gap = np.uint64(lists.slots[site])
    lists.sizes[old] -= 1
    last = lists.members[(old << lists.shift) + np.uint64(lists.sizes[old])]
    lists.members[gap] = last
    lists.slots[np.uint64(last)] = gap
    end = (new << lists.shift) + np.uint64(lists.sizes[new])
    lists.members[end] = site
    lists.slots[site] = end
    lists.sizes[new] += 1


@compiled
def _draw_class(sizes: NDArray[np.int64], rates: NDArray[np.float64], target: float) -> np.uint64:
    """Class in which the running sum of rates passes ``target``, never an empty one."""
    chosen = np.uint64(0)
    for c in range(sizes.size):
        rate = sizes[c] * rates[c]
        if rate > 0.0:
            chosen = np.uint64(c)
            if target < rate:
                break
            target -= rate
    return chosen


@compiled
def _likely_next(
    lists: ClassLists, rates: NDArray[np.float64], total_rate: float, rng: NDArray[np.uint64]
) -> np.uint64:
    """The site that flips next but for what the present flip changes; ``rng`` is a copy."""
    uniform(rng)
    kind = _draw_class(lists.sizes, rates, uniform(rng) * total_rate)
    chosen = np.uint64(integer_below(rng, lists.sizes[kind]))
    return np.uint64(lists.members[(kind << lists.shift) + chosen])


@compiled
def _ask_for(
    site: np.uint64,
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    lists: ClassLists,
    core: NDArray[np.bool_],
) -> None:
    """Ask memory for all that a flip at a site reads."""
    prefetch(spins, site)
    prefetch(core, site)
    prefetch(lattice.faces, site)
    prefetch(lists.slots, site)
    for offset in lattice.offsets[np.uint64(0)]:
        if site + offset < np.uint64(lists.slots.size):
            prefetch(lists.slots, site + offset)


@compiled
def flip_until(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    rates: NDArray[np.float64],
    lists: ClassLists,
    core: NDArray[np.bool_],
    time: float,
    end_time: float,
    max_flips: int,
    tally: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> float:
    """Flips of one replica until a time or a number of them; returns the time reached."""
    n_neighbors = lattice.offsets.shape[1]
    half = np.uint64(n_neighbors + 1)
    far, ahead, coming = spins.size > IN_CACHE, np.empty_like(rng), np.uint64(0)
    for _ in range(max_flips):
        total_rate = 0.0
        for c in range(rates.size):
            total_rate += lists.sizes[c] * rates[c]
        if total_rate == 0.0:
            return end_time
        time -= math.log(1.0 - uniform(rng)) / total_rate
        if time > end_time:
            return end_time
        kind = _draw_class(lists.sizes, rates, uniform(rng) * total_rate)
        chosen = np.uint64(integer_below(rng, lists.sizes[kind]))
        site = np.uint64(lists.members[(kind << lists.shift) + chosen])
        if far:
            copy_into(ahead, rng)
            coming = _likely_next(lists, rates, total_rate, ahead)
        up = kind >= half
        turned = kind - half if up else kind + half
        flip(spins, site, 2 * int(kind - half if up else kind) - n_neighbors, core[site], tally)
        _move(lists, site, kind, turned)
        step = ~np.uint64(0) if up else np.uint64(1)
        for offset in lattice.offsets[np.uint64(lattice.faces[site])]:
            slot = lists.slots[site + offset]
            if slot != FROZEN:
                old = np.uint64(slot) >> lists.shift
                _move(lists, site + offset, old, old + step)
        if far:
            _ask_for(coming, spins, lattice, lists, core)
    return time


@compiled
def n_fold_way(
    spins: NDArray[np.int8],
    lattice: PeriodicLattice,
    rates: NDArray[np.float64],
    active: NDArray[np.int32],
    core: NDArray[np.bool_],
    slots: NDArray[np.int32],
    times: NDArray[np.float64],
    clock: NDArray[np.float64],
    tally: NDArray[np.int64],
    records: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """Glauber dynamics of replicas to given times.

    Parameters
    ----------
    slots : int32 array, shape (n_replicas, n_sites)
        Order of the lists, from `first_slots` or a former call, which makes a run in two calls
        equal to one in one.
    spins, lattice, rates, active, core, times, clock, tally, records, rng
        As in `heat_bath.heat_bath`.
    """
    for r in range(len(spins)):
        lists = class_lists(slots[r], active[r % len(active)], lattice.offsets.shape[1])
        for k in range(times.size):
            clock[r] = flip_until(
                spins[r],
                lattice,
                rates[r % len(rates)],
                lists,
                core[r % len(core)],
                clock[r],
                times[k],
                UNLIMITED,
                tally[r],
                rng[r],
            )
            copy_into(records[r, k], tally[r])
