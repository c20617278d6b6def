"""64 replicas a word: bits of a given probability, and the Boltzmann law of a small lattice."""

import numpy as np
import pytest

from macro_ase.analysis.exact_ising import density_of_states
from macro_ase.kinetics.ising import count_spins, neighbor_table, periodic_lattice
from macro_ase.kinetics.multispin import REPLICAS, bernoulli_word, pack, relax_windows, unpack
from macro_ase.rng import kernel_state
from macro_ase.testing import assert_visits

TEMPERATURE, SIZE = 2.27, (4, 4)
ALL = np.uint64(2**64 - 1)


def bits(words: list[np.uint64]) -> np.ndarray:
    return unpack(np.array(words, dtype=np.uint64)) > 0


@pytest.mark.parametrize("probability", [0.0, 0.17, 0.5, 0.83])
def test_bits_have_their_probability_and_are_independent(probability: float) -> None:
    rng, n = kernel_state(1), 4000
    ones = bits([bernoulli_word(ALL, probability, rng) for _ in range(n)])
    error = np.sqrt(probability * (1 - probability) / ones.size)
    assert abs(ones.mean() - probability) <= 4 * error
    if 0 < probability < 1:
        z = (ones - probability) / np.sqrt(probability * (1 - probability))
        correlation = z @ z.T / n - np.eye(REPLICAS)
        assert np.abs(correlation).max() < 5.5 / np.sqrt(n)


def test_only_the_wanted_bits() -> None:
    rng, wanted = kernel_state(2), np.uint64(0b1011)
    drawn = [bernoulli_word(wanted, 0.5, rng) for _ in range(200)]
    assert np.bitwise_or.reduce(drawn) == wanted


def test_words_and_spins() -> None:
    spins = np.random.default_rng(0).choice([-1, 1], (REPLICAS, 12)).astype(np.int8)
    np.testing.assert_array_equal(unpack(pack(spins)), spins)


def test_windows_in_turn_keep_the_boltzmann_law() -> None:
    """Visits to levels (M, broken bonds), replica by replica; three per cent in T would show."""
    lattice, probability = periodic_lattice(SIZE), np.exp(-4 / TEMPERATURE)
    neighbors, rng = neighbor_table(lattice), kernel_state(3)
    order = np.random.default_rng(4)
    words = pack(order.choice([-1, 1], (REPLICAS, 16)).astype(np.int8))
    states = density_of_states(SIZE)
    level = {key: k for k, key in enumerate(zip(states.magnetisation, states.broken_bonds))}
    seen = np.empty((REPLICAS, 1000), dtype=int)
    for k in range(-200, 1000):
        sites = order.permutation(16).reshape(2, 8)  # two windows a sweep
        relax_windows(words, neighbors, sites, 1, probability, rng)
        tally = count_spins(unpack(words), lattice)[:, :2]
        seen[:, max(k, 0)] = [level[key] for key in map(tuple, tally)]
    laws = (states.probabilities(factor * TEMPERATURE) for factor in (1, 1.03))
    assert_visits(seen.ravel(), *laws, values=states.energies())


def test_frozen_sites_stay() -> None:
    lattice = periodic_lattice((8, 8))
    words = np.random.default_rng(5).integers(0, 2**64, 64, dtype=np.uint64)
    before, window = words.copy(), np.array([[9, 10, 17, 18]])
    relax_windows(words, neighbor_table(lattice), window, 5, 0.17, kernel_state(6))
    outside = np.setdiff1d(np.arange(64), window)
    np.testing.assert_array_equal(words[outside], before[outside])
    assert np.any(words[window[0]] != before[window[0]])
