"""Glauber dynamics of the Curie-Weiss model, where every spin feels the mean of all.

    H = -M^2 / (2 n) - h M,    M = sum_i s_i,    k_B = 1,

so turning s over changes H by 2 s (M/n + h) - 2/n, and the number of spins that are up is by
itself a Markov chain: it grows and shrinks by one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..compiled import compiled
from .copying import copy_into
from .ising import CORE_MAGNETISATION, FLIPS, MAGNETISATION, glauber_rates, number_of_sites, site_at
from .poisson import poisson
from .random import integer_below, uniform


def mean_field_energies(n_sites: int, field: float) -> NDArray[np.float64]:
    """Change of H by turning a spin over, shape (2, n_sites + 1).

    Rows: the spin is down, up; columns: number of spins that are up.
    """
    mean_field = (2 * np.arange(n_sites + 1) - n_sites) / n_sites + field
    return np.stack([-2 * mean_field, 2 * mean_field]) - 2 / n_sites


def birth_death_rates(
    n_sites: int, temperature: ArrayLike, field: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates at which the number of up spins grows and shrinks, each (1 or n_T, n_sites + 1)."""
    rates = glauber_rates(mean_field_energies(n_sites, field), temperature)
    ups = np.arange(n_sites + 1)
    return (n_sites - ups) * rates[:, 0], ups * rates[:, 1]


@compiled
def birth_death(
    births: NDArray[np.float64],
    deaths: NDArray[np.float64],
    times: NDArray[np.float64],
    state: NDArray[np.int64],
    clock: NDArray[np.float64],
    records: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """A chain that grows or shrinks by one, to given times; the last four arrays change.

    Parameters
    ----------
    births, deaths : float64 arrays, shape (1 or n_replicas, n_states)
        Rates by state.
    times : float64 array, shape (n_times,)
        When to record, ascending, not before ``clock``.
    state : int64 array, shape (n_replicas, 2)
        State, and number of events so far.
    clock : float64 array, shape (n_replicas,)
    records : int64 array, shape (n_replicas, n_times, 2)
        Takes ``state`` at every time.
    rng : uint64 array, shape (n_replicas, 4)
    """
    for r in range(len(state)):
        birth, death = births[r % len(births)], deaths[r % len(deaths)]
        for k in range(times.size):
            while True:
                now = state[r, 0]
                total = birth[now] + death[now]
                if total > 0.0:
                    clock[r] -= math.log(1.0 - uniform(rng[r])) / total
                if total == 0.0 or clock[r] > times[k]:
                    break
                state[r, 0] += 1 if uniform(rng[r]) * total < birth[now] else -1
                state[r, 1] += 1
            clock[r] = times[k]
            copy_into(records[r, k], state[r])


@compiled
def mean_field_heat_bath(
    spins: NDArray[np.int8],
    rates: NDArray[np.float64],
    active: NDArray[np.int32],
    core: NDArray[np.bool_],
    times: NDArray[np.float64],
    clock: NDArray[np.float64],
    tally: NDArray[np.int64],
    records: NDArray[np.int64],
    rng: NDArray[np.uint64],
) -> None:
    """Every spin on its own site, by random-site heat bath with a Poisson clock.

    Frozen spins count in M. The tally's bonds stay 0.

    Parameters
    ----------
    rates : float64 array, shape (1 or n_replicas, 2, n_sites + 1)
        Flip rates, arranged as `mean_field_energies`.
    spins, active, core, times, clock, tally, records, rng
        As in `heat_bath.heat_bath`.
    """
    n_sites = spins.shape[1]
    for r in range(len(spins)):
        rate, sites, inside = rates[r % len(rates)], active[r % len(active)], core[r % len(core)]
        n = number_of_sites(sites, n_sites)
        for k in range(times.size):
            for _ in range(poisson(n * (times[k] - clock[r]), rng[r])):
                site = site_at(sites, integer_below(rng[r], n))
                spin = int(spins[r, site])
                ups = np.uint64((n_sites + tally[r, MAGNETISATION]) >> 1)
                if uniform(rng[r]) < rate[np.uint64((spin + 1) >> 1), ups]:
                    spins[r, site] = -spin
                    tally[r, MAGNETISATION] -= 2 * spin
                    tally[r, FLIPS] += 1
                    if inside[site]:
                        tally[r, CORE_MAGNETISATION] -= 2 * spin
            clock[r] = times[k]
            copy_into(records[r, k], tally[r])
