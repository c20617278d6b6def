"""A ring of spins: right rules pass, wrong ones do not, and unknown states are named."""

from collections.abc import Callable

import numpy as np
import pytest

from macro_ase.testing import arrangements, assert_boltzmann, check_boltzmann, configurations

KT = 2.0
SPINS = configurations((-1, 1), 4)


def energy(s: tuple[int, ...]) -> float:
    return -sum(a * b for a, b in zip(s, (*s[1:], s[0]))) - 0.3 * sum(s)


TABLE = {s: energy(s) for s in SPINS}


def spins(rule: str, seed: int = 0) -> Callable:
    """Single flips by a rule."""
    rng = np.random.default_rng(seed)

    def evolve(s: tuple[int, ...]) -> tuple[int, ...]:
        for i, u in zip(rng.integers(4, size=3).tolist(), rng.random(3).tolist()):
            new = (*s[:i], -s[i], *s[i + 1 :])
            up = TABLE[new] - TABLE[s]
            rates = {
                "metropolis": np.exp(-up / KT),
                "heat bath": 1 / (1 + np.exp(up / KT)),
                "too hot": np.exp(-up / (1.25 * KT)),
                "never down": np.exp(-max(up, 0) / KT) * (sum(new) >= -2),
                "a field too many": np.exp(-(up - 0.3 * new[i]) / KT),
            }
            s = new if u < rates[rule] else s
        return s

    return evolve


@pytest.mark.parametrize("rule", ["metropolis", "heat bath"])
def test_right_rules_pass(rule: str) -> None:
    found = assert_boltzmann(spins(rule), SPINS, energy, KT, n_samples=6400)
    assert found.passed and found.p_value > 1e-4 and 0 <= found.z < 3.9
    assert found.control == "1.25 kT" and found.control_p_value < 1e-4
    assert str(found).startswith("6400 samples, shares of 16 states and exp(-E/kT): agree; F of")


@pytest.mark.parametrize("rule", ["too hot", "never down", "a field too many"])
def test_wrong_rules_do_not(rule: str) -> None:
    found = check_boltzmann(spins(rule), SPINS, TABLE.__getitem__, KT, n_samples=6400)
    assert found.rejected
    if rule == "never down":
        assert found.worst.startswith("(-1, -1, -1, -1): a share of 0")


@pytest.mark.slow
def test_drivers_that_keep_their_state_and_states_that_are_arrays() -> None:
    rng, values = np.random.default_rng(0), np.array([0.0, 0.5, 0.5, 2.0])
    state = np.array([0, 1, 1, 3])
    states = np.array(arrangements(state.tolist()))

    def swap(_: np.ndarray) -> np.ndarray:
        i, j = rng.integers(4, size=2)
        trial = state.copy()
        trial[[i, j]] = trial[[j, i]]
        if rng.random() < np.exp(values[state] @ [1, 0, 0, 2] - values[trial] @ [1, 0, 0, 2]):
            state[:] = trial
        return state

    found = assert_boltzmann(swap, states, values[states] @ [1, 0, 0, 2], 1.0, n_samples=9600)
    assert len(states) == 12 and found.passed


def test_a_state_that_was_not_listed_is_named() -> None:
    with pytest.raises(ValueError, match=r"reached \(-1, -1, .* none of the 15 states"):
        check_boltzmann(spins("metropolis"), SPINS[1:], energy, KT, start=SPINS[5])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"states": SPINS[:1]}, "at least 2 states"),
        ({"states": [SPINS[0], *SPINS]}, "1 come more than once"),
        ({"energy": [0.0]}, r"energy must have shape \(16,\)"),
        ({"kT": 0.0}, "kT must be above 0"),
        ({"wrong": 1.0}, "wrong = 1 is no control"),
    ],
)
def test_bad_input_is_refused_before_any_work(changed: dict, words: str) -> None:
    usual = {"evolve": None, "states": SPINS, "energy": energy, "kT": KT}
    with pytest.raises(ValueError, match=words):
        check_boltzmann(**usual | changed)
