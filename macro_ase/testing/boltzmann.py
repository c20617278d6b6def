"""Samplers against Boltzmann's law of a system so small that all its states are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..counts import require_count
from ..reals import require_positive
from .result import FALSE_ALARM, Comparison, asserting, require_level
from .states import Numbered, boltzmann
from .visits import check_visits


def check_boltzmann(
    evolve: Callable[[Any], Any],
    states: Sequence[Any] | NDArray[Any],
    energy: Callable[[Any], float] | ArrayLike,
    kT: float,
    *,
    n_samples: int = 10_000,
    start: Any = None,
    residence: Callable[[Any], float] | None = None,
    wrong: float = 1.25,
    false_alarm: float = FALSE_ALARM,
) -> Comparison:
    """Compare the states that a sampler visits with exp(-E / kT) over all of them.

    Parameters
    ----------
    evolve : callable
        From a state the next one. A driver ignores the argument, moves on and says where it is.
    states : sequence or array, shape (n_states, ...)
        All that it can reach, each once (`arrangements`, `configurations`); others are refused.
    energy : callable or array, shape (n_states,)
        Of one state, or of all. What a reservoir adds, such as -mu N, belongs to it.
    kT : float
        In the unit of the energy, such as ``ase.units.kB * 300``.
    n_samples : int
        Calls that count; a tenth as many come before.
    start : optional
        State to begin with, if not the first.
    residence : callable, optional
        Time spent in a state, which weighs it, where moves differ in time.
    wrong, false_alarm : float
        The same samples must reject ``wrong`` x kT; a right sampler is rejected this often.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> def flip(s, kT=1.0):
    ...     return 1 - s if rng.random() < np.exp((2 * s - 1) / kT) else s
    >>> check_boltzmann(flip, [0, 1], [0.0, 1.0], kT=1.0).passed
    True
    >>> check_boltzmann(lambda s: flip(s, 2.0), [0, 1], [0.0, 1.0], kT=1.0).rejected
    True
    """
    require_level(false_alarm, wrong)
    numbered, n = Numbered(states), require_count(n_samples, "n_samples", 1)
    energies = numbered.energies(energy)
    require_positive(kT, "kT")
    visits, weights = _run(evolve, start, n, numbered, residence)
    return check_visits(
        visits,
        boltzmann(energies, kT),
        boltzmann(energies, wrong * kT),
        values=energies,
        weights=weights,
        labels=list(numbered.numbers),
        what=f"shares of {len(energies)} states and exp(-E/kT)",
        control=f"{wrong:g} kT",
        false_alarm=false_alarm,
    )


assert_boltzmann = asserting(check_boltzmann, "assert_boltzmann")


def _run(
    evolve: Callable[[Any], Any],
    start: Any,
    n: int,
    numbered: Numbered,
    residence: Callable[[Any], float] | None,
) -> tuple[NDArray[np.int64], Array]:
    """Numbers of n states in a row, after a tenth as many, and their times, shape (n,)."""
    state = numbered.states[0] if start is None else start
    for _ in range(n // 10):
        state = evolve(state)
    visits, times = np.empty(n, dtype=np.int64), np.ones(n)
    for k in range(n):
        state = evolve(state)
        visits[k] = numbered.number(state)
        times[k] = 1.0 if residence is None else residence(state)
    return visits, times
