"""The arithmetic of costs at equal error."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from costs import BURN_IN, RATES, Question, ramps, runs_at_1, spent
from heat_treatment import TREATMENTS
from map_costs import nearest_of
from pair_stage import as_they_are

from macro_ase.schedule import Schedule

EACH = 1024.0


def test_equal_error_costs_the_same_at_any_size_until_two_runs_are_enough() -> None:
    asked = Question("a ramp", hops=1e4, runs=64000.0, own_s=1.0)
    assert asked.direct(8000, EACH) == asked.direct(1000, EACH) == 1e4 * 64000 / EACH
    assert asked.direct(1e6, EACH) == 1e4 * 2e6 / EACH


def test_schedules_of_both_benchmarks_are_read_and_rates_are_those_asked() -> None:
    one, twenty = ramps(1450.0)
    for text in (one, *twenty, *(x.format(coldest=1450.0) for x in TREATMENTS.values())):
        assert Schedule.parse(text).temperature_at(0) == 3000
    lengths = np.array([Schedule.parse(x).duration for x in (one, *twenty)])
    np.testing.assert_allclose(lengths - 20e-9, 1550 / np.array([2e9, *RATES]), rtol=0.01)
    assert Schedule.parse(one).temperature_at(lengths[0]) == pytest.approx(1450)


def test_values_at_rest_come_after_a_burn_in_of_both_runs() -> None:
    asked = Question("rest", hops=1e4, runs=0.0, own_s=1.0, values=64000.0)
    assert asked.direct(8000, EACH) == 1e4 * 8000 / EACH * (2 * BURN_IN + 16)


def test_runs_of_the_error_of_a_mean() -> None:
    """Means of so many runs of 100 sites scatter by the error that was asked."""
    rng, std, error = np.random.default_rng(0), 0.3, 0.02
    number = round(runs_at_1(np.array([std]), np.array([error]), 100.0) / 100)
    means = rng.normal(scale=std, size=(4000, number)).mean(axis=1)
    assert means.std() == pytest.approx(error, rel=0.05)


def test_rows_of_a_report() -> None:
    rows = [
        ["learned", "small runs", "2e8", "505"],
        ["learned", "all", "5e8", None],
        ["direct", "direct runs", "3e8", "614"],
        ["direct", "all", "3e8", None],
        ["", "learning", None, "561"],
    ]
    events, seconds = spent(rows)
    assert events == {"small runs": 2e8, "all": 5e8, "direct runs": 3e8}
    assert seconds == {"small runs": 505.0, "direct runs": 614.0, "learning": 561.0}


def test_compositions_of_a_map_are_those_of_the_nearest_learned_from() -> None:
    known = np.array([[0.3, 0.3, 0.4], [0.05, 0.9, 0.05]])
    asked = np.array([[0.2, 0.4, 0.4], [0.0, 0.7, 0.3], [0.0, 1.0, 0.0]])
    assert nearest_of(known, asked).tolist() == [0, 1, 1]


@pytest.mark.slow
def test_pairs_of_states_as_they_are() -> None:
    """A vacancy each, alone in its own state: nothing has grown, and z0 is that of the state."""
    make, pairs = as_they_are(8, 2)
    made = make()
    assert pairs == len(made["dz"]) == 2 and set(made["n_patches"]) == {1}
    assert np.all(made["z0"] > 0) and len(np.unique(made["z0"], axis=0)) == 2
