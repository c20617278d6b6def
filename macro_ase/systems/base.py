"""The protocol of a microscopic system, and the data that it hands over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array


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


class MicroSystem(Protocol):
    """What a study asks of a system; a user's own class that has these methods will do.

    States are integer or float arrays with the sites on the last axis. Seeds are
    `numpy.random.SeedSequence`, one per item, so that results do not depend on order.

    Attributes
    ----------
    event, time_unit : str
        What counts as one event of a patch, and the unit of times, for people.
    record_events : float
        Mean events of a patch between two samples of a small run.
    substeps : int
        Of the model's paths within a step, see `learning.macro_model`.
    """

    event: ClassVar[str]
    time_unit: ClassVar[str]
    record_events: ClassVar[float]
    substeps: ClassVar[int]

    @property
    def z_names(self) -> tuple[str, ...]:
        """Names of the observables."""

    def least_small_events(self, longest_step: float) -> float:
        """Events of a small run whose stationary half holds twice the longest lag of a scan."""

    def condition(self, temperature: float) -> Array:
        """What the model is conditioned on at a temperature, shape (c,)."""

    def small_trajectory(
        self, temperature: float, n_events: float, seed: np.random.SeedSequence
    ) -> Trajectory:
        """A run of the small system from a typical initial state."""

    def upsample(
        self,
        state: NDArray[np.int8],
        temperature: float,
        healing_events: float,
        seed: np.random.SeedSequence,
    ) -> tuple[NDArray[np.int8], Array]:
        """A large state like a small one, and what measures how well its seams healed.

        Every patch evolves for ``healing_events`` mean events before the state is used.
        """

    def patch_pairs(
        self,
        state: NDArray[np.int8],
        temperature: float,
        dt: float,
        snapshot: int,
        seed: np.random.SeedSequence,
    ) -> PatchPairs:
        """Every patch of a large state evolved alone for a time."""

    def direct(
        self,
        state: NDArray[np.int8],
        temperature: float,
        times: Array,
        seed: np.random.SeedSequence,
    ) -> tuple[Array, Array]:
        """Observables (n_t, d) and further ones (n_t, e) of the whole, evolved from a state."""
