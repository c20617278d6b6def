"""What a system hands over to a study: runs, large states, and what patches of these do.

Replicas come first in every array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array

States = NDArray[Any]


@dataclass(frozen=True)
class Trajectory:
    """A run of one system.

    Attributes
    ----------
    times : array, shape (n_t,)
        In the system's unit of time.
    z : array, shape (n_t, d)
        Macroscopic observables.
    states : array, shape (n_t_kept, ...)
        Microscopic states at the times ``kept``.
    kept : int array, shape (n_t_kept,)
        Rows of ``times`` whose states were kept.
    tau_w : float
        Mean residence time over the second half of the run: the system's clock.
    extra : array, shape (n_t, e)
        Further observables that are reported but not predicted.
    """

    times: Array
    z: Array
    states: NDArray[np.int8]
    kept: NDArray[np.int64]
    tau_w: float
    extra: Array


@dataclass(frozen=True)
class Snapshots:
    """States of one size under one condition.

    Attributes
    ----------
    states : array, shape (n, ...)
    run : int array, shape (n,)
        Which small run each comes from.
    """

    states: States
    run: NDArray[np.int64]


@dataclass(frozen=True)
class Increments:
    """What every patch of large states does in a time dt, each alone from the same state.

    Attributes
    ----------
    z0 : array, shape (n, d)
        Observables of the whole, then closure variables.
    dz : array, shape (n, K, d)
        K times the change of these by each patch; (n, m, d) of m chosen ones.
    mean : array, shape (n, K, d) or (n, d), optional
        The same with less noise: of each patch, or the mean over patches.
    met : int8 array, shape (n, K), optional
        1 where the patch met a neighbouring one.
    patch : int array, shape (n, m), optional
        Which of the K patches were chosen; None where all were evolved.
    n_patches : int, optional
        K, where not all were evolved.
    """

    z0: Array
    dz: Array
    mean: Array | None = None
    met: NDArray[np.int8] | None = None
    patch: NDArray[np.int64] | None = None
    n_patches: int | None = None


@dataclass(frozen=True)
class PatchPairs:
    """Increments of single patches of large snapshots, each evolved alone.

    Attributes
    ----------
    snapshot, patch : int arrays, shape (n,)
        Which large snapshot, and which of its patches.
    z0 : array, shape (n, d)
        Observables of the whole large snapshot.
    dz : array, shape (n, d)
        K times the change of the whole's observables: the patch stands for every patch.
    dt : array, shape (n,)
        Physical time evolved.
    n_patches : int array, shape (n,)
        K, patches in the large system.
    condition : array, shape (n, c)
        What the model is conditioned on.
    met : int8 array, shape (n,)
        1 where the patch met a neighbouring one, so that the two are not independent.
    """

    snapshot: NDArray[np.int64]
    patch: NDArray[np.int64]
    z0: Array
    dz: Array
    dt: Array
    n_patches: NDArray[np.int64]
    condition: Array
    met: NDArray[np.int8]

    @classmethod
    def of(
        cls, made: Increments, snapshots: NDArray[np.int64], dt: float, condition: Array
    ) -> PatchPairs:
        """Increments of patches of some snapshots, (n,), under one condition, (c,)."""
        n, k, d = made.dz.shape
        patch = np.tile(np.arange(k), n) if made.patch is None else made.patch.ravel()
        return cls(
            snapshot=np.repeat(snapshots, k),
            patch=patch,
            z0=np.repeat(made.z0, k, axis=0),
            dz=made.dz.reshape(n * k, d),
            dt=np.full(n * k, dt),
            n_patches=np.full(n * k, made.n_patches or k),
            condition=np.tile(condition, (n * k, 1)),
            met=np.zeros(n * k, dtype=np.int8) if made.met is None else made.met.ravel(),
        )
