"""Small systems whose states can be counted: lists of all of them, and their numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array, finite_array
from ..reals import require_positive


def arrangements(values: Iterable[Hashable]) -> list[tuple[Hashable, ...]]:
    """All distinct orders of some values: the states of sites that swap what they hold.

    Examples
    --------
    >>> arrangements("ABB")
    [('A', 'B', 'B'), ('B', 'A', 'B'), ('B', 'B', 'A')]
    """
    own = list(values)
    return list(dict.fromkeys(itertools.permutations(own)))


def configurations(values: Iterable[Hashable], n_sites: int) -> list[tuple[Hashable, ...]]:
    """All states of sites each of which holds any of the values.

    Examples
    --------
    >>> configurations([-1, 1], 2)
    [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    """
    return list(itertools.product(list(values), repeat=n_sites))


def state_key(state: Any) -> Hashable:
    """What states are told apart by: arrays and sequences of equal values are one state."""
    if isinstance(state, np.ndarray):
        return tuple(state.ravel().tolist())
    return tuple(state) if isinstance(state, list) else state


class Numbered:
    """States by number.

    Raises
    ------
    ValueError
        If there are fewer than two, or one comes twice; of `number`, if a state is none of them.
    """

    def __init__(self, states: Sequence[Any] | NDArray[Any]) -> None:
        self.states = list(states)
        self.numbers = {state_key(state): k for k, state in enumerate(self.states)}
        if len(self.states) < 2:
            raise ValueError(f"at least 2 states are needed, not {len(self.states)}")
        if len(self.numbers) < len(self.states):
            twice = len(self.states) - len(self.numbers)
            raise ValueError(f"states must be distinct, but {twice} come more than once")

    def number(self, state: Any) -> int:
        """Of a state that the sampler reached."""
        found = self.numbers.get(state_key(state))
        if found is None:
            raise ValueError(
                f"the sampler reached {state_key(state)}, which is none of the "
                f"{len(self.states)} states given"
            )
        return found

    def energies(self, energy: Callable[[Any], float] | ArrayLike) -> Array:
        """Of every state, shape (n_states,), from a function of a state or as they are."""
        values = [energy(state) for state in self.states] if callable(energy) else energy
        return finite_array(values, "energy", len(self.states))


def boltzmann(energies: Array, kT: float) -> Array:
    """exp(-E / kT) over their sum, shape (n_states,); kT in the unit of the energies."""
    weights = np.exp(-(energies - energies.min()) / require_positive(kT, "kT"))
    return np.asarray(weights / weights.sum())
