"""The Allen-Cahn equation on a square: phases v = 1 and v = -1, and the wall between them.

    v' = lap v - (v^3 - v) / eps^2 + noise,    E = int |grad v|^2 / 2 + (v^2 - 1)^2 / (4 eps^2)

Without noise the free energy E only falls: v' = -dE/dv. A flat wall is tanh(x / (sqrt(2) eps)).
z = E.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter

from ..arrays import Array
from ..kinetics.allen_cahn import AllenCahnParameters
from ..observables.field_moments import squared_gradients, third_moment
from .base import Closure, Condition
from .compiled_field import CompiledFieldSystem

WALL_WIDTH = 10 / 200 / (2 * math.sqrt(2) * math.atanh(0.9))
"""eps of a wall that goes from -.9 to .9 over ten of 200 cells of a square of edge 1."""


@dataclass(frozen=True)
class AllenCahn(CompiledFieldSystem):
    """An order parameter on n_side x n_side cells of a square.

    Parameters
    ----------
    n_side : int
    width : float
        eps, a length: it does not change with the number of cells.
    boundary : {"neumann", "periodic"}
    noise : float
        Per square root of time.
    noise_kind : {"lattice", "white"}
    edge : float
        Of the square.

    Attributes
    ----------
    means, contrast, grain : (float, float), float, float
        Of `initial` states.

    Raises
    ------
    ValueError
        If a number makes no sense.
    """

    fields = ("v",)
    names = ("free energy",)
    means, contrast, grain = (-0.3, 0.3), 0.5, 2.0

    n_side: int = 200
    width: float = WALL_WIDTH
    boundary: str = "neumann"
    noise: float = 0.0
    noise_kind: str = "white"
    edge: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.width > 0:
            raise ValueError(f"width must be above 0, not {self.width}")

    @property
    def grid(self) -> tuple[int, ...]:
        """Cells along both axes."""
        return (self.n_side, self.n_side)

    @property
    def cell(self) -> float:
        """Edge of a cell."""
        return self.edge / self.n_side

    def _cells(self, cells: int, edge: float) -> dict[str, Any]:
        return {"n_side": cells, "edge": cells * edge}

    @property
    def usual_step(self) -> float:
        """.1 h^2, the time step of the published runs."""
        return 0.1 * self.cell**2

    @property
    def parameters(self) -> AllenCahnParameters:
        """The equation's numbers, as the kernels take them."""
        return AllenCahnParameters(self.cell**-2, self.width**-2)

    @property
    def fastest_decay(self) -> float:
        """Of the shortest wave in either phase: 8 / h^2 + 2 / eps^2."""
        return 8 * self.cell**-2 + 2 * self.width**-2

    def observe(self, fields: ArrayLike) -> Array:
        """Free energy, shape (n_replicas, 1)."""
        return self.free_energy(fields)[:, None]

    def free_energy(self, fields: ArrayLike) -> Array:
        """E of fields, shape (n_replicas,)."""
        v = self.check(fields)[:, 0]
        slopes = np.diff(v, axis=1), np.diff(v, axis=2)
        gradient = sum((slope**2).sum(axis=(1, 2)) for slope in slopes)
        if self.boundary == "periodic":
            gradient = gradient + ((v[:, 0] - v[:, -1]) ** 2).sum(axis=1)
            gradient = gradient + ((v[:, :, 0] - v[:, :, -1]) ** 2).sum(axis=1)
        wells = ((v**2 - 1) ** 2).sum(axis=(1, 2)) / (4 * self.width**2)
        energy: Array = gradient / 2 + wells * self.cell**2
        return energy

    def initial(
        self, number: int, shape: tuple[int, ...], condition: Condition, rng: np.random.Generator
    ) -> Array:
        """Both phases mixed in grains of ``grain`` cells, with a mean drawn from ``means``.

        Noise is smoothed and brought to a spread of ``contrast`` around the mean.
        """
        mode = "wrap" if self.boundary == "periodic" else "reflect"
        noise = gaussian_filter(
            rng.normal(size=(number, *shape)), self.grain, mode=mode, axes=(1, 2)
        )
        centre, spread = (f(axis=(1, 2), keepdims=True) for f in (noise.mean, noise.std))
        means = rng.uniform(*self.means, (number, 1, 1))
        fields: Array = means + self.contrast * (noise - centre) / spread
        return fields[:, None]

    def torus(self, outer: ArrayLike, inner: ArrayLike) -> Array:
        """Rings of the phase 1 around the middle, shape (n_replicas, 1, n_side, n_side).

        Parameters
        ----------
        outer, inner : float or array, shape (n_replicas,)
            Radii, in the unit of the edge.
        """
        axis = (np.arange(self.n_side) + 0.5) * self.cell - self.edge / 2
        distance = np.hypot(axis[:, None], axis)
        radii = np.broadcast_arrays(np.atleast_1d(outer), np.atleast_1d(inner))
        wide, narrow = (
            np.tanh((r[:, None, None] - distance) / (math.sqrt(2) * self.width)) for r in radii
        )
        rings: Array = wide - narrow - 1
        return rings[:, None]


class AllenCahnMeans(AllenCahn):
    """The same square, described by its mean order parameter and its free energy per area."""

    names = ("mean v", "free energy per area")  # type: ignore[assignment]
    closures: ClassVar[Mapping[str, Closure]] = {
        "moments": third_moment,
        "gradients": squared_gradients,
    }

    def observe(self, states: ArrayLike) -> Array:
        """Mean v and E over the area, shape (n_replicas, 2)."""
        fields = self.check(states)
        return np.stack([fields.mean(axis=(1, 2, 3)), self.free_energy(fields) / self.edge**2], 1)
