"""The parts of an attempt to change species on the sites of a cut-out, but for the energies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from ...kinetics.random import uniform
from ...kinetics.site_moves import SpeciesBias, bias_change, propose, relocate
from ...patches import CutOut
from ..belongings import exchange
from ..swaps.moves import Move, NeighbourSwap, SiteMove, cumulative_chances
from ..swaps.neighbours import nearest_pairs, neighbourhood

Ints = NDArray[np.int64]


class ProposedSites:
    """Atoms that propose moves of species to one another; the parts of an attempt.

    Parameters
    ----------
    cut : CutOut
    species : tuple of str
        Symbol of each species code, ``X`` last.
    moves : sequence of Move
    bias : SpeciesBias

    Attributes
    ----------
    occupation : int8 array, shape (n,)
        Species codes of the atoms of the cut-out.
    """

    def __init__(
        self, cut: CutOut, species: Sequence[str], moves: Sequence[Move], bias: SpeciesBias
    ) -> None:
        self.cut, self.moves, self.bias = cut, moves, bias
        self._numbers = np.array([atomic_numbers[name] for name in species])
        code = {number: c for c, number in enumerate(self._numbers)}
        self.occupation = np.array([code[z] for z in cut.atoms.numbers], dtype=np.int8)
        self.origin = np.arange(len(cut.atoms))
        self._role = (np.arange(len(cut.atoms)) < cut.n_active).astype(np.int8)
        self._active = np.arange(cut.n_active)
        wanted = any(isinstance(move, NeighbourSwap) for move in moves)
        pairs = nearest_pairs(cut.atoms) if wanted else (np.arange(0), np.arange(0), np.zeros(0))
        self._near = neighbourhood(pairs, len(cut.atoms))[0]
        self._most = int(self._near.nearest[: cut.n_active].max(initial=0))
        self._chances = cumulative_chances(moves)
        self._vacancy = len(species) - 1
        self._vacancies = np.flatnonzero(self.occupation[: cut.n_active] == self._vacancy)

    def _propose(self, move: Move, rng: NDArray[np.uint64]) -> tuple[int, int, int]:
        """A move of species: site i, site j (or -1), and the species that i shall have."""
        assert isinstance(move, SiteMove)
        return propose(
            move.code,
            self.occupation,
            self._active,
            self._role,
            self._near,
            self._most,
            self._vacancies,
            self.bias.allowed,
            rng,
        )

    def _extra(self, j: int, old: int, new: int) -> float:
        """What the ensemble adds to the energy change of a move, eV."""
        if j >= 0:
            return 0.0
        counts = np.bincount(self.occupation[self._active], minlength=self._vacancy + 1)
        return float(bias_change(self.bias, counts, old, new))

    def _make(self, i: int, j: int, new: int) -> None:
        """Let two sites exchange what they hold, or, if j < 0, one turn into another species."""
        if j < 0:
            self.occupation[i], self.cut.atoms.numbers[i] = new, self._numbers[new]
            return
        pair, turned = np.array([i, j]), np.array([1, 0])
        exchange(self.cut.atoms, pair, turned)
        for held in (self.occupation, self.origin):
            held[pair] = held[pair[turned]]

    def _settle(self, i: int, j: int, old: int, new: int, accepted: bool) -> None:
        """Keep a move that was made, or take it back."""
        if not accepted:
            self._make(i, j, old)
        elif j >= 0 and old == self._vacancy:
            relocate(self._vacancies, i, j)
        elif j >= 0 and new == self._vacancy:
            relocate(self._vacancies, j, i)


def metropolis_accepts(cost_eV: float, beta: float, rng: NDArray[np.uint64]) -> bool:
    """Metropolis rule; a random number is drawn only where the cost is above 0."""
    return bool(cost_eV <= 0 or uniform(rng) < np.exp(-beta * cost_eV))
