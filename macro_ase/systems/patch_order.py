"""The order of each patch of a crystal, whose mean over patches is that of the crystal."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..site_cells import SiteCells
from .alloy_crystals import Codes
from .alloy_swap import SwapAlloy


def patch_order(alloy: SwapAlloy, state: Codes) -> Array:
    """w of all patches of a state of the large system, of any cells, shape (K, d).

    Bond densities of the core, a bond across its border counted by half.
    """
    assert isinstance(alloy.large, SiteCells)
    size, found = len(alloy.species) + 1, []
    for active, n_core in map(alloy.patch, range(alloy.n_patches(state))):
        core, bonds = active[:n_core], []
        for near in alloy.large.shells(alloy.shells):
            pairs = size * state[core].astype(np.int64)[:, None] + state[near[core]]
            counts = np.bincount(pairs.ravel(), minlength=size**2).reshape(size, size)
            bonds.append((counts + counts.T) / 2)
        found.append(alloy.order.state(np.array(bonds), n_core))
    return np.array(found)
