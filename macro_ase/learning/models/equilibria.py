"""Equilibrium of a size against temperature, and how long the way there takes.

An ensemble's value is the mean over its members, and its error their standard deviation S: members
share most of their data, so the root of their number does not divide it. Where the model
extrapolates by a distance u, as `heat_treatment` measures it, the error is S sqrt(1 + u^2). The
spread is that of one system, the root of the mean over members of their variances.

The relaxation time of a component is the first at which its way has made 1 - 1/e of that from the
start to its rest; there is none where that is shorter than five spreads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ...arrays import Array
from ...statistics import relaxation_time
from .bands import Bands

CLEAR_CHANGE = 5.0


@dataclass(frozen=True)
class Equilibria(Bands):
    """Order in equilibrium, and the way there at constant temperature.

    Attributes
    ----------
    temperatures : array, shape (n_T,)
        In K.
    paths : array, shape (members, samples, n_T, d)
        Systems in equilibrium.
    times : array, shape (n_t, n_T)
        From the start, in the unit of the model's clock.
    ways : array, shape (members, n_t, n_T, d)
        Means at these times, the last at rest; nan where there is no rest. They are without noise,
        but of a system of blocks (`paths`).
    outside, outside_way : arrays, shape (n_T,)
        u in equilibrium, and the largest on the way.
    names : tuple of str
    mean, members : arrays, shapes (n_T, d) and (members, n_T, d)
        In equilibrium, of all paths and of each member's.
    """

    temperatures: Array
    paths: Array
    times: Array
    ways: Array
    outside: Array
    outside_way: Array
    names: tuple[str, ...]
    mean: Array = field(init=False)
    members: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", self.paths.mean(axis=1))
        object.__setattr__(self, "mean", self.members.mean(axis=0))

    @property
    def error(self) -> Array:
        """Standard error of the mean, shape (n_T, d); nan with one member."""
        return _apart(self.members) * np.hypot(1, self.outside)[:, None]

    @property
    def spread(self) -> Array:
        """Standard deviation of one system in time, shape (n_T, d)."""
        return np.asarray(np.sqrt(self.paths.var(axis=1).mean(axis=0)))

    @property
    def relaxation(self) -> tuple[Array, Array]:
        """Relaxation times and their errors, shape (n_T, d); nan where too little changes."""
        way = self.ways
        ends = way[:, -1]
        found = np.full(ends.shape, np.nan)
        clear = np.abs(ends - way[:, 0]) > CLEAR_CHANGE * self.spread
        for m, t, k in np.argwhere(clear):
            own = way[m, :, t, k]
            found[m, t, k] = relaxation_time(self.times[:, t], own, own[0], own[-1])
        return found.mean(axis=0), _apart(found) * np.hypot(1, self.outside_way)[:, None]

    def of(self, observable: Callable[[Array], Array], names: tuple[str, ...]) -> Equilibria:
        """The same of what follows from z.

        Parameters
        ----------
        observable : callable
            From z, shape (..., n_T, d), to values, shape (..., n_T, k).
        names : tuple of str
            Of the k values.
        """
        return replace(self, paths=observable(self.paths), ways=observable(self.ways), names=names)


def _apart(members: Array) -> Array:
    """Standard deviation over members; nan of one."""
    if len(members) == 1:
        return np.full(members.shape[1:], np.nan)
    return np.asarray(members.std(axis=0, ddof=1))
