"""A model at constant temperatures: where a system of any size ends, and how long that takes.

The way is the mean without noise (`mean_path`); of a system of blocks (`paths`) with what the noise
of one does to it, by pairs of paths. Fluctuations in equilibrium are steps of the model
itself: every path jumps to the Gaussian law around its member's rest (`treated_paths`), goes on
for four slowest relaxation times, which bring in what is not straight in the drift, and is looked
at during eight more. No more than `MOST_TAKEN` steps are taken: beyond, the law of the jump holds.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Array, finite_array
from ...counts import require_count
from ...memory import require_memory
from ...rng import stream
from ...schedule import Schedule
from .annealing import Treatment
from .equilibria import Equilibria
from .heat_treatment import distance_outside
from .mean_path import MeanPath
from .own_time import no_scale
from .times_to import LONG, held, held_times
from .transforming import Transforming
from .treated_paths import Jump, Leg, slowest, walk

SETTLED, SAMPLED, SAMPLES, MOST_TAKEN = 4.0, 8.0, 16, 20_000
PAIRED, MARKS = 64, 40
"""Paths, and times at which they are looked at, that say what noise does to the mean."""


class Equilibrating(Transforming):
    """Equilibria of a model; `MacroModel` gives the attributes."""

    def equilibrate(
        self,
        temperatures: ArrayLike,
        z0: ArrayLike,
        n_sites: float | None = None,
        n_patches: float | None = None,
        paths: int = 50,
        seed: int | np.random.SeedSequence = 0,
        condition: ArrayLike | None = None,
    ) -> Equilibria:
        """Equilibrium of a size at every temperature, and the relaxation to it from a start.

        Warns, once, of temperatures or an order outside what was trained, where errors and bands
        are wider, and of temperatures at which the model finds no rest.

        Parameters
        ----------
        temperatures : array, shape (n_T,)
            In K.
        z0 : array, shape (d,)
        n_sites, n_patches : float, optional
            As in `MacroModel.simulate`.
        paths : int
            Of every member; each is looked at 16 times.
        seed : int or SeedSequence
        condition : array, shape (c - 1,), optional
            What follows 1000 K / T; default what it was in training, where it did not vary.

        Raises
        ------
        ValueError
            In one line, before any work.
        """
        asked = finite_array(np.atleast_1d(temperatures), "temperatures", None)
        if not len(asked) or asked.min() <= 0:
            raise ValueError(f"temperatures must be above 0 K, not {asked.tolist()}")
        number = require_count(paths, "paths", 1)
        z = finite_array(np.atleast_1d(z0), "z0", self._d)
        start = self._spread(self.trained.scaling.z(z))
        ready = self._treatment(n_sites, n_patches, condition, no_scale)
        members, times = len(self.trained.members), held_times()
        room = 8.0 * members * self._d * (4 * SAMPLES * number + 3 * len(times)) * len(asked)
        require_memory(room, f"{members} x {number} paths at {len(asked)} temperatures")
        seeds = seed if isinstance(seed, np.random.SeedSequence) else stream(seed, "equilibrate")
        rows = [
            self._equilibrium(ready, start, float(t), number, own)
            for t, own in zip(asked, seeds.spawn(len(asked)))
        ]
        ways, samples, far = (np.array(own) for own in zip(*rows))
        self._warn_of_rows(asked, ways, far)
        clock = times[:, None] / np.array([ready.rate(t) for t in asked])
        own, on_the_way = far.max(axis=2).T
        found = self._unscaled(samples), clock, self._unscaled(ways)
        return Equilibria(asked, *found, own, on_the_way, self.z_names)

    def _unscaled(self, y: Array) -> Array:
        """z, shape (M, n, n_T, d), from scaled values by temperature, (n_T, M, n, d)."""
        return self._observed(np.moveaxis(y, 0, 2))

    def _equilibrium(
        self,
        ready: Treatment,
        start: Array,
        temperature: float,
        paths: int,
        seed: np.random.SeedSequence,
    ) -> tuple[Array, Array, Array]:
        """Of one temperature, scaled: ways (M, n_t, d), samples (M, paths times samples, d).

        Then distances outside of 1000 K / T and of the order, shape (2, 2): at rest, on the way.
        """
        drifts, mean = ready.drifts, held(ready.drifts, start, temperature)
        path = mean(held_times())
        rest = path[:-1, -1:]
        relaxation = slowest(drifts, rest, np.array([temperature]))
        finite = relaxation[np.isfinite(relaxation)]
        memory = float(finite.max()) if len(finite) else 1.0
        steps = min((SETTLED + SAMPLED) * memory, MOST_TAKEN) / (SETTLED + SAMPLED)
        settling = np.full(int(np.ceil(SETTLED * steps)), temperature)
        between = np.full(int(np.ceil(SAMPLED * steps / SAMPLES)), temperature)
        jump = Jump(LONG * drifts.steps.number, 0.0, LONG, LONG, temperature)
        sample = Leg(temperatures=between, record=True)
        plan = [Leg(jump), Leg(temperatures=settling), *[sample] * SAMPLES]
        walked = walk(drifts, plan, mean, np.tile(start, (paths, 1)), seed)[0][:, :, 1:]
        if drifts.steps.blocks > 1:
            centre = walked.mean(axis=1, keepdims=True)
            walked = walked - centre + centre.mean(axis=2, keepdims=True)
        samples = walked.reshape(len(walked), -1, walked.shape[-1])
        inverse = np.array([1000 / temperature])
        far = [distance_outside(inverse, self._trained(), y) for y in (path[-1, -1:], path[-1])]
        ways = path[:-1, :, : self._d]
        if drifts.steps.blocks > 1 and len(finite):
            ways = ways + self._moved(ready, start, mean, temperature, memory, seed.spawn(1)[0])
        return (
            ways,
            samples,
            np.array([[float(np.nan_to_num(x).max()) for x in own] for own in far]),
        )

    def _moved(
        self,
        ready: Treatment,
        start: Array,
        mean: MeanPath,
        temperature: float,
        memory: float,
        seed: np.random.SeedSequence,
    ) -> Array:
        """What noise does to scaled means at `held_times`, shape (M, n_t, d)."""
        per_second = ready.rate(temperature)
        end = (SETTLED + SAMPLED) * memory / ready.drifts.steps.number
        marks = end * np.linspace(0, 1, MARKS + 1) ** 2
        hold, z = Schedule.hold(temperature, end / per_second), self._observed(start)
        treated, _ = self._treated(ready, hold, z, PAIRED, marks[1:] / per_second, seed)
        moved = self.trained.scaling.z(treated.members) - mean(marks)[:-1, :, : self._d]
        each = [[np.interp(held_times(), marks, x) for x in own.T] for own in moved]
        return np.array(each).swapaxes(1, 2)

    def _warn_of_rows(self, temperatures: Array, ways: Array, far: Array) -> None:
        """One warning of what extrapolates, one of temperatures without rest."""
        told = self._extrapolates(temperatures, bool(far[..., 0].any()), bool(far[..., 1].any()))
        if told:
            warnings.warn(f"the model extrapolates: {told}", stacklevel=3)
        lost = ~np.isfinite(ways[:, :, -1]).all(axis=(1, 2))
        if lost.any():
            kelvin = ", ".join(f"{t:g}" for t in temperatures[lost])
            warnings.warn(f"the model finds no rest at {kelvin} K", stacklevel=3)
