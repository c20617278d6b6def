"""Field equations that are compiled: the rates of `kinetics.field_rates`, one layer of ghosts."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Array
from ..kinetics.field_steps import SCHEMES, advance, rates_of
from ..kinetics.stencils import NEUMANN, Boundary
from .field import FieldSystem
from .field_steps import Ends


class CompiledFieldSystem(FieldSystem):
    """An equation registered with `kinetics.field_rates`, with additive noise."""

    @property
    @abstractmethod
    def parameters(self) -> Any:
        """The equation's numbers, as the kernels take them."""

    def rates(self, fields: ArrayLike) -> Array:
        """Deterministic right-hand side, of the shape of the fields."""
        padded = as_rows(self.pad(fields))
        out = np.zeros_like(padded)
        rates_of(padded, self.parameters, sides(self.ends), out)
        return self.unpad(out if len(self.grid) == 2 else out[:, :, 1])

    def _advance(
        self,
        padded: Array,
        n_steps: int,
        dt: float,
        scheme: str,
        states: NDArray[np.uint64],
        ends: Ends,
        sign: int,
    ) -> None:
        rows, noise = as_rows(padded), sign * self.cell_noise
        advance(rows, self.parameters, sides(ends), noise, dt, n_steps, SCHEMES[scheme], states)
        if rows is not padded:
            padded[...] = rows[:, :, 1]


def as_rows(padded: Array) -> Array:
    """Fields with ghost cells as kernels take them: a line becomes a grid of one row."""
    return np.repeat(padded[:, :, None], 3, axis=2) if padded.ndim == 3 else padded


def sides(ends: Ends) -> Boundary:
    """Codes of the ends as kernels take them."""
    (top, bottom), (left, right) = ((NEUMANN, NEUMANN), *ends)[-2:]
    return top, bottom, left, right
