"""What a check of a sampler found: its statistics, and whether it could have found anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple, ParamSpec

from scipy import stats

from ..reals import require_positive

FALSE_ALARM = 1e-4
P = ParamSpec("P")


class Statistic(NamedTuple):
    """One number, and the chance of one as extreme if the sampler is right.

    Attributes
    ----------
    name : str
    value : float
    p_value : float
    """

    name: str
    value: float
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """A sampler beside its law, and beside a law that is deliberately wrong.

    The p-value is that of the worst statistic times their number (Bonferroni): a right sampler is
    rejected with a probability of at most ``false_alarm``, however the statistics depend on each
    other. What does not reject the wrong law is blind, and proves nothing of the right one.

    Attributes
    ----------
    what : str
        What was compared.
    statistics : tuple of Statistic
    false_alarm : float
        A right sampler is rejected as often as this; 0 where nothing is left to chance.
    worst : str
        Where the difference is largest.
    control : str
        The wrong law.
    control_p_value : float
        p-value of the same numbers under the wrong law.
    """

    what: str
    statistics: tuple[Statistic, ...]
    false_alarm: float
    worst: str
    control: str
    control_p_value: float

    @property
    def p_value(self) -> float:
        """Chance of as large a difference if the sampler is right."""
        return joint_p_value(self.statistics)

    @property
    def z(self) -> float:
        """The p-value in standard deviations of a normal variable, two-sided."""
        return float(stats.norm.isf(self.p_value / 2))

    @property
    def rejected(self) -> bool:
        """Whether the sampler differs from its law."""
        return not self.p_value > self.false_alarm

    @property
    def blind(self) -> bool:
        """Whether a deliberately wrong law would have passed too."""
        return not self.control_p_value <= self.false_alarm

    @property
    def passed(self) -> bool:
        """Neither rejected nor blind."""
        return not (self.rejected or self.blind)

    def __str__(self) -> str:
        numbers = ", ".join(f"{s.name} = {s.value:.3g}" for s in self.statistics)
        found = f"{numbers}; p = {self.p_value:.2g} (false alarms {self.false_alarm:.2g})"
        if self.rejected:
            return f"{self.what}: differ; {found}; most at {self.worst}"
        if self.blind:
            return (
                f"{self.what}: no verdict, for {self.control} would pass too "
                f"(p = {self.control_p_value:.2g}): take more samples or a control further off"
            )
        return f"{self.what}: agree; {found}; {self.control}: p = {self.control_p_value:.2g}"

    def require(self) -> Comparison:
        """The same, if it passed.

        Raises
        ------
        AssertionError
            In one line: what differs, by how much and where; or that the check was blind.
        """
        __tracebackhide__ = True
        if not self.passed:
            raise AssertionError(str(self))
        return self


def joint_p_value(statistics: tuple[Statistic, ...]) -> float:
    """p-value of the worst of several statistics, whatever their dependence."""
    return min(1.0, len(statistics) * min(s.p_value for s in statistics))


def require_level(false_alarm: float, wrong: float) -> None:
    """A probability of false alarms, and a factor of a control that is not 1; ValueError if not."""
    require_positive(false_alarm, "false_alarm", most=0.5)
    if require_positive(wrong, "wrong") == 1:
        raise ValueError("wrong = 1 is no control: it must be a factor other than 1, such as 1.25")


def asserting(check: Callable[P, Comparison], name: str) -> Callable[P, Comparison]:
    """A check that raises AssertionError where it does not pass."""

    @wraps(check)
    def assertion(*args: P.args, **kwargs: P.kwargs) -> Comparison:
        __tracebackhide__ = True
        return check(*args, **kwargs).require()

    assertion.__name__ = assertion.__qualname__ = name
    assertion.__doc__ = (
        f"`{check.__name__}` with its arguments; AssertionError, in one line, unless it passes."
    )
    return assertion
