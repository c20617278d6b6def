"""The n-fold way: waiting times, class lists, runs in parts."""

import numba
import numpy as np
import pytest

from macro_ase.kinetics import nfold_way
from macro_ase.kinetics.ising import (
    FLIPS,
    count_spins,
    flip_energies,
    glauber_rates,
    neighbor_table,
    periodic_lattice,
)
from macro_ase.kinetics.nfold_way import FROZEN, class_lists, first_slots, flip_until, n_fold_way
from macro_ase.kinetics.prefetch import prefetch
from macro_ase.rng import kernel_state
from macro_ase.testing import assert_choices, assert_waiting_times

SIZE, TEMPERATURE, FIELD = (6, 5), 2.5, 0.1
LATTICE = periodic_lattice(SIZE)
RATES = glauber_rates(flip_energies(4, 1.0, FIELD), TEMPERATURE)
EVERYTHING = np.ones((1, 30), dtype=bool)
ALL = np.empty((1, 0), dtype=np.int32)


def random_spins(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice([-1, 1], (1, 30)).astype(np.int8)


def rates_of(spins: np.ndarray) -> np.ndarray:
    """Rate of every spin, from the formula."""
    around = spins[neighbor_table(LATTICE)].sum(axis=1)
    return 1 / (1 + np.exp(2 * spins * (around + FIELD) / TEMPERATURE))


@pytest.mark.slow
def test_waiting_times_and_flips_of_a_fixed_state() -> None:
    start, rng, n = random_spins(), kernel_state(3), 6000
    waits, first = np.empty(n), np.empty(n, dtype=int)
    for i in range(n):
        spins, tally = start[0].copy(), np.zeros(5, dtype=np.int64)
        slots = first_slots(spins[None], LATTICE, ALL)[0]
        lists = class_lists(slots, ALL[0], 4)
        waits[i] = flip_until(
            spins, LATTICE, RATES[0], lists, EVERYTHING[0], 0.0, np.inf, 1, tally, rng
        )
        first[i] = np.flatnonzero(spins != start[0])[0]
    rates = rates_of(start[0])
    assert_waiting_times(waits, rates.sum(), wrong=1.1)
    assert_choices(first, rates, wrong=1.5)


def test_lists_stay_in_order() -> None:
    spins, rng, tally = random_spins()[0], kernel_state(4), np.zeros(5, dtype=np.int64)
    active = np.delete(np.arange(30, dtype=np.int32), [3, 11, 12])
    slots = first_slots(spins[None], LATTICE, active[None])[0]
    lists = class_lists(slots, active, 4)
    for _ in range(200):
        flip_until(spins, LATTICE, RATES[0], lists, EVERYTHING[0], 0.0, np.inf, 7, tally, rng)
        kinds = first_slots(spins[None], LATTICE, active[None])[0] >> int(lists.shift)
        np.testing.assert_array_equal(lists.slots >> int(lists.shift), kinds)
        np.testing.assert_array_equal(np.bincount(kinds[active], minlength=10), lists.sizes)
        np.testing.assert_array_equal(lists.members[lists.slots[active]], active)
        ends = lists.slots[active] - (kinds[active] << int(lists.shift))
        assert np.all(ends < lists.sizes[kinds[active]])
    assert np.all(np.flatnonzero(lists.slots == FROZEN) == [3, 11, 12])
    assert tally[FLIPS] == 1400


def test_a_run_in_parts_equals_one_in_one() -> None:
    ends = np.linspace(1.0, 40.0, 40)
    results = []
    for parts in (1, 4):
        spins, rng = random_spins(), kernel_state(5)[None].copy()
        tally, clock = count_spins(spins, LATTICE), np.zeros(1)
        slots = first_slots(spins, LATTICE, ALL)
        for times in np.split(ends, parts):
            records = np.zeros((1, len(times), 5), dtype=np.int64)
            common = (times, clock, tally, records, rng)
            n_fold_way(spins, LATTICE, RATES, ALL, EVERYTHING, slots, *common)
        results.append((spins.copy(), tally.copy(), rng.copy()))
    for one, two in zip(*results):
        np.testing.assert_array_equal(one, two)


def test_a_state_that_cannot_be_left_lets_time_pass() -> None:
    spins, clock = -np.ones((1, 30), dtype=np.int8), np.zeros(1)
    tally, records = count_spins(spins, LATTICE), np.zeros((1, 2, 5), dtype=np.int64)
    slots = first_slots(spins, LATTICE, ALL)
    common = (np.array([1.0, 2.0]), clock, tally, records, kernel_state(0)[None].copy())
    n_fold_way(spins, LATTICE, np.zeros((1, 10)), ALL, EVERYTHING, slots, *common)
    assert clock[0] == 2.0 and np.all(records[0] == tally[0]) and tally[0, FLIPS] == 0


@pytest.mark.slow
def test_asking_ahead_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same flips with the neighbourhoods of coming events asked for, and without."""
    ends = []
    for limit in (0, nfold_way.IN_CACHE):
        monkeypatch.setattr(nfold_way, "IN_CACHE", limit)
        run = numba.njit(flip_until.py_func)
        spins, rng, tally = random_spins(5)[0], kernel_state(7), np.zeros(5, dtype=np.int64)
        lists = class_lists(first_slots(spins[None], LATTICE, ALL)[0], ALL[0], 4)
        core, end = EVERYTHING[0], np.inf
        time = run(spins, LATTICE, RATES[0], lists, core, 0.0, end, 500, tally, rng)
        ends.append((time, spins.tolist(), tally.tolist(), rng.tolist()))
    assert ends[0] == ends[1]


def test_asking_for_a_site_is_harmless_at_either_end() -> None:
    values = np.arange(10, dtype=np.int32)

    @numba.njit
    def ask(values: np.ndarray, site: np.uint64) -> int:
        prefetch(values, site)
        return int(values[site])

    assert [ask(values, np.uint64(site)) for site in (0, 9)] == [0, 9]
