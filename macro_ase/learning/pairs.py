"""What the likelihood sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array, as_columns, as_conditions, finite_array, whole_numbers
from ..systems.base import PatchPairs

ALIKE = 1e-9
SAME = 1e-6
SAME_K = 0.05
ROUNDING = 8 * np.finfo(float).eps
LATE = 0
"""Label of parts of runs in which a system is at rest (`models.run_parts`)."""


@dataclass(frozen=True)
class PairBatch:
    """Increments of patches, each standing for every patch of its snapshot.

    Attributes
    ----------
    z0 : array, shape (n, d)
        Observables of the whole; shape (n,) is one observable, here and in ``dz`` and ``mean``.
    dz : array, shape (n, d)
        Increment over one step dt, K times that of the patch.
    condition : array, shape (n, c)
        1000 K / T first, then what else the model is conditioned on; (n, 0) or None is nothing, one
        number stands for all pairs.
    snapshot : int array, shape (n,)
        Snapshot that a pair belongs to: the unit of validation. In a time series, neighbours in
        time are of one snapshot.
    mean : array, shape (n, d), optional
        An estimate of each increment's mean that has less noise than the increment.
    run : int array, shape (n,), optional
        The simulation that a pair comes from: what members of an ensemble draw with replacement,
        so that their spread holds what the number of simulations leaves open.
    past : array, shape (n, d), optional
        The past of every z0, as `observables.past` has it.

    Raises
    ------
    ValueError
        If the arrays do not match, or hold what is no finite number.
    """

    z0: Array
    dz: Array
    condition: Array
    snapshot: NDArray[np.int64]
    mean: Array | None = None
    run: NDArray[np.int64] | None = None
    past: Array | None = None

    def __post_init__(self) -> None:
        z0 = as_columns(self.z0, "z0")
        n, d = z0.shape
        if not d:
            raise ValueError("z0 holds no observable: it has shape (n, 0)")
        own: dict[str, NDArray[Any]] = {
            "z0": z0,
            "dz": finite_array(as_columns(self.dz, "dz"), "dz", n, d),
            "condition": as_conditions(self.condition, n),
            "snapshot": whole_numbers(self.snapshot, "snapshot", n),
        }
        for name, value in {"mean": self.mean, "past": self.past}.items():
            if value is not None:
                own[name] = finite_array(as_columns(value, name), name, n, d)
        if self.run is not None:
            own["run"] = whole_numbers(self.run, "run", n)
        for name, value in own.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, pairs: Sequence[PatchPairs], tau_w: ArrayLike = 1.0) -> PairBatch:
        """All pairs of several calls, whose snapshots have different numbers."""
        if not len(pairs):
            raise ValueError("there are no pairs to join")
        columns = {np.shape(p.z0)[1:] + np.shape(p.condition)[1:] for p in pairs}
        if len(columns) > 1:
            raise ValueError("pairs of different observables or conditions cannot be joined")
        tau = np.broadcast_to(finite_array(tau_w, "tau_w", *np.shape(tau_w)), len(pairs))
        steps = np.concatenate([p.dt / t for p, t in zip(pairs, tau)])
        if np.ptp(steps) > SAME * np.abs(steps).max():
            raise ValueError(
                f"pairs of different steps cannot be joined: dt / tau_w is {steps.min():g} to "
                f"{steps.max():g}; give tau_w where dt differs as residence times do"
            )
        numbers = [float(np.mean(p.n_patches)) for p in pairs]
        if max(numbers) > (1 + SAME_K) * min(numbers):
            raise ValueError(
                f"pairs of different K cannot be joined: {min(numbers):g} to {max(numbers):g}"
            )
        names = ("z0", "dz", "condition", "snapshot")
        return cls(*(np.concatenate([getattr(p, name) for p in pairs]) for name in names))

    def __len__(self) -> int:
        return len(self.z0)

    def take(self, rows: NDArray[Any]) -> PairBatch:
        """The pairs of some rows (mask or numbers)."""
        own = (self.z0[rows], self.dz[rows], self.condition[rows], self.snapshot[rows])
        more = (self.mean, self.run, self.past)
        return PairBatch(*own, *(None if x is None else x[rows] for x in more))


def linear_residuals(
    states: Array, dz: Array, condition: Array
) -> Iterator[tuple[NDArray[np.bool_], Array]]:
    """Rows of every condition that has enough of them, and dz less its linear fit to the states."""
    for own in np.unique(condition, axis=0):
        rows = np.all(condition == own, axis=1)
        if rows.sum() <= 2 * states.shape[1] + 2:
            continue
        x = np.column_stack([np.ones(rows.sum()), states[rows]])
        yield rows, dz[rows] - x @ np.linalg.lstsq(x, dz[rows], rcond=None)[0]


@dataclass(frozen=True)
class Scaling:
    """Affine maps to the networks' units; conditions that do not vary are dropped.

    Attributes
    ----------
    z_mean, z_scale : arrays, shape (d,)
    condition_mean, condition_scale : arrays, shape (c,)
        A scale of 0 marks a condition that does not vary.
    condition_range : array, shape (2, c), optional
        Least and largest of each condition; None where it was not kept.
    """

    z_mean: Array
    z_scale: Array
    condition_mean: Array
    condition_scale: Array
    condition_range: Array | None = None

    def __post_init__(self) -> None:
        z_mean = finite_array(self.z_mean, "z_mean", None)
        c_mean = finite_array(self.condition_mean, "condition_mean", None)
        d, c = len(z_mean), len(c_mean)
        own = {
            "z_mean": z_mean,
            "z_scale": finite_array(self.z_scale, "z_scale", d),
            "condition_mean": c_mean,
            "condition_scale": finite_array(self.condition_scale, "condition_scale", c),
        }
        if self.condition_range is not None:
            kept = np.asarray(self.condition_range, dtype=float).reshape(2, -1)
            own["condition_range"] = finite_array(kept, "condition_range", 2, c)
        for name, value in own.items():
            object.__setattr__(self, name, value)
        still = np.flatnonzero(~(self.z_scale > 0))
        if len(still):
            raise ValueError(
                f"observable {still[0]} (counted from 0) does not vary, it is "
                f"{self.z_mean[still[0]]:g} in all pairs: leave it out"
            )

    @classmethod
    def of(cls, pairs: PairBatch) -> Scaling:
        """Means and standard deviations of the pairs."""
        return cls.of_states(pairs.z0, pairs.condition)

    @classmethod
    def of_states(cls, z: Array, condition: Array) -> Scaling:
        """Means and standard deviations of states, shape (n, d), and conditions, (n, c)."""
        if not len(z):
            raise ValueError("there are no states to learn from")
        spread = condition.std(axis=0)
        moves = np.ptp(z, axis=0) > ROUNDING * np.abs(z).max(axis=0)
        return cls(
            z.mean(axis=0),
            np.where(moves, z.std(axis=0), 0.0),
            condition.mean(axis=0),
            np.where(spread > ALIKE * np.abs(condition).max(axis=0), spread, 0.0),
            np.array([condition.min(axis=0), condition.max(axis=0)]),
        )

    @property
    def n_conditions(self) -> int:
        """Conditions that vary."""
        return int(np.sum(self.condition_scale > 0))

    def lists(self) -> dict[str, list[Any]]:
        """All of it as lists by name, from which ``Scaling(**lists)`` makes the same."""
        return {name: value.tolist() for name, value in vars(self).items() if value is not None}

    def z(self, z: Array) -> Array:
        """Observables in the networks' units."""
        return (z - self.z_mean) / self.z_scale

    def condition(self, condition: Array) -> Array:
        """Varying conditions in the networks' units."""
        use = self.condition_scale > 0
        scaled = (condition - self.condition_mean)[..., use]
        return scaled / self.condition_scale[use]

    def outside(self, condition: Array) -> str:
        """What of a condition, shape (c,), is outside the range of training; "" if nothing is."""
        if self.condition_range is None:
            return ""
        least, most = self.condition_range
        slack = SAME * np.maximum(np.abs(least), np.abs(most))
        beyond = (condition < least - slack) | (condition > most + slack)
        return ", ".join(
            f"condition {k} is {condition[k]:g}, and was {least[k]:g} to {most[k]:g} in training"
            for k in np.flatnonzero(beyond)
        )
