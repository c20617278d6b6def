"""Fields on grids as systems: what predator-prey and Allen-Cahn share.

Fields are float64 arrays of shape (n_replicas, n_fields, *grid): (columns,) or (rows, columns).
Noise is additive and independent from cell to cell, of variance ``noise**2 t`` for "lattice" and
``noise**2 t / h**n_axes`` for "white", which has a limit as the spacing h goes to 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..kinetics.field_steps import SCHEMES, advance, rates_of
from ..kinetics.stencils import BOUNDARIES, NEUMANN, Boundary
from ..reals import as_real, require_positive
from ..rng import Seed, coerce_rng
from .field_atoms import FieldAtoms

NOISE_KINDS = ("lattice", "white")
STABLE = {"euler-maruyama": 2.0, "rk4": 2.785}
"""Largest |rate| dt of a decaying mode that each scheme damps (E. Hairer and G. Wanner, *Solving
Ordinary Differential Equations II*, Springer 1996, section IV.2)."""


class FieldSystem(FieldAtoms, ABC):
    """Fields of one equation on a grid of cells; its subclasses are frozen dataclasses.

    Attributes
    ----------
    z_names : tuple of str
        Of the observables.
    noise : float
    noise_kind : {"lattice", "white"}
    """

    z_names: ClassVar[tuple[str, ...]]
    noise: float
    noise_kind: str

    def __post_init__(self) -> None:
        if self.boundary not in ("neumann", "periodic"):
            raise ValueError(f"boundary must be neumann or periodic, not {self.boundary!r}")
        if self.noise_kind not in NOISE_KINDS:
            kinds = ", ".join(NOISE_KINDS)
            raise ValueError(f"noise_kind must be one of {kinds}, not {self.noise_kind!r}")
        if min(self.grid) < 2:
            raise ValueError(f"a grid needs at least 2 cells along each axis, not {self.grid}")
        if not 0 <= as_real(self.noise) < math.inf:
            raise ValueError(f"noise must be 0 or more, not {self.noise}")
        require_positive(self.cell, "the spacing")

    @property
    @abstractmethod
    def parameters(self) -> Any:
        """The equation's numbers, as the kernels take them."""

    @property
    @abstractmethod
    def fastest_decay(self) -> float:
        """Rate of the fastest mode that decays, for fields of ordinary size."""

    @abstractmethod
    def observe(self, fields: ArrayLike) -> Array:
        """Macroscopic observables, shape (n_replicas, d)."""

    @property
    def cell_noise(self) -> float:
        """Standard deviation of the noise of a cell after unit time."""
        white = self.noise_kind == "white"
        return self.noise * (self.cell ** (-len(self.grid) / 2) if white else 1.0)

    def longest_step(self, scheme: str = "euler-maruyama") -> float:
        """Time step beyond which a scheme lets the shortest waves grow.

        Raises
        ------
        ValueError
            If there is no such scheme.
        """
        if scheme not in SCHEMES:
            raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}, not {scheme!r}")
        return STABLE[scheme] / self.fastest_decay

    def rates(self, fields: ArrayLike) -> Array:
        """Deterministic right-hand side, of the shape of the fields."""
        padded = self.pad(fields)
        out = np.zeros_like(padded)
        rates_of(padded, self.parameters, self.codes, out)
        return self.unpad(out)

    def advance(
        self,
        fields: ArrayLike,
        time: float,
        dt: float,
        rng: Seed = None,
        scheme: str = "euler-maruyama",
    ) -> Array:
        """Fields after a time, from those given, which are left as they are.

        Parameters
        ----------
        fields : array, shape (n_replicas, n_fields, *grid)
        time, dt : float
            The step is the largest that divides the time and is not above ``dt``.
        rng : seed
        scheme : {"euler-maruyama", "rk4"}

        Raises
        ------
        ValueError
            If a step is too long, or the fields do not fit.
        FloatingPointError
            If the fields grow beyond all bounds.
        """
        return self.run(fields, [time], dt, rng, scheme)[:, 0]

    def run(
        self,
        fields: ArrayLike,
        times: ArrayLike,
        dt: float,
        rng: Seed = None,
        scheme: str = "euler-maruyama",
    ) -> Array:
        """Fields at given times, shape (n_replicas, n_times, n_fields, *grid).

        Parameters
        ----------
        fields : array, shape (n_replicas, n_fields, *grid)
            At time 0.
        times : array, shape (n_times,)
            Ascending, from 0 or later.
        dt, rng, scheme
            As in `advance`, which also says what is raised.
        """
        return np.stack(list(self._frames(fields, times, dt, rng, scheme)), axis=1)

    def direct(
        self,
        fields: ArrayLike,
        times: ArrayLike,
        dt: float,
        rng: Seed = None,
        scheme: str = "euler-maruyama",
    ) -> Array:
        """Observables at given times, shape (n_replicas, n_times, d); arguments as in `run`."""
        frames = self._frames(fields, times, dt, rng, scheme)
        return np.stack([self.observe(x) for x in frames], axis=1)

    def _frames(
        self, fields: ArrayLike, times: ArrayLike, dt: float, rng: Seed, scheme: str
    ) -> Iterator[Array]:
        moments = np.atleast_1d(np.asarray(times, dtype=float))
        if moments[0] < 0 or np.any(np.diff(moments) < 0):
            raise ValueError("times must ascend from 0 or later")
        padded, now = self.pad(fields), 0.0
        states = replica_states(rng, len(padded))
        for moment in moments:
            n_steps = self.number_of_steps(moment - now, dt, scheme)
            step = (moment - now) / max(n_steps, 1)
            self.advance_padded(padded, n_steps, step, scheme, states)
            now = moment
            yield self.unpad(padded)

    def advance_padded(
        self, padded: Array, n_steps: int, dt: float, scheme: str, states: NDArray[np.uint64]
    ) -> None:
        """Steps of fields with ghost cells; they and the generators' states change in place.

        Raises
        ------
        FloatingPointError
            If the fields grow beyond all bounds.
        """
        numbers = (self.cell_noise, dt, n_steps, SCHEMES[scheme])
        advance(padded, self.parameters, self.codes, *numbers, states)
        if not np.isfinite(padded).all():
            raise FloatingPointError(f"the fields grew beyond all bounds within {n_steps} steps")

    def number_of_steps(self, time: float, dt: float, scheme: str = "euler-maruyama") -> int:
        """Steps of at most ``dt`` in a time.

        Raises
        ------
        ValueError
            If ``dt`` is not above 0 or too long to be stable.
        """
        longest = self.longest_step(scheme)
        if not 0 < as_real(dt) <= longest:
            raise ValueError(f"dt must be above 0 and at most {longest:.4g} for {scheme}, not {dt}")
        return math.ceil(time / dt - 1e-9)

    @property
    def codes(self) -> Boundary:
        """The boundary as the kernels take it."""
        code = BOUNDARIES[self.boundary]
        return (code if len(self.grid) == 2 else NEUMANN, code, code)

    def pad(self, fields: ArrayLike) -> Array:
        """A copy with ghost cells, shape (n_replicas, n_fields, rows + 2, columns + 2)."""
        return padded_copy(self.check(fields))

    def unpad(self, padded: Array) -> Array:
        """A copy without ghost cells, shape (n_replicas, n_fields, *grid)."""
        inner = padded[:, :, 1:-1, 1:-1]
        return np.ascontiguousarray(inner).reshape(len(padded), -1, *self.grid)


def padded_copy(fields: Array) -> Array:
    """Fields with a border of cells yet to be set; a line becomes a grid of one row."""
    rows = fields[:, :, None] if fields.ndim == 3 else fields
    return np.pad(rows, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")


def replica_states(rng: Seed, n_replicas: int) -> NDArray[np.uint64]:
    """States of the kernels' generators, shape (n_replicas, 4)."""
    return coerce_rng(rng).integers(1, 2**64, size=(n_replicas, 4), dtype=np.uint64)
