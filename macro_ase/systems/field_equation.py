"""Stochastic field equations on grids, in one or two dimensions, and how they move.

    du = f(u) dt + g(u) dW     (Ito),     f(u) of the cell and its neighbours, any number of fields

Fields are float64 arrays of shape (n_replicas, n_fields, *grid): (columns,) or (rows, columns).
Noise is independent from cell to cell, of variance ``noise**2 t`` for "lattice" and ``noise**2 t /
h**n_axes`` for "white", which has a limit as the spacing h goes to 0, times ``amplitude(u)**2``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..kinetics.field_steps import SCHEMES
from ..kinetics.stencils import BOUNDARIES
from ..reals import as_real, require_positive
from ..rng import Seed, coerce_rng
from .attributes import Attributes
from .field_atoms import FieldAtoms
from .field_steps import Ends, advance, middle, rates_of

NOISE_KINDS = ("lattice", "white")
STABLE = {"euler-maruyama": 2.0, "rk4": 2.785}
"""Largest |rate| dt of a decaying mode that each scheme damps (E. Hairer and G. Wanner, *Solving
Ordinary Differential Equations II*, Springer 1996, section IV.2)."""


class FieldEquation(Attributes, FieldAtoms, ABC):
    """An equation on a grid of cells; its attributes are those of `field.FieldSystem`."""

    cells: int | tuple[int, ...] = 64
    axes: int = 1
    spacing: float = 1.0
    boundary: str = "neumann"
    ghost: int = 1
    noise: float = 0.0
    noise_kind: str = "lattice"
    low: float = -math.inf
    high: float = math.inf
    time_step: float = 0.0

    def __post_init__(self) -> None:
        if self.boundary not in ("neumann", "periodic"):
            raise ValueError(f"boundary must be neumann or periodic, not {self.boundary!r}")
        if self.noise_kind not in NOISE_KINDS:
            kinds = ", ".join(NOISE_KINDS)
            raise ValueError(f"noise_kind must be one of {kinds}, not {self.noise_kind!r}")
        if len(self.grid) not in (1, 2):
            raise ValueError(f"a grid has 1 or 2 axes, not {len(self.grid)}")
        least = max(2, self.ghost)
        if min(self.grid) < least:
            raise ValueError(
                f"a grid needs at least {least} cells along each axis, not {self.grid}"
            )
        if not 0 <= as_real(self.noise) < math.inf:
            raise ValueError(f"noise must be 0 or more, not {self.noise}")
        require_positive(self.cell, "the spacing")

    @property
    def grid(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return (self.cells,) * self.axes if isinstance(self.cells, int) else tuple(self.cells)

    @property
    def cell(self) -> float:
        """Edge of a cell."""
        return self.spacing

    def on_grid(self, cells: int, coarser: float = 1.0) -> Self:
        """The same equation on a grid of other cells, with the same noise per area.

        Parameters
        ----------
        cells : int
            Along each axis.
        coarser : float
            Edge of its cells, in those of this system.
        """
        lattice = self.noise_kind == "lattice"
        noise = self.noise / np.sqrt(coarser ** len(self.grid)) if lattice else self.noise
        return self.changed(noise=float(noise), **self._cells(cells, self.cell * coarser))

    def _cells(self, cells: int, edge: float) -> dict[str, Any]:
        """Attributes of a grid of so many cells along each axis, of this edge."""
        return {"cells": cells, "spacing": edge}

    def equation(self, *fields: Array) -> Array | tuple[Array, ...]:
        """Rates f(u) of the fields, each of shape (n_replicas, *cells), without ghost cells.

        Parameters
        ----------
        *fields : arrays, shape (n_replicas, *(cells + 2 ghost))
            One for each name in ``fields``, with its ghost cells.
        """
        raise NotImplementedError(f"{type(self).__name__} needs equation({', '.join(self.fields)})")

    def amplitude(self, *fields: Array) -> float | Array | tuple[Array, ...]:
        """Noise of each field over ``noise``, from the fields without ghost cells; 1 by default."""
        return 1.0

    @abstractmethod
    def observe(self, states: Any) -> Array:
        """Macroscopic observables, shape (n_replicas, d): means over cells."""

    @property
    def fastest_decay(self) -> float:
        """Rate of the fastest mode that decays, for fields of ordinary size; 0: not known."""
        return 0.0

    @property
    def cell_noise(self) -> float:
        """Standard deviation of the noise of a cell of amplitude 1 after unit time."""
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
        return STABLE[scheme] / self.fastest_decay if self.fastest_decay else math.inf

    def rates(self, fields: ArrayLike) -> Array:
        """Deterministic right-hand side, of the shape of the fields."""
        return rates_of(self, self.pad(fields), self.ends)

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
        return np.stack(list(self.frames(fields, times, dt, rng, scheme)), axis=1)

    def direct(
        self,
        fields: ArrayLike,
        times: ArrayLike,
        dt: float,
        rng: Seed = None,
        scheme: str = "euler-maruyama",
    ) -> Array:
        """Observables at given times, shape (n_replicas, n_times, d); arguments as in `run`."""
        frames = self.frames(fields, times, dt, rng, scheme)
        return np.stack([self.observe(x) for x in frames], axis=1)

    def frames(
        self,
        fields: ArrayLike,
        times: ArrayLike,
        dt: float,
        rng: Seed = None,
        scheme: str = "euler-maruyama",
    ) -> Iterator[Array]:
        """As `run`, one time after another."""
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
        self,
        padded: Array,
        n_steps: int,
        dt: float,
        scheme: str,
        states: NDArray[np.uint64],
        ends: Ends | None = None,
        sign: int = 1,
    ) -> None:
        """Steps of fields with ghost cells; they and the generators' states change in place.

        Parameters
        ----------
        padded : array, shape (n_replicas, n_fields, *(cells + 2 ghost))
            Of the grid, or of a part of it.
        n_steps, dt, scheme
        states : uint64 array, shape (n_replicas, 4)
            As of `replica_states`.
        ends : tuple of (int, int), optional
            Codes of the boundaries at the two ends of each axis; the system's own by default.
        sign : {1, -1}
            -1 turns every random number over.

        Raises
        ------
        FloatingPointError
            If the fields grow beyond all bounds.
        """
        self._advance(padded, n_steps, dt, scheme, states, ends or self.ends, sign)
        if not np.isfinite(padded).all():
            raise FloatingPointError(f"the fields grew beyond all bounds within {n_steps} steps")

    def _advance(self, *inputs: Any) -> None:
        advance(self, *inputs)

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
    def ends(self) -> Ends:
        """Codes of the boundaries at the two ends of each axis."""
        code = BOUNDARIES[self.boundary]
        return ((code, code),) * len(self.grid)

    def pad(self, fields: ArrayLike) -> Array:
        """A copy with ghost cells yet to be set."""
        axes = len(self.grid)
        return np.pad(self.check(fields), ((0, 0),) * 2 + ((self.ghost,) * 2,) * axes, mode="edge")

    def unpad(self, padded: Array) -> Array:
        """A copy without ghost cells, shape (n_replicas, n_fields, *grid)."""
        return middle(padded, self.ghost).copy()


def replica_states(rng: Seed, n_replicas: int) -> NDArray[np.uint64]:
    """States of the kernels' generators, shape (n_replicas, 4)."""
    return coerce_rng(rng).integers(1, 2**64, size=(n_replicas, 4), dtype=np.uint64)
