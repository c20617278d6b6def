"""Hysteresis: the order parameter along a loop of its field.

The field goes h_0 -> -h_0 -> h_0 in equal steps at a given rate, and what is driven lags behind:

    area = -loop integral of m dh        work done on it in a cycle, turned into heat
    coercive field                       |h| at which m changes sign
    remanence                            |m| left at h = 0
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from ..arrays import Array
from ..engines.spins.ensemble import SpinEnsemble
from ..engines.spins.models import CurieWeiss, Ising
from ..kinetics.ising import MAGNETISATION
from ..rng import Seed, coerce_rng

Drive = Callable[[float, float], float]


@dataclass(frozen=True)
class HysteresisLoop:
    """Order parameter and field over whole cycles.

    Attributes
    ----------
    field : array, shape (n_cycles, 2, n + 1)
        Falling branch from h_0 to -h_0, then rising, ends included.
    magnetization : array, shape (n_cycles, 2, n + 1)
        At the end of the time spent at each field.
    rate : float
        |dh/dt|.
    """

    field: Array
    magnetization: Array
    rate: float

    @property
    def area(self) -> Array:
        """Area of each cycle, shape (n_cycles,); positive where m lags behind h."""
        areas: Array = -np.trapezoid(self.magnetization, self.field, axis=-1).sum(axis=-1)
        return areas

    @property
    def coercive_field(self) -> Array:
        """|h| at which m changes sign, mean of both branches, shape (n_cycles,); nan if never."""
        signs = np.array([-1.0, 1.0])
        roots = [
            [s * _first_zero(h, m) for s, h, m in zip(signs, fields, values)]
            for fields, values in zip(self.field, self.magnetization)
        ]
        mean: Array = np.mean(roots, axis=1)
        return mean

    @property
    def remanence(self) -> Array:
        """|m| at h = 0, mean of both branches, shape (n_cycles,)."""
        left = [
            [np.interp(0, -h[0], m[0]), -np.interp(0, h[1], m[1])]
            for h, m in zip(self.field, self.magnetization)
        ]
        mean: Array = np.mean(left, axis=1)
        return mean


def hysteresis_loop(
    drive: Drive, amplitude: float, rate: float, steps: int = 100, cycles: int = 1
) -> HysteresisLoop:
    """Drive a system around its field.

    Parameters
    ----------
    drive : callable
        ``drive(field, duration)`` sets the field, lets the system evolve for that time (in the
        unit of ``rate``), and returns its magnetisation. Any driver or kernel can be wrapped so.
    amplitude : float
        h_0 > 0.
    rate : float
        |dh/dt|: each of the steps of 2 h_0 / ``steps`` lasts that over ``rate``.
    steps : int
        Of each branch. A step should be shorter than the system's memory: what catches up within
        each step shows too small a loop.
    cycles : int
        The first still remembers the initial state.

    Returns
    -------
    HysteresisLoop

    Raises
    ------
    ValueError
        If an amount is not above 0.
    """
    for name, amount in (
        ("amplitude", amplitude),
        ("rate", rate),
        ("steps", steps),
        ("cycles", cycles),
    ):
        if not amount > 0:
            raise ValueError(f"{name} must be above 0, not {amount}")
    falling = np.linspace(amplitude, -amplitude, steps + 1)
    duration = 2 * amplitude / steps / rate
    last = drive(amplitude, duration)
    branches = np.empty((cycles, 2, steps + 1))
    with tqdm(total=2 * cycles * steps, desc="field loop", disable=None, unit="step") as bar:
        for branch, fields in zip(branches.reshape(-1, steps + 1), cycles * [falling, -falling]):
            branch[0] = last
            for i in range(1, steps + 1):
                branch[i] = drive(float(fields[i]), duration)
                bar.update()
            last = branch[-1]
    return HysteresisLoop(np.tile([falling, -falling], (cycles, 1, 1)), branches, rate)


def glauber_drive(
    model: Ising | CurieWeiss, temperature: float, seed: Seed = None, replicas: int = 1
) -> Drive:
    """A `hysteresis_loop`'s drive: Glauber dynamics of a spin model, from all spins up.

    Parameters
    ----------
    model : Ising or CurieWeiss
        Its own field is replaced. Time is in attempts a site.
    temperature : float
    seed : int, SeedSequence, Generator or None
    replicas : int
        Independent systems whose mean magnetisation is returned.
    """
    rng = coerce_rng(seed)
    spins = np.ones((replicas, model.n_sites), dtype=np.int8)

    def drive(field: float, duration: float) -> float:
        driven = SpinEnsemble(replace(model, field=field), spins, temperature, rng)
        driven.advance(duration)
        spins[:] = driven.spins
        return float(driven.tally[:, MAGNETISATION].mean() / model.n_sites)

    return drive


def _first_zero(field: Array, magnetization: Array) -> float:
    """Field at which a branch first changes sign, interpolated linearly."""
    changes = np.flatnonzero(magnetization[:-1] * magnetization[1:] <= 0)
    if len(changes) == 0:
        return np.nan
    i = changes[0]
    m0, m1 = magnetization[i], magnetization[i + 1]
    share = 0.0 if m0 == m1 else m0 / (m0 - m1)
    return float(field[i] + share * (field[i + 1] - field[i]))
