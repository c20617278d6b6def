"""Energies of swaps by a potential whose atoms' energies are computed for many clusters at a time.

A swap of sites i and j changes the energies of the atoms near them, C, and these follow from the
cluster around (`patches.clusters`):

    dE = sum_{a in C} (E_a after - E_a before).

What was before is remembered, so that a swap costs one cluster; where an atom of C was never asked
for, it costs two. Swaps of many states are one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...arrays import Array
from ...site_cells import SiteCells
from ..patches.cluster_sites import batched_energies
from ..patches.clusters import Cluster, SiteGraph
from ..patches.local_energy import checked_energy
from .walks import Codes, Held, Ints, Swap


class ClusterEnergy:
    """`SwapEnergy` of a calculator with batched energies on the ideal sites of a crystal.

    Parameters
    ----------
    cells : SiteCells
    calculator : ase Calculator
        MACE, or one with the attribute ``batched_energies``.
    numbers : int array, shape (S,)
        Atomic number of each species code.

    Raises
    ------
    ValueError
        If the calculator has no batched energies.
    """

    def __init__(self, cells: SiteCells, calculator: Any, numbers: Ints) -> None:
        energies = batched_energies(calculator)
        if energies is None:
            raise ValueError("the calculator has no batched energies: use CutOutEnergy")
        self.calculator, self.energies, self.numbers = calculator, energies, np.asarray(numbers)
        self.crystal = cells.atoms()
        self.graph = SiteGraph(self.crystal, energies.cutoff_A, energies.layers)

    def begin(self, occupation: Codes, active: Ints) -> Held:
        """A state with these species codes, copied, of which some sites may change."""
        codes = np.array(occupation, dtype=np.int8)
        memory = {"numbers": self.numbers[codes], "energies": np.full(len(codes), np.nan)}
        return Held(codes, active, memory)

    def changes(self, swaps: Sequence[Swap]) -> Array:
        """Energy changes of swaps of different states, eV, in one batch."""
        asked = [self._clusters(swap) for swap in swaps]
        found = iter(self.energies([cluster for _, clusters in asked for cluster in clusters]))
        changes = []
        for swap, (sites, clusters) in zip(swaps, asked, strict=True):
            after, *before = (next(found) for _ in clusters)
            memory = swap.held.memory
            if before:
                memory["energies"][sites] = before[0]
            memory["asked"] = sites, after
            changes.append(after.sum() - memory["energies"][sites].sum())
        return np.array(changes)

    def accept(self, swap: Swap) -> None:
        """Make the swap that was asked for last of its state."""
        memory, (sites, after) = swap.held.memory, swap.held.memory["asked"]
        for held in (swap.held.occupation, memory["numbers"]):
            held[[swap.i, swap.j]] = held[[swap.j, swap.i]]
        memory["energies"][sites] = after

    def check(self, occupation: Codes) -> None:
        """Raise ValueError if the calculator cannot do the crystal with these species codes."""
        crystal = self.crystal.copy()
        crystal.numbers = self.numbers[occupation]
        checked_energy(crystal, self.calculator)

    def _clusters(self, swap: Swap) -> tuple[Ints, list[Cluster]]:
        """Sites whose energies change; their cluster after the swap and, if not known, before."""
        pair, turned = [swap.i, swap.j], [swap.j, swap.i]
        numbers, known = swap.held.memory["numbers"], swap.held.memory["energies"]
        numbers[pair] = numbers[turned]
        sites, after = self.graph.around(pair, numbers)
        numbers[pair] = numbers[turned]
        if np.isnan(known[sites]).any():
            return sites, [after, self.graph.around(pair, numbers)[1]]
        return sites, [after]
