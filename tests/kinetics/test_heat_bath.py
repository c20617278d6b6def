"""The Poisson clock of the random-site heat bath."""

import numpy as np
from scipy import stats

from macro_ase.kinetics.heat_bath import heat_bath
from macro_ase.kinetics.ising import FLIPS, count_spins, periodic_lattice
from macro_ase.rng import kernel_state

LATTICE, N_REPLICAS = periodic_lattice((3, 4)), 20_000


def flips(rate: float, active: list[int], times: list[float]) -> np.ndarray:
    """Flips so far at the given times, shape (n_replicas, n_times), at one rate for all."""
    spins = np.ones((N_REPLICAS, 12), dtype=np.int8)
    states = np.random.default_rng(1).integers(1, 2**63, (N_REPLICAS, 4), dtype=np.uint64)
    records = np.zeros((N_REPLICAS, len(times), 5), dtype=np.int64)
    tally, clock = count_spins(spins, LATTICE), np.zeros(N_REPLICAS)
    sites, core = np.array([active], dtype=np.int32), np.ones((1, 12), dtype=bool)
    common = (np.array(times), clock, tally, records, states)
    heat_bath(spins, LATTICE, np.full((1, 10), rate), sites, core, *common)
    assert np.all(clock == times[-1])
    frozen = np.setdiff1d(np.arange(12), active) if active else []
    assert np.all(spins[:, frozen] == 1)
    return records[..., FLIPS]


def test_flips_are_a_poisson_process() -> None:
    for rate, active, n in ((1.0, [], 12), (0.3, [], 12), (0.6, [1, 4, 5], 3)):
        counts = np.diff(flips(rate, active, [0.5, 2.0]), axis=1, prepend=0)
        means = n * rate * np.array([0.5, 1.5])
        error = np.sqrt(means / N_REPLICAS)
        assert np.all(np.abs(counts.mean(axis=0) - means) < 4 * error)
        spread = np.sqrt((means + 2 * means**2) / N_REPLICAS)
        assert np.all(np.abs(counts.var(axis=0) - means) < 4 * spread)
        assert abs(stats.pearsonr(*counts.T).statistic) < 4 / np.sqrt(N_REPLICAS)


def test_a_fixed_number_of_attempts_would_be_noticed() -> None:
    """The negative control: n attempts a unit of time without the Poisson law."""
    n, rate = 12, 0.3
    binomial = np.random.default_rng(0).binomial(n, rate, N_REPLICAS)
    spread = np.sqrt((n * rate + 2 * (n * rate) ** 2) / N_REPLICAS)
    assert abs(binomial.var() - n * rate) > 4 * spread


def test_the_same_seed_gives_the_same_bytes() -> None:
    results = []
    for _ in range(2):
        spins, tally = np.ones((1, 12), dtype=np.int8), np.zeros((1, 5), dtype=np.int64)
        clock, records = np.zeros(1), np.zeros((1, 1, 5), dtype=np.int64)
        everything = (np.zeros((1, 0), dtype=np.int32), np.ones((1, 12), dtype=bool))
        common = (np.array([9.0]), clock, tally, records, kernel_state(0)[None].copy())
        heat_bath(spins, LATTICE, np.full((1, 10), 0.4), *everything, *common)
        results.append(spins.tobytes())
    assert results[0] == results[1]
