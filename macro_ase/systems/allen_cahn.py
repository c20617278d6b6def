"""The Allen-Cahn equation on a square: phases v = 1 and v = -1, and the wall between them.

    v' = lap v - (v^3 - v) / eps^2 + noise,    E = int |grad v|^2 / 2 + (v^2 - 1)^2 / (4 eps^2)

Without noise the free energy E only falls: v' = -dE/dv. A flat wall is tanh(x / (sqrt(2) eps)).
z = E.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Array
from ..kinetics.allen_cahn import AllenCahnParameters
from .field_system import FieldSystem

WALL_WIDTH = 10 / 200 / (2 * math.sqrt(2) * math.atanh(0.9))
"""eps of a wall that goes from -.9 to .9 over ten of 200 cells of a square of edge 1."""


@dataclass(frozen=True)
class AllenCahn(FieldSystem):
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

    Raises
    ------
    ValueError
        If a number makes no sense.
    """

    names: ClassVar[tuple[str, ...]] = ("v",)
    z_names: ClassVar[tuple[str, ...]] = ("free energy",)

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
        return gradient / 2 + wells * self.cell**2

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
        return (wide - narrow - 1)[:, None]
