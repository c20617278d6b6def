"""Tests for samplers: Boltzmann's law, waiting times, detailed balance, patches without bias.

``check_...`` returns a `Comparison`; ``assert_...`` takes the same arguments and raises
AssertionError in one line unless it passes. Each knows its probability of false alarms, and must
reject a law that is deliberately wrong.
"""

from .barriers import (
    assert_barriers,
    assert_loops,
    check_barriers,
    check_loops,
    vacancy_hops,
)
from .boltzmann import assert_boltzmann, check_boltzmann
from .result import Comparison, Statistic
from .reversible import assert_reversible, check_reversible
from .states import arrangements, configurations
from .unbiased import assert_unbiased, check_unbiased
from .visits import assert_visits, check_visits
from .waiting import assert_choices, assert_waiting_times, check_choices, check_waiting_times

__all__ = [
    "Comparison",
    "Statistic",
    "arrangements",
    "assert_barriers",
    "assert_boltzmann",
    "assert_choices",
    "assert_loops",
    "assert_reversible",
    "assert_unbiased",
    "assert_visits",
    "assert_waiting_times",
    "check_barriers",
    "check_boltzmann",
    "check_choices",
    "check_loops",
    "check_reversible",
    "check_unbiased",
    "check_visits",
    "check_waiting_times",
    "configurations",
    "vacancy_hops",
]
