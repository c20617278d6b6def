"""Barriers there and back, around loops, as rates; what does not fit is named."""

from math import exp, sin

import numpy as np
import pytest

from macro_ase import KRABarriers, PairEnergyCalculator, build_crystal
from macro_ase.testing import (
    assert_barriers,
    assert_loops,
    check_barriers,
    check_loops,
    vacancy_hops,
)

KT = 0.3


def energy(s: tuple[int, int]) -> float:
    return sin(1.7 * s[0]) + 0.5 * sin(2.3 * s[1] + s[0])


def moves(wind: float = 0.0, drop: tuple[int, int] | None = None):
    """A particle on 4 x 4 places; with a wind along the first axis, or a way that is closed."""

    def ways(s: tuple[int, int]) -> list[tuple[tuple[int, int], float]]:
        found = []
        for d in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            new = ((s[0] + d[0]) % 4, (s[1] + d[1]) % 4)
            barrier = 2 + (energy(new) - energy(s)) / 2 + 0.3 * sin(s[0] + new[0])
            found.append((new, np.inf if new == drop else barrier + wind * d[0]))
        return found

    return ways


EVERY = [(i, j) for i in range(4) for j in range(4)]


def test_barriers_that_belong_to_an_energy() -> None:
    found = assert_barriers(moves(), EVERY, energy)
    assert found.p_value == 1 and found.false_alarm == 0
    assert str(found).startswith("64 moves and their energies: agree; largest violation = ")
    assert assert_loops(moves(), (0, 0)).what == "17 closed loops of barriers"


@pytest.mark.parametrize("wrong", [{"wind": 1e-4}, {"drop": (2, 1)}])
def test_barriers_that_do_not(wrong: dict) -> None:
    with pytest.raises(AssertionError, match=r"6[04] moves .*: differ"):
        assert_barriers(moves(**wrong), EVERY, energy)
    with pytest.raises(AssertionError, match=r"closed loops of barriers: differ; .* off by"):
        assert_loops(moves(**wrong), (2, 1))


def test_rates() -> None:
    def rates(wind: float):
        return lambda s: [(new, exp(-b / KT)) for new, b in moves(wind)(s)]

    assert_barriers(rates(0.0), EVERY, energy, kT=KT)
    assert_loops(rates(0.0), (0, 0), kT=KT)
    assert check_barriers(rates(0.0), EVERY, energy, kT=1.1 * KT).rejected
    assert check_loops(rates(0.01), (0, 0), kT=KT).rejected


def test_where_all_energies_are_equal_there_is_no_verdict() -> None:
    flat = check_barriers(lambda s: [((s + 1) % 3, 1.0), ((s + 2) % 3, 1.0)], range(3), lambda s: 0)
    assert flat.blind and not flat.rejected
    with pytest.raises(AssertionError, match="no verdict, for the other sign would pass too"):
        flat.require()


@pytest.mark.slow
def test_hops_of_vacancies_by_a_model() -> None:
    model = KRABarriers.load()
    crystal = build_crystal("bcc", "NbMoTa", (3, 3, 3), vacancies=2, rng=1)
    hops, own = vacancy_hops(model, crystal), crystal.copy()
    own.calc = PairEnergyCalculator(model.energy)

    def energy_eV(numbers: tuple[int, ...]) -> float:
        own.numbers[:] = numbers
        return float(own.get_potential_energy())

    assert_barriers(hops, [crystal.numbers], energy_eV)
    assert_loops(hops, crystal.numbers, n_states=60)

    def crooked(numbers: tuple[int, ...]) -> list[tuple[tuple[int, ...], float]]:
        return [(new, barrier + 1e-4 * new.index(0)) for new, barrier in hops(numbers)]

    assert check_barriers(crooked, [crystal.numbers], energy_eV).rejected


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: check_barriers(lambda s: [], [0], float), "no state has a move"),
        (
            lambda: check_loops(lambda s: [(s + 1, 1.0), (s - 1, 1.0)], 0),
            "no loop closes",
        ),
        (lambda: check_barriers(lambda s: [(1, np.nan)], [0], float), "moves gave nan"),
        (lambda: check_barriers(lambda s: [(1, -1.0)], [0], float, kT=1.0), "no barrier or rate"),
        (
            lambda: check_barriers(moves(), EVERY, energy, tolerance=0.0),
            "tolerance must be",
        ),
    ],
)
def test_bad_input_is_refused(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
