"""Energies of swaps by a potential whose atoms' energies are computed for many clusters at a time.

A swap of sites i and j changes the energies of the atoms near them, C, and these follow from the
cluster around (`patches.clusters`):

    dE = sum_{a in C} (E_a after - E_a before).

Energies of a state's atoms are computed when it begins and remembered, with their features after
each layer where these are known, so that a swap costs one cluster. Clusters around pairs that lie
alike in the crystal have one shape. Swaps of many states are one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...arrays import Array
from ...site_cells import SiteCells
from ..patches.cluster_sites import batched_energies
from ..patches.clusters import AtomMemory, Cluster, ClusterShape, SiteGraph
from ..patches.local_energy import checked_energy
from .walks import Codes, Held, Ints, Swap

AT_A_TIME = 1024
"""Sites around which the energies of a state are computed at a time: memory is bounded."""


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
        self.cells = cells
        self._shapes: dict[tuple[int, int], tuple[ClusterShape, Ints, Ints]] = {}
        self.graph = SiteGraph(self.crystal, energies.cutoff_A, energies.layers)

    def begin(self, occupation: Codes, active: Ints) -> Held:
        """A state with these species codes, copied, of which some sites may change."""
        codes = np.array(occupation, dtype=np.int8)
        numbers, energies = self.numbers[codes], np.zeros(len(codes))
        atoms = AtomMemory(len(codes))
        for some in np.split(active, range(AT_A_TIME, len(active), AT_A_TIME)):
            sites, cluster = self.graph.around(some, numbers)
            energies[sites] = self.energies([cluster._replace(memory=atoms)])[0]
            atoms.keep()
        return Held(codes, active, {"numbers": numbers, "energies": energies, "atoms": atoms})

    def changes(self, swaps: Sequence[Swap]) -> Array:
        """Energy changes of swaps of different states, eV, in one batch."""
        asked = [self._after(swap) for swap in swaps]
        changes = []
        found = self.energies([cluster for _, cluster in asked])
        for swap, (sites, _), after in zip(swaps, asked, found, strict=True):
            memory = swap.held.memory
            memory["asked"] = sites, after
            changes.append(after.sum() - memory["energies"][sites].sum())
        return np.array(changes)

    def accept(self, swap: Swap) -> None:
        """Make the swap that was asked for last of its state."""
        memory, (sites, after) = swap.held.memory, swap.held.memory["asked"]
        for held in (swap.held.occupation, memory["numbers"]):
            held[[swap.i, swap.j]] = held[[swap.j, swap.i]]
        memory["energies"][sites] = after
        memory["atoms"].keep()

    def check(self, occupation: Codes) -> None:
        """Raise ValueError if the calculator cannot do the crystal with these species codes."""
        crystal = self.crystal.copy()
        crystal.numbers = self.numbers[occupation]
        checked_energy(crystal, self.calculator)

    def _after(self, swap: Swap) -> tuple[Ints, Cluster]:
        """Sites of atoms whose energies change, and their cluster after the swap."""
        pair, turned = [swap.i, swap.j], [swap.j, swap.i]
        numbers, atoms = (swap.held.memory[name] for name in ("numbers", "atoms"))
        sites, shape = self._around(swap.i, swap.j, atoms)
        numbers[pair] = numbers[turned]
        cluster = Cluster(numbers[sites], shape, sites, atoms)
        numbers[pair] = numbers[turned]
        return sites[shape.centre], cluster

    def _around(self, i: int, j: int, atoms: AtomMemory) -> tuple[Ints, ClusterShape]:
        """Sites of the atoms of the cluster around two sites of a state, and its shape."""
        cell, key = self.cells.as_from_first(i, j)
        if key not in self._shapes:
            everywhere = np.ones(self.cells.n_sites, dtype=np.int64)
            shape = self.graph.around(key, everywhere, atoms)[1].shape
            self._shapes[key] = shape, *self.cells.cell_and_basis(shape.sites)
        shape, cells, basis = self._shapes[key]
        return self.cells.site_of(cells + cell, basis), shape
