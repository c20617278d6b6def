"""Monte Carlo of species by the energies of the atoms that a move changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kinetics.site_moves import SpeciesBias, choose_move
from ...patches import CutOut
from ..swaps.moves import Move
from .clusters import Asking, AtomMemory, BatchedEnergies, SiteGraph, answer
from .proposed_sites import Ints, ProposedSites, metropolis_accepts


def batched_energies(calculator: Any) -> BatchedEnergies | None:
    """How the energies of a calculator are computed in batches; None where that is not known."""
    given: BatchedEnergies | None = getattr(calculator, "batched_energies", None)
    if given is None and getattr(calculator, "model_type", None) == "MACE":
        from .mace_energies import MACEEnergies

        return MACEEnergies(calculator) if MACEEnergies.can_do(calculator) else None
    return given


class ClusterSites(ProposedSites):
    """Atoms that stay where they are; only species change.

    The energy of every atom is kept, and what a network remembers of it, so that an attempt asks
    for one cluster.

    Parameters
    ----------
    cut, species, moves, bias
        As of `ProposedSites`.
    energies : BatchedEnergies
    """

    def __init__(
        self,
        cut: CutOut,
        species: Sequence[str],
        moves: Sequence[Move],
        bias: SpeciesBias,
        energies: BatchedEnergies,
    ) -> None:
        super().__init__(cut, species, moves, bias)
        self.energies = energies
        self.graph = SiteGraph(cut.atoms, energies.cutoff_A, energies.layers)
        self._kept_eV = np.zeros(len(cut.atoms))
        self._memory, numbers = AtomMemory(len(cut.atoms)), cut.atoms.numbers
        self._kept_eV[numbers != 0] = energies([self.graph.whole(numbers, self._memory)])[0]
        self._memory.keep()

    def run(
        self, betas: NDArray[np.float64], attempts: int, rng: NDArray[np.uint64], tally: Ints
    ) -> tuple[float, int]:
        return answer([self.attempts(betas, attempts, rng, tally)], self.energies)[0], attempts

    def attempts(
        self, betas: NDArray[np.float64], attempts: int, rng: NDArray[np.uint64], tally: Ints
    ) -> Asking[float]:
        """As `run`, yielding a cluster for each move; returns the change of the energy, eV."""
        total = 0.0
        for attempt in range(attempts):
            number = choose_move(self._chances, rng)
            beta = float(betas[min(attempt, len(betas) - 1)])
            i, j, new = self._propose(self.moves[number], rng)
            old, accepted = int(self.occupation[i]), False
            if old != new:
                change = yield from self._attempt(i, j, new, beta, rng)
                accepted = change is not None
                total += change or 0.0
            tally[number, 0, old, new] += 1
            tally[number, 1, old, new] += accepted
        return total

    def _attempt(
        self, i: int, j: int, new: int, beta: float, rng: NDArray[np.uint64]
    ) -> Asking[float | None]:
        """A move of species; the change of the energy, or None if it was taken back."""
        old = int(self.occupation[i])
        extra = self._extra(j, old, new)
        self._make(i, j, new)
        numbers = self.cut.atoms.numbers
        changed, cluster = self.graph.around([i] if j < 0 else [i, j], numbers, self._memory)
        energies = yield cluster
        now_eV = np.zeros(len(changed))
        now_eV[numbers[changed] != 0] = energies
        change = float(now_eV.sum() - self._kept_eV[changed].sum())
        accepted = metropolis_accepts(change + extra, beta, rng)
        self._settle(i, j, old, new, accepted)
        if not accepted:
            return None
        self._kept_eV[changed] = now_eV
        self._memory.keep()
        return change
