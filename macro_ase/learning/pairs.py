"""What the likelihood sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..systems.base import PatchPairs

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PairBatch:
    """Increments of patches, each standing for every patch of its snapshot.

    Attributes
    ----------
    z0 : array, shape (n, d)
        Observables of the whole.
    dz : array, shape (n, d)
        Increment over one step dt, K times that of the patch.
    condition : array, shape (n, c)
        1000 K / T first, then what else the model is conditioned on.
    snapshot : int array, shape (n,)
        Snapshot that a pair belongs to: the unit of validation.
    mean : array, shape (n, d), optional
        An estimate of each increment's mean that has less noise than the increment.
    """

    z0: Array
    dz: Array
    condition: Array
    snapshot: NDArray[np.int64]
    mean: Array | None = None

    @classmethod
    def of(cls, pairs: Sequence[PatchPairs]) -> PairBatch:
        """All pairs of several calls, whose snapshots have different numbers."""
        names = ("z0", "dz", "condition", "snapshot")
        return cls(*(np.concatenate([getattr(p, name) for p in pairs]) for name in names))

    def __len__(self) -> int:
        return len(self.z0)

    def take(self, rows: NDArray[Any]) -> PairBatch:
        """The pairs of some rows (mask or numbers)."""
        mean = None if self.mean is None else self.mean[rows]
        own = (self.z0[rows], self.dz[rows], self.condition[rows], self.snapshot[rows])
        return PairBatch(*own, mean)


@dataclass(frozen=True)
class Scaling:
    """Affine maps to the networks' units; conditions that do not vary are dropped.

    Attributes
    ----------
    z_mean, z_scale : arrays, shape (d,)
    condition_mean, condition_scale : arrays, shape (c,)
        A scale of 0 marks a condition that does not vary.
    """

    z_mean: Array
    z_scale: Array
    condition_mean: Array
    condition_scale: Array

    @classmethod
    def of(cls, pairs: PairBatch) -> Scaling:
        """Means and standard deviations of the pairs."""
        return cls.of_states(pairs.z0, pairs.condition)

    @classmethod
    def of_states(cls, z: Array, condition: Array) -> Scaling:
        """Means and standard deviations of states, shape (n, d), and conditions, (n, c)."""
        spread = condition.std(axis=0)
        return cls(
            z.mean(axis=0),
            z.std(axis=0),
            condition.mean(axis=0),
            np.where(spread > 1e-9, spread, 0.0),
        )

    @property
    def n_conditions(self) -> int:
        """Conditions that vary."""
        return int(np.sum(self.condition_scale > 0))

    def z(self, z: Array) -> Array:
        """Observables in the networks' units."""
        return (z - self.z_mean) / self.z_scale

    def condition(self, condition: Array) -> Array:
        """Varying conditions in the networks' units."""
        use = self.condition_scale > 0
        scaled = (condition - self.condition_mean)[..., use]
        return scaled / self.condition_scale[use]
