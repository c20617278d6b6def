"""Heat treatment of a learned model: any schedule of temperature, from any state.

    dz = f a(z, c(T(t))) ds + g b(z, c(T(t))) dW(s),    ds = dt / (h tau_w(T(t)) q(T(t)))

with f and g as in `macro_model`, T(t) the schedule, q the laboratory seconds in a simulated one.
What is assumed is that z is closed at every moment: that a state of the same z, reached at another
temperature, would move alike. Means cost tenths of a second and paths seconds, however long it
lasts: `mean_path` and `treated_paths` say how.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Array, finite_array
from ...counts import require_count
from ...memory import require_memory
from ...rng import stream
from ...schedule import Schedule
from .heat_treatment import HeatTreatment, distance_outside, remembered
from .local_law import LocalLaw
from .mean_path import Drifts, MeanPath
from .own_time import Rate, Stretch, TimeScale, marks, no_scale, stretches
from .paths import Steps
from .treated_paths import MEMORY, legs, slowest, walk


@dataclass(frozen=True)
class Treatment:
    """A model made ready for schedules: of a size, with its other conditions and its clock."""

    drifts: Drifts
    rate: Rate


class Annealing(LocalLaw):
    """What a model says under a changing temperature; `MacroModel` gives the attributes."""

    def _steps(self, span: float, n_sites: float | None, n_patches: float | None) -> Steps:
        raise NotImplementedError

    def anneal(
        self,
        schedule: Schedule | str,
        z0: ArrayLike,
        n_sites: float | None = None,
        n_patches: float | None = None,
        paths: int = 50,
        records: int | ArrayLike = 100,
        seed: int | np.random.SeedSequence = 0,
        condition: ArrayLike | None = None,
        time_scale: TimeScale = no_scale,
    ) -> HeatTreatment:
        """The order along a schedule of temperature, with bands and paths.

        Warns, once, of a temperature or order outside what was trained, which widens the band, and
        of paths that diverge.

        Parameters
        ----------
        schedule : Schedule or str
            Text is read by `Schedule.parse`.
        z0 : array, shape (d,) or (paths, d)
            Means start from their average.
        n_sites, n_patches : float, optional
            As in `MacroModel.simulate`.
        paths : int
            Of every member; with 0 there are means without noise alone, and the band is that of
            the members.
        records : int or array
            About how many, half of them even in time and half in the logarithm of the model's own;
            or their times in laboratory seconds.
        seed : int or SeedSequence
        condition : array, shape (c - 1,), optional
            What follows 1000 K / T; default what it was in training, where it did not vary.
        time_scale : callable, optional
            From a temperature in K to laboratory seconds in one simulated second, such as the
            vacancy fraction of the simulated crystal over that of the real one; default 1.

        Returns
        -------
        HeatTreatment
            Times are in laboratory seconds, those of the schedule.

        Raises
        ------
        ValueError
            In one line, before any work.
        """
        own = Schedule.parse(schedule) if isinstance(schedule, str) else schedule
        ready = self._treatment(n_sites, n_patches, condition, time_scale)
        seeds = seed if isinstance(seed, np.random.SeedSequence) else stream(seed, "anneal")
        treated, told = self._treated(ready, own, z0, paths, records, seeds)
        if told:
            warnings.warn(f"the model extrapolates: {told}", stacklevel=2)
        _warn_of_divergence(treated)
        return treated

    def _treated(
        self,
        ready: Treatment,
        schedule: Schedule,
        z0: ArrayLike,
        paths: int,
        records: int | ArrayLike,
        seed: np.random.SeedSequence,
    ) -> tuple[HeatTreatment, str]:
        """What `anneal` gives, and what of it lies outside the training."""
        number, d = require_count(paths, "paths", 0), self._d
        shape = (number, d) if np.ndim(z0) > 1 else (d,)
        scaling, drifts = self.trained.scaling, ready.drifts
        start = self._spread(scaling.z(finite_array(np.atleast_1d(z0), "z0", *shape)))
        times = marks(schedule, ready.rate, records)
        members = len(self.trained.members)
        room = 20.0 * members * (number + 1) * len(times) * drifts.stacked.d
        require_memory(room, f"{members} x {number} paths of {len(times)} records")
        common = start.reshape(-1, drifts.stacked.d).mean(axis=0)
        mean = MeanPath(drifts, ready.rate, schedule, common)
        y, roads = mean(times), stretches(schedule, ready.rate, times)
        temperatures = schedule.temperature_at(times)
        relaxation = slowest(drifts, y[:-1], temperatures)
        walked, shift = np.empty((members, 0, len(times), drifts.stacked.d)), np.zeros(y[:-1].shape)
        if number:
            plan = legs(roads, float(drifts.steps.number), MEMORY * relaxation.max(axis=0), mean)
            starts = np.broadcast_to(start, (number, drifts.stacked.d))
            walked, shift = walk(drifts, plan, mean, starts, seed)
        y = y + np.concatenate([shift, shift.mean(axis=0)[None]])
        outside, told = self._outside(ready, roads, y[-1], temperatures, relaxation)
        own, each, all_paths = (self._observed(scaled) for scaled in (y[-1], y[:-1], walked))
        names = self.z_names
        return HeatTreatment(times, temperatures, own, each, all_paths, outside, names), told

    def _trained(self) -> Array | None:
        """Least and most of 1000 K / T in training."""
        kept = self.trained.scaling.condition_range
        return None if kept is None else kept[:, 0]

    def _treatment(
        self,
        n_sites: float | None,
        n_patches: float | None,
        condition: ArrayLike | None,
        time_scale: TimeScale,
    ) -> Treatment:
        scaling = self.trained.scaling
        if not self._c:
            raise ValueError("the model has no condition: it was not trained at temperatures")
        varies = scaling.condition_scale[1:] > 0
        if condition is None and varies.any():
            raise ValueError(
                f"condition must be given: what follows 1000 K / T, shape ({self._c - 1},), varied "
                "in training"
            )
        others = scaling.condition_mean[1:]
        if condition is not None:
            others = finite_array(np.atleast_1d(condition), "condition", self._c - 1)

        def conditions(temperatures: Array) -> Array:
            rest = np.tile(others, (len(temperatures), 1))
            return scaling.condition(np.column_stack([1000 / temperatures, rest]))

        told = scaling.outside(np.concatenate([scaling.condition_mean[:1], others]))
        if told:
            warnings.warn(f"the model extrapolates: {told}", stacklevel=3)
        steps = self._steps(1.0, n_sites, n_patches)
        drifts = Drifts(self._stacked(), conditions, steps, self.substeps == 1)
        return Treatment(drifts, Rate(self.clock, self.step_events, time_scale))

    def _outside(
        self,
        ready: Treatment,
        roads: Sequence[Sequence[Stretch]],
        y: Array,
        temperatures: Array,
        relaxation: Array,
    ) -> tuple[Array, str]:
        """g at every record, and what was outside the training where the order still moved."""
        trained = self._trained()
        found, far = [0.0], [False, False]
        of_order = distance_outside(1000 / temperatures, trained, y)[1]
        tau = _last_known(relaxation)
        per_own_time = ready.drifts.steps.number
        for k, road in enumerate(roads, 1):
            g = found[-1]
            for stretch in road:
                middle = (stretch.temperatures[1:] + stretch.temperatures[:-1]) / 2
                beyond, _ = distance_outside(1000 / middle, trained, y[:1])
                steps = -np.diff(stretch.ahead) * per_own_time
                far[0] |= bool(np.any((beyond > 0) & (steps > 0)))
                g = remembered(np.maximum(beyond, of_order[k]), steps, float(tau[k]), g)
            found.append(g)
        far[1] = bool(np.any(of_order > 0))
        return np.array(found), self._extrapolates(temperatures, *far)

    def _extrapolates(self, temperatures: Array, too_far: bool, unknown_order: bool) -> str:
        """What to say of temperatures, or an order, outside the training; nothing within."""
        trained, told = self._trained(), []
        if too_far and trained is not None:
            low, high = sorted(1000 / trained)
            told.append(
                f"temperatures are {temperatures.min():g} to {temperatures.max():g} K, and were "
                f"{low:g} to {high:g} K in training"
            )
        if unknown_order:
            told.append("the order leaves what the training states had by more than three spreads")
        alone = "; one member cannot say how wrong it is"
        wider = "; the band is wider for it" if len(self.trained.members) > 1 else alone
        return "; ".join(told) + wider if told else ""


def _last_known(relaxation: Array) -> Array:
    """Slowest of the members' relaxation times at every record; where there is none, the last."""
    found, last = [], 1.0
    for own in relaxation.T:
        finite = own[np.isfinite(own)]
        last = float(finite.max()) if len(finite) else last
        found.append(last)
    return np.array(found)


def _warn_of_divergence(treated: HeatTreatment) -> None:
    """One warning of means or paths that are not finite to their end."""
    fine = np.isfinite(treated.members).all(axis=(0, 2)) & np.isfinite(treated.mean).all(axis=1)
    fine &= np.isfinite(treated.paths).all(axis=(0, 1, 3))
    if not fine.all():
        warnings.warn(
            f"means or paths diverged by {treated.times[np.argmin(fine)]:g} s: they left what the "
            "model was trained on",
            stacklevel=3,
        )
