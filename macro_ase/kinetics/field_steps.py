"""Steps of stochastic field equations dx = f(x) dt + g dW, with additive noise of every cell.

Euler-Maruyama:  x <- x + f(x) dt + g sqrt(dt) N
Runge-Kutta 4:   x <- x + (k1 + 2 k2 + 2 k3 + k4) dt / 6 + g sqrt(dt) N

Fields are kept with a border of ghost cells (`kinetics.stencils`). Numbers are drawn inside the
loop, by a generator for each replica, so that a replica does not depend on what runs beside it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from . import allen_cahn, predator_prey  # noqa: F401  (their rates must be registered)
from .copying import copy_into
from .field_rates import field_rates
from .normal import normal_pair
from .stencils import Boundary, fill_ghosts

EULER_MARUYAMA, RUNGE_KUTTA_4 = range(2)
SCHEMES = {"euler-maruyama": EULER_MARUYAMA, "rk4": RUNGE_KUTTA_4}


@compiled
def _add_scaled(x: NDArray[np.float64], factor: float, y: NDArray[np.float64]) -> None:
    """x <- x + factor y, flat."""
    for i in range(x.size):
        x[i] += factor * y[i]


@compiled
def _set_sum(
    out: NDArray[np.float64], x: NDArray[np.float64], factor: float, y: NDArray[np.float64]
) -> None:
    """out <- x + factor y, flat."""
    for i in range(x.size):
        out[i] = x[i] + factor * y[i]


@compiled
def _runge_kutta(
    x: NDArray[np.float64],
    parameters: Any,
    boundary: Boundary,
    dt: float,
    scratch: NDArray[np.float64],
) -> None:
    """One deterministic step; ``scratch`` has shape (3, *x.shape), 0 in its ghost cells."""
    total, rate, stage = scratch[0], scratch[1], scratch[2]
    fill_ghosts(x, boundary)
    field_rates(parameters, x, rate)
    copy_into(total.ravel(), rate.ravel())
    for ahead, weight in ((0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
        _set_sum(stage.ravel(), x.ravel(), ahead * dt, rate.ravel())
        fill_ghosts(stage, boundary)
        field_rates(parameters, stage, rate)
        _add_scaled(total.ravel(), weight, rate.ravel())
    _add_scaled(x.ravel(), dt / 6.0, total.ravel())


@compiled
def _add_noise(x: NDArray[np.float64], size: float, rng: NDArray[np.uint64]) -> None:
    """A normal number of a given size to every cell that is not a ghost."""
    kept, left = 0.0, False
    for k in range(x.shape[0]):
        for i in range(1, x.shape[1] - 1):
            for j in range(1, x.shape[2] - 1):
                if left:
                    x[k, i, j] += size * kept
                    left = False
                else:
                    number, kept = normal_pair(rng)
                    x[k, i, j] += size * number
                    left = True


@compiled
def fill_normals(out: NDArray[np.float64], rng: NDArray[np.uint64]) -> None:
    """Normal numbers for every replica, shape (n_replicas, n), from its own generator."""
    for r in range(len(out)):
        for k in range(0, out.shape[1] - 1, 2):
            out[r, k], out[r, k + 1] = normal_pair(rng[r])
        if out.shape[1] % 2:
            out[r, -1], _ = normal_pair(rng[r])


@compiled
def advance(
    padded: NDArray[np.float64],
    parameters: Any,
    boundary: Boundary,
    noise: float,
    dt: float,
    n_steps: int,
    scheme: int,
    rng: NDArray[np.uint64],
) -> None:
    """Steps of replicas; ``padded`` and ``rng`` change in place.

    Parameters
    ----------
    padded : float64 array, shape (n_replicas, n_fields, rows + 2, columns + 2)
    parameters : named tuple
        Of a registered equation.
    boundary : (int, int, int, int)
    noise : float
        g, per cell and square root of time; its sign turns every number over.
    dt : float
    n_steps : int
    scheme : int
        `EULER_MARUYAMA` or `RUNGE_KUTTA_4`.
    rng : uint64 array, shape (n_replicas, 4)
    """
    scratch = np.zeros((3, *padded.shape[1:]))
    size = noise * math.sqrt(dt)
    for r in range(len(padded)):
        x = padded[r]
        for _ in range(n_steps):
            if scheme == RUNGE_KUTTA_4:
                _runge_kutta(x, parameters, boundary, dt, scratch)
            else:
                fill_ghosts(x, boundary)
                field_rates(parameters, x, scratch[0])
                _add_scaled(x.ravel(), dt, scratch[0].ravel())
            if noise != 0.0:
                _add_noise(x, size, rng[r])


@compiled
def rates_of(
    padded: NDArray[np.float64],
    parameters: Any,
    boundary: Boundary,
    out: NDArray[np.float64],
) -> None:
    """Deterministic rates of replicas; ``out``, of the same shape, is filled but for its ghosts."""
    for r in range(len(padded)):
        fill_ghosts(padded[r], boundary)
        field_rates(parameters, padded[r], out[r])
