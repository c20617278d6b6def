"""Temperatures of a run: a number, or a callable of the step such as a ramp."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..counts import require_count
from ..reals import require_positive

Temperature = float | Callable[[int], float]
"""What drivers take: a number, or a callable that gives the temperature of every step."""


def require_temperature(temperature: Any) -> float:
    """The temperature, if it is one.

    Raises
    ------
    ValueError
        If it is no number, or not positive and finite.
    """
    return require_positive(temperature, "temperature", "K")


@dataclass(frozen=True)
class Ramp:
    """A temperature that goes evenly from one to another, and stays there.

    Every driver takes one for its temperature; steps are counted from the driver's start.

    Attributes
    ----------
    start_K, end_K : float
    steps : int
        Steps that it takes.

    Raises
    ------
    ValueError
        If a temperature is not above 0, or the steps are fewer than one.
    """

    start_K: float
    end_K: float
    steps: int

    def __post_init__(self) -> None:
        for value in (self.start_K, self.end_K):
            require_temperature(value)
        require_count(self.steps, "the steps of a ramp", 1)

    def __call__(self, step: int) -> float:
        return self.start_K + (self.end_K - self.start_K) * min(step / self.steps, 1.0)

    def over(self, first: int, steps: int) -> NDArray[np.float64]:
        """Temperatures of ``steps`` steps from ``first``, shape (steps,)."""
        share = np.minimum(np.arange(first, first + steps) / self.steps, 1.0)
        return self.start_K + (self.end_K - self.start_K) * share


class Schedule:
    """The temperature of every step of a driver.

    Parameters
    ----------
    given : float or callable
        A callable is told the steps since ``first``.
    first : int
        The driver's step at which it was given.

    Raises
    ------
    ValueError
        If the first temperature is not one.
    """

    def __init__(self, given: Temperature, first: int = 0) -> None:
        self.given = given if callable(given) else require_temperature(given)
        self.first = first
        self.at(first)

    @property
    def constant(self) -> bool:
        """Whether every step has the same temperature."""
        return not callable(self.given)

    def at(self, step: int) -> float:
        """Temperature of a step; ValueError if the callable gives none."""
        if not callable(self.given):
            return self.given
        return require_temperature(self.given(step - self.first))

    def over(self, first: int, steps: int) -> NDArray[np.float64]:
        """Temperatures of ``steps`` steps from ``first``, shape (steps,), or (1,) if constant."""
        if isinstance(self.given, Ramp):
            return self.given.over(first - self.first, steps)
        return np.array([self.at(first + n) for n in range(1 if self.constant else steps)])

    def stretches(self, first: int, steps: int) -> Iterator[tuple[float, int]]:
        """Temperatures of ``steps`` steps from ``first``, each with how many steps it lasts."""
        last = 0
        values = self.over(first, steps)
        for k in np.append(np.flatnonzero(np.diff(values)) + 1, len(values)):
            lasts = steps if self.constant else int(k) - last
            yield float(values[last]), lasts
            last = int(k)

    def state(self, step: int) -> dict[str, NDArray[np.float64]]:
        """What a restart at this step needs and checks."""
        return {"schedule": np.array([self.first, self.at(step)])}

    def resumed(self, saved: Mapping[str, NDArray[np.float64]], step: int) -> Schedule:
        """This schedule as the run that wrote ``saved`` had it.

        Raises
        ------
        ValueError
            If it had another temperature at that step, or none.
        """
        kept = saved["schedule"]
        if kept.shape != (2,) or kept.dtype.kind != "f" or not 0 <= kept[0] <= step:
            raise ValueError("schedule in the restart is no first step and temperature")
        first, before = kept.tolist()
        found = Schedule(self.given, int(first))
        if not math.isclose(found.at(step), before, rel_tol=1e-12):
            now = found.at(step)
            raise ValueError(f"the restart was written at temperature {before:g}, not {now:g}")
        return found
