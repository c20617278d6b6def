"""Prey u and predators v on a line of cells.

    u' = u (1 - u - v) + D_u u_xx + noise,    v' = a v (u - b) + D_v v_xx + noise

Without noise (u, v) = (b, 1 - b) is the state of rest, reached in damped oscillations.
z = (mean u, mean v).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array
from ..kinetics.predator_prey import PredatorPreyParameters
from ..observables.field_moments import second_moments, squared_gradients
from .base import Closure, Condition, Plan, States
from .compiled_field import CompiledFieldSystem


@dataclass(frozen=True)
class PredatorPrey(CompiledFieldSystem):
    """Prey and predators on ``n_cells`` cells; the parameters are those of the module's equation.

    Parameters
    ----------
    n_cells : int
    a, b : float
        How fast predators grow and the density of prey that they need.
    diffusion_u, diffusion_v : float
    noise : float
        Per square root of time.
    noise_kind : {"lattice", "white"}
    boundary : {"neumann", "periodic"}
    spacing : float
        Edge of a cell.

    Attributes
    ----------
    means, amplitudes : (float, float)
        Ranges of m and k of `initial` waves.
    half_waves : float
        Of these on the line.

    Raises
    ------
    ValueError
        If a number makes no sense.
    """

    fields = ("u", "v")
    names = ("mean u", "mean v")
    cellwise = True
    means, amplitudes, half_waves = (0.45, 0.55), (0.05, 0.15), 10.0
    closures: ClassVar[Mapping[str, Closure]] = {
        "moments": second_moments,
        "gradients": squared_gradients,
    }

    n_cells: int = 200
    a: float = 3.0
    b: float = 0.4
    diffusion_u: float = 0.0
    diffusion_v: float = 1.0
    noise: float = 0.02
    noise_kind: str = "lattice"
    boundary: str = "neumann"
    spacing: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("a", "b"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("diffusion_u", "diffusion_v"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")

    @property
    def grid(self) -> tuple[int, ...]:
        """Cells of the line."""
        return (self.n_cells,)

    @property
    def cell(self) -> float:
        """Edge of a cell."""
        return self.spacing

    def _cells(self, cells: int, edge: float) -> dict[str, Any]:
        return {"n_cells": cells, "spacing": edge}

    @property
    def parameters(self) -> PredatorPreyParameters:
        """The equation's numbers, as the kernels take them."""
        area = self.spacing**2
        return PredatorPreyParameters(
            float(self.a), float(self.b), self.diffusion_u / area, self.diffusion_v / area
        )

    @property
    def fastest_decay(self) -> float:
        """Of the shortest wave: 4 D / h^2 and, for densities from 0 to 1, 2 of prey or a b."""
        numbers = self.parameters
        return max(4 * numbers.diffusion_u + 2, 4 * numbers.diffusion_v + numbers.a * numbers.b)

    def observe(self, fields: ArrayLike) -> Array:
        """Mean u and mean v, shape (n_replicas, 2)."""
        means: Array = np.asarray(fields, dtype=float).mean(axis=-1)
        return means

    def initial(
        self, number: int, shape: tuple[int, ...], condition: Condition, rng: np.random.Generator
    ) -> Array:
        """Waves of ``half_waves``, their means and amplitudes drawn from the ranges."""
        m, k = (rng.uniform(*limits, number) for limits in (self.means, self.amplitudes))
        return self.on_grid(*shape).wave(m, k, self.half_waves)

    def start(
        self, plan: Plan, start: Any, number: int, condition: Condition, rng: np.random.Generator
    ) -> States:
        """Copies of one large state: of a wave (m, k), or as `FieldSystem.start`."""
        if not isinstance(start, tuple):
            return super().start(plan, start, number, condition, rng)
        large = self.at(condition).on_grid(plan.large)
        return large.wave(np.full(number, start[0]), start[1], self.half_waves)

    def wave(self, m: ArrayLike, k: ArrayLike, waves: float = 10.0) -> Array:
        """Waves u = m + k cos(waves pi x), v = 1 - u, with x from 0 to 1 along the line.

        Parameters
        ----------
        m, k : float or array, shape (n_replicas,)
            Mean and amplitude.
        waves : float
            Half waves on the line; whole numbers meet the walls evenly.

        Returns
        -------
        array, shape (n_replicas, 2, n_cells)
        """
        x = (np.arange(self.n_cells) + 0.5) / self.n_cells
        means, sizes = np.broadcast_arrays(np.atleast_1d(m), np.atleast_1d(k))
        u = means[:, None] + sizes[:, None] * np.cos(waves * np.pi * x)
        return np.stack([u, 1 - u], axis=1)
