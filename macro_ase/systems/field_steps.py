"""Steps of field equations that are written in numpy, all replicas at once.

    Euler:         u <- u + f(u) dt + g(u) sqrt(dt) N
    Runge-Kutta 4: the same with the mean of four rates in place of f(u)

Ghost cells, in as many layers as an equation needs, are set before every rate: a wall mirrors what
lies before it, a period repeats it, frozen surroundings stay. Numbers come from a generator for
each replica, so that a replica does not depend on what runs beside it.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..kinetics.field_steps import RUNGE_KUTTA_4, SCHEMES, fill_normals
from ..kinetics.stencils import GIVEN, NEUMANN

Ends = tuple[tuple[int, int], ...]
"""Codes of the boundaries at the two ends of each axis."""
LARGEST_RATIO = 1e100


class Equation(Protocol):
    """What steps ask of a field system."""

    ghost: int
    low: float
    high: float

    @property
    def fields(self) -> tuple[str, ...]:
        """Names."""

    @property
    def cell_noise(self) -> float:
        """Noise of a cell of amplitude 1."""

    def equation(self, *fields: Array) -> Array | tuple[Array, ...]:
        """Rates of the fields."""

    def amplitude(self, *fields: Array) -> float | Array | tuple[Array, ...]:
        """Noise of each field over that."""


def inside(field: Array, layers: int = 1) -> Array:
    """A field, shape (n_replicas, *cells), without its outer layers of cells."""
    return field[(slice(None), *[slice(layers, -layers)] * (field.ndim - 1))]


def middle(padded: Array, layers: int) -> Array:
    """Fields, shape (n_replicas, n_fields, *cells), without their outer layers of cells: a view."""
    return padded[(slice(None), slice(None), *[slice(layers, -layers)] * (padded.ndim - 2))]


def laplacian(field: Array, spacing: float) -> Array:
    """Sum of second differences over h^2; it takes one layer of cells away at every side.

    Parameters
    ----------
    field : array, shape (n_replicas, *cells)
        On a line or a square, ghost cells included.
    spacing : float
        h.
    """
    total = -2.0 * (field.ndim - 1) * inside(field)
    for axis in range(1, field.ndim):
        for neighbours in (slice(2, None), slice(None, -2)):
            where = [slice(None), *[slice(1, -1)] * (field.ndim - 1)]
            where[axis] = neighbours
            total += field[tuple(where)]
    return total / spacing**2


def fill_ghosts(padded: Array, ends: Ends, layers: int) -> None:
    """Set the ghost cells of fields, shape (n_replicas, n_fields, *(cells + 2 layers))."""
    for axis, (low, high) in enumerate(ends, 2):
        cells = np.moveaxis(padded, axis, 0)
        first, last = cells[layers : 2 * layers], cells[-2 * layers : -layers]
        if low != GIVEN:
            cells[:layers] = first[::-1] if low == NEUMANN else last
        if high != GIVEN:
            cells[-layers:] = last[::-1] if high == NEUMANN else first


def rates_of(system: Equation, padded: Array, ends: Ends) -> Array:
    """Rates of fields without their ghost cells, which are set first.

    Raises
    ------
    ValueError
        If the equation returns something of another shape.
    """
    fill_ghosts(padded, ends, system.ghost)
    given = system.equation(*np.moveaxis(padded, 1, 0))
    rates = given if isinstance(given, tuple) else (given,)
    wanted = tuple(n - 2 * system.ghost for n in padded.shape[2:])
    shapes = [np.shape(rate)[1:] for rate in rates]
    if shapes != [wanted] * len(system.fields):
        raise ValueError(
            f"{type(system).__name__}.equation must return {len(system.fields)} array(s) of "
            f"{wanted} cells, {system.ghost} layer(s) fewer at every side, not {shapes}"
        )
    return np.stack(rates, axis=1)


def advance(
    system: Equation,
    padded: Array,
    n_steps: int,
    dt: float,
    scheme: str,
    states: NDArray[np.uint64],
    ends: Ends,
    sign: int,
) -> None:
    """Steps of fields, in place; see `FieldSystem.advance_padded`."""
    x = middle(padded, system.ghost)
    slope = _runge_kutta if SCHEMES[scheme] == RUNGE_KUTTA_4 else _euler
    noise, numbers = system.cell_noise * math.sqrt(dt), np.empty((len(x), x[0].size))
    for _ in range(n_steps):
        change = dt * slope(system, padded, ends, dt)
        if noise == 0.0:
            x[...] = np.clip(x + change, system.low, system.high)
            continue
        fill_normals(numbers, states)
        size = noise * _amplitude(system, x)
        x[...] = _with_noise(system, x + change, size, sign * numbers.reshape(x.shape))


def _euler(system: Equation, padded: Array, ends: Ends, dt: float) -> Array:
    return rates_of(system, padded, ends)


def _runge_kutta(system: Equation, padded: Array, ends: Ends, dt: float) -> Array:
    stage, rate = padded.copy(), rates_of(system, padded, ends)
    inner, total = middle(stage, system.ghost), rate.copy()
    for ahead, weight in ((0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
        inner[...] = middle(padded, system.ghost) + ahead * dt * rate
        rate = rates_of(system, stage, ends)
        total += weight * rate
    return total / 6.0


def _amplitude(system: Equation, x: Array) -> Any:
    given = system.amplitude(*np.moveaxis(x, 1, 0))
    if isinstance(given, tuple):
        return np.stack([np.broadcast_to(part, x[:, 0].shape) for part in given], axis=1)
    return given if np.ndim(given) == 0 else np.asarray(given)[:, None]


def _with_noise(system: Equation, mean: Array, size: Any, numbers: Array) -> Array:
    """What Euler's step makes of its mean, between the limits."""
    if system.low == -math.inf:
        free: Array = np.minimum(mean + size * numbers, system.high)
        return free
    above = np.maximum(mean - system.low, 0.0)
    ratio = np.divide(size, above, out=np.full_like(above, LARGEST_RATIO), where=above > 0)
    variance = np.log1p(np.minimum(np.abs(ratio), LARGEST_RATIO) ** 2)
    factor = np.exp(np.sqrt(variance) * numbers - variance / 2)
    fields: Array = np.minimum(system.low + above * factor, system.high)
    return fields
