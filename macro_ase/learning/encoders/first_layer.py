"""The fixed first layer of an encoder: given observables beside principal components of the state.

    S(x) = (phi*(x), s(x)),   s = W (x - <x>),   S' = (phi*'(x); W)

Columns of S' for some particles are quick to have, and S' S'^T costs nothing in the number of
coordinates N where phi*' is constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...arrays import Array
from ...observables.differentiable import Observables, States
from .principal_components import PrincipalComponents

ROWS = 512


@dataclass(frozen=True)
class Reduced:
    """What training needs of states, without any axis of length N."""

    s: Tensor
    given: Tensor
    gram: Tensor

    def take(self, rows: Tensor) -> Reduced:
        """Some states."""
        gram = self.gram if len(self.gram) == 1 else self.gram[rows]
        return Reduced(self.s[rows], self.given[rows], gram)


@dataclass(frozen=True)
class FirstLayer:
    """S = (phi*, s): what an encoder sees of a state."""

    observables: Observables
    components: PrincipalComponents

    @property
    def rows(self) -> Array:
        """W, shape (w, N)."""
        return self.components.directions / self.components.scale[:, None]

    def encode(self, states: States) -> Array:
        """(phi*, s), shape (n, m + w), of states, shape (n, N)."""
        s = self.components(states) / self.components.scale
        return np.concatenate([self.observables(states), s], axis=1)

    def jacobian(self, states: States, columns: NDArray[np.int64] | None = None) -> Array:
        """Columns of S', shape (n, m + w, k), the same k for every state, or k of each."""
        given, rows = self.observables.jacobian(states), self.rows
        if columns is not None and columns.ndim == 2:
            given = np.take_along_axis(given, columns[:, None, :], axis=2)
            within = rows[:, columns].transpose(1, 0, 2)
        else:
            use = slice(None) if columns is None else columns
            given, within = given[:, :, use], rows[None, :, use]
        parts = [np.broadcast_to(x, (len(states), *x.shape[1:])) for x in (given, within)]
        return np.concatenate(parts, axis=1)

    def rates(self, states: States, forces: Array) -> Array:
        """S' f, shape (n, m + w), of the forces on all particles, shape (n, N)."""
        given = (self.observables.jacobian(states) @ forces[..., None])[..., 0]
        return np.concatenate([given, forces @ self.rows.T], axis=1)

    def gram(self, states: States) -> Array:
        """S' S'^T, shape (n, m + w, m + w)."""
        gram = self.reduced(states).gram.numpy()
        return np.asarray(np.broadcast_to(gram, (len(states), *gram.shape[1:])))

    def reduced(self, states: States) -> Reduced:
        """What training needs, in blocks of rows."""
        rows, parts = self.rows, [states[k : k + ROWS] for k in range(0, len(states), ROWS)]
        within, m = rows @ rows.T, self.observables(states[:1]).shape[1]
        blocks = [_block_grams(self.observables, rows, within, part) for part in parts]
        gram = blocks[0] if len(blocks[0]) == 1 < len(states) else np.concatenate(blocks)
        seen = np.concatenate([self.encode(part) for part in parts])
        values = seen[:, m:], seen[:, :m], gram
        return Reduced(*(torch.as_tensor(x, dtype=torch.float64) for x in values))


def _block_grams(observables: Observables, rows: Array, within: Array, states: States) -> Array:
    given = observables.jacobian(states)
    m, across = given.shape[1], given @ rows.T
    gram = np.empty((len(given), m + len(rows), m + len(rows)))
    gram[:, :m, :m] = given @ given.transpose(0, 2, 1)
    gram[:, :m, m:], gram[:, m:, :m] = across, across.transpose(0, 2, 1)
    gram[:, m:, m:] = within
    return gram
