"""Moves in detailed balance and out of it."""

import numpy as np
import pytest

from macro_ase.testing import assert_reversible, check_reversible

ENERGIES = np.array([0.0, 0.4, 0.4, 1.0, 1.3, 2.0])
KT = 1.0


def hop(rule: str, seed: int = 0):
    """To any other well."""
    rng = np.random.default_rng(seed)

    def step(s: int) -> int:
        way = 1 if rule == "one way" else int(rng.integers(1, 6))
        new = (s + way) % 6
        if rule == "favours the first" and rng.random() < 0.1:
            new = 0
        up = ENERGIES[new] - ENERGIES[s]
        chance = {"heat bath": 1 / (1 + np.exp(up / KT)), "too hot": np.exp(-up / (1.15 * KT))}
        return new if rng.random() < chance.get(rule, np.exp(-up / KT)) else s

    return step


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_stated() -> None:
    level, runs = 0.1, 40
    found = [
        check_reversible(hop("", k), range(6), ENERGIES, KT, n_steps=1500, rng=k, false_alarm=level)
        for k in range(runs)
    ]
    share = np.mean([c.rejected for c in found])
    assert share < level + 3 * np.sqrt(level * (1 - level) / runs)


@pytest.mark.parametrize("rule", ["metropolis", "heat bath"])
def test_moves_in_balance_pass(rule: str) -> None:
    assert_reversible(hop(rule), range(6), ENERGIES, KT)


@pytest.mark.parametrize("rule", ["one way", "favours the first", "too hot"])
def test_moves_out_of_balance_do_not(rule: str) -> None:
    with pytest.raises(AssertionError, match=r"20000 steps between 6 states .*: differ; .* back$"):
        assert_reversible(hop(rule), range(6), ENERGIES, KT)


def test_a_move_that_never_moves_is_no_verdict() -> None:
    found = check_reversible(lambda s: s, range(6), ENERGIES, KT, n_steps=100)
    assert found.blind and not found.rejected and found.worst == "no step at all"


def test_states_that_were_not_listed_are_named() -> None:
    with pytest.raises(ValueError, match="reached 6, which is none of the 6"):
        check_reversible(lambda s: s + 1, range(6), ENERGIES, KT)
