"""How long the order needs at every temperature, and the temperature at which an order froze."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Array, finite_array
from ...counts import require_count
from ...rng import stream
from ...schedule import Schedule
from .annealing import Annealing, Treatment
from .bands import NORMAL
from .heat_treatment import HeatTreatment, distance_outside
from .own_time import TimeScale, no_scale
from .rests import rests_of
from .times_to import TimesTo, arrival, interval, mean_steps, nearest_temperature, rest_at

RECORDS, GRID_K = 201, 1001


class Transforming(Annealing):
    """Times and temperatures of transformation; `MacroModel` gives the attributes."""

    def time_to(
        self,
        temperatures: ArrayLike,
        z0: ArrayLike,
        within: float = 0.1,
        n_sites: float | None = None,
        n_patches: float | None = None,
        component: str | None = None,
        paths: int = 20,
        seed: int | np.random.SeedSequence = 0,
        condition: ArrayLike | None = None,
        time_scale: TimeScale = no_scale,
    ) -> TimesTo:
        """How long at constant temperature until the order is within a part of equilibrium.

        See `times_to`; warns, once, of temperatures or a start outside what was trained, where
        intervals are wider.

        Parameters
        ----------
        temperatures : array, shape (n_T,)
            In K.
        z0 : array, shape (d,)
        within : float
            Part of the first distance that is left, between 0 and 1.
        component : str, optional
            One of ``z_names`` to judge by; default all.
        paths : int
            Of every member.
        n_sites, n_patches, seed, condition, time_scale
            As for `anneal`.
        """
        asked = finite_array(np.atleast_1d(temperatures), "temperatures", None)
        if not len(asked) or asked.min() <= 0:
            raise ValueError(f"temperatures must be above 0 K, not {asked.tolist()}")
        if not 0 < within < 1:
            raise ValueError(f"within must be between 0 and 1, not {within}")
        columns = self._columns(component)
        number = require_count(paths, "paths", 1)
        ready = self._treatment(n_sites, n_patches, condition, time_scale)
        z = finite_array(np.atleast_1d(z0), "z0", self._d)
        start = self._spread(self.trained.scaling.z(z))
        trained = self._trained()
        outside = np.maximum(*distance_outside(1000 / asked, trained, start[None]))
        seeds = seed if isinstance(seed, np.random.SeedSequence) else stream(seed, "time to")
        common = (z, start, within, columns, number)
        rows = [
            self._arrival(ready, float(t), float(far), own, *common)
            for t, far, own in zip(asked, outside, seeds.spawn(len(asked)))
        ]
        if outside.any():
            told = "a temperature or the order at the start is outside of training"
            warnings.warn(
                f"the model extrapolates: {told}, where intervals are wider", stacklevel=2
            )
        own = np.array(rows).T
        return TimesTo(asked, own[0], own[1], own[2:4], own[4:6], within)

    def _columns(self, component: str | None) -> list[int]:
        """Of z, those by which arrival is judged."""
        if component is None:
            return [*range(self._d)]
        if component not in self.z_names:
            known = ", ".join(self.z_names)
            raise ValueError(f"component must be one of {known}, not {component!r}")
        return [self.z_names.index(component)]

    def _arrival(
        self,
        ready: Treatment,
        temperature: float,
        outside: float,
        seed: np.random.SeedSequence,
        z: Array,
        start: Array,
        within: float,
        columns: list[int],
        paths: int,
    ) -> tuple[float, ...]:
        """Median, time of the mean, then the limits of 68 % and of 95 %."""
        steps, rest = mean_steps(ready.drifts, start, temperature, within, columns)
        times = steps / ready.rate(temperature)
        far = 3 * np.max(times, initial=0.0, where=np.isfinite(times))
        arrived = times[:-1]
        if far > 0:
            hold, records = Schedule.hold(temperature, far), np.linspace(0, far, RECORDS)
            r, _ = self._treated(ready, hold, z, paths, records, seed)
            y, own = self.trained.scaling.z(r.paths), rest[:-1, None, None, : self._d]
            begin = start[: self._d]
            arrived = arrival(r.times, y, own, begin, within, columns).ravel()
        middle = float(np.quantile(arrived, 0.5, method="nearest"))
        limits = (interval(arrived, times[:-1], middle, p, outside) for p in NORMAL)
        return (middle, float(times[-1]), *next(limits), *next(limits))

    def fictive_temperature(
        self,
        treated: HeatTreatment,
        n_sites: float | None = None,
        n_patches: float | None = None,
        condition: ArrayLike | None = None,
    ) -> tuple[float, float]:
        """The temperature at which the order of the end would rest, and its error over members.

        Among those that were trained: the least or largest of them where none rests nearer.
        """
        trained = self._trained()
        if trained is None or not np.ptp(trained) > 0:
            raise ValueError("a fictive temperature needs a model trained at several temperatures")
        temperatures = np.linspace(1000 / trained[1], 1000 / trained[0], GRID_K)
        ready = self._treatment(n_sites, n_patches, condition, no_scale)
        rest = rest_at(ready.drifts, temperatures)
        ends = self.trained.scaling.z(np.concatenate([treated.members, treated.mean[None]])[:, -1])
        found = [
            nearest_temperature(y, own[:, : self._d], temperatures) for y, own in zip(ends, rest)
        ]
        error = float(np.std(found[:-1], ddof=1)) if len(found) > 2 else np.nan
        return found[-1], error

    def rests(self, conditions: ArrayLike) -> Array:
        """Where each member's drift is 0, shape (members, n, d); nan where it finds no rest.

        Parameters
        ----------
        conditions : array, shape (n, c)
            1000 K / T first.
        """
        rows = finite_array(np.atleast_2d(conditions), "conditions", None, self._c)
        scaling = self.trained.scaling
        y = rests_of(self._stacked(), scaling.condition(rows))
        return self._observed(y)
