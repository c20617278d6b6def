"""Barriers that depend on the hopping species alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .barrier_tables import register


class ConstantTables(NamedTuple):
    """Arrays of a model with one barrier a species, on one grid; the vacancy is the last of S."""

    targets: NDArray[np.int32]  # (n_basis, Z) padded offsets of the hop targets
    reach: NDArray[np.int32]  # (n_basis, Z) the same: all that the barriers depend on
    barriers: NDArray[np.float64]  # (S,) eV; inf of the vacancy


@compiled
def constant_barriers(
    tables: ConstantTables,
    padded: NDArray[np.int8],
    site: int,
    basis: int,
    out: NDArray[np.float64],
) -> int:
    """Barriers of the Z hops; see `barriers_at`."""
    near = 0
    for d in range(tables.targets.shape[1]):
        hopping = padded[site + tables.targets[basis, d]]
        out[d] = tables.barriers[hopping]
        near += hopping == tables.barriers.size - 1
    return near


register(ConstantTables, constant_barriers)
