"""The atoms of one cut-out as Monte Carlo sees them: compiled for an EAM table, else by calls.

Both propose by the same compiled rules and draw random numbers in the same order, so that for
the same energies they make the same moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from ...kinetics.eam_swaps import metropolis
from ...kinetics.random import uniform
from ...kinetics.site_moves import (
    SpeciesBias,
    bias_change,
    choose_move,
    propose,
    relocate,
)
from ...patches import CutOut
from ...potentials.eam_table import EAMTable
from ..belongings import exchange
from ..swaps.eam_lattice import EAMLattice
from ..swaps.moves import (
    Displacement,
    Move,
    NeighbourSwap,
    SiteMove,
    cumulative_chances,
    kernel_moves,
)
from ..swaps.neighbours import nearest_pairs, neighbourhood
from .local_energy import energy_without_vacancies

Ints = NDArray[np.int64]


class PatchSites(Protocol):
    """What `PatchMC` asks of either.

    Attributes
    ----------
    cut : CutOut
    origin : int array, shape (n,)
        Where in the cut-out what an atom of it holds was at the start.
    """

    cut: CutOut
    origin: Ints

    def run(
        self, betas: NDArray[np.float64], attempts: int, rng: NDArray[np.uint64], tally: Ints
    ) -> tuple[float, int]:
        """Attempt moves, and let ``cut.atoms`` follow.

        Returns the change of the energy (eV), and the attempts made: fewer than wanted when an
        atom has gone so far that a new cut-out is needed.
        """


class TableSites:
    """Sites of an embedded-atom table; only species change.

    Parameters
    ----------
    cut : CutOut
    table : EAMTable
    moves : sequence of SiteMove
    bias : SpeciesBias
    """

    def __init__(
        self, cut: CutOut, table: EAMTable, moves: Sequence[Move], bias: SpeciesBias
    ) -> None:
        self.cut, self.bias = cut, bias
        self.lattice = EAMLattice.from_atoms(cut.atoms, table)
        self.state = self.lattice.state(self.lattice.codes(cut.atoms))
        self.origin = np.arange(len(cut.atoms))
        self._moves, self._chances = kernel_moves(moves)
        self._numbers = np.array([atomic_numbers.get(name, -1) for name in self.lattice.species])

    def run(
        self, betas: NDArray[np.float64], attempts: int, rng: NDArray[np.uint64], tally: Ints
    ) -> tuple[float, int]:
        n, s = self.cut.n_active, len(self.lattice.species)
        no_bonds = np.zeros((0, s, s), dtype=np.int64)
        change = metropolis(
            self.lattice.tables,
            self.state,
            np.arange(n),
            self.cut.n_core,
            self._moves,
            self._chances,
            self.bias,
            betas,
            attempts,
            rng,
            tally,
            no_bonds,
            self.origin,
        )
        self.cut.atoms.numbers[:n] = self._numbers[self.state.occupation[:n]]
        return float(change), attempts


class CalculatorSites:
    """Atoms of any ASE calculator; species change, and positions.

    Parameters
    ----------
    cut : CutOut
    calculator : ase Calculator
    species : tuple of str
        Symbol of each species code, ``X`` last.
    moves : sequence of Move
    bias : SpeciesBias
    reference_A : array, shape (n, 3)
        Positions for which the cut-out was made.
    free_A : float
        How far from there an atom may go before a new one is needed.

    Attributes
    ----------
    occupation : int8 array, shape (n,)
        Species codes of the atoms of the cut-out.
    """

    def __init__(
        self,
        cut: CutOut,
        calculator: Any,
        species: Sequence[str],
        moves: Sequence[Move],
        bias: SpeciesBias,
        reference_A: NDArray[np.float64],
        free_A: float,
    ) -> None:
        self._free_A, self._wandered, self._start = free_A, False, reference_A
        self.cut, self.calculator, self.moves, self.bias = cut, calculator, moves, bias
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
        self._energy = energy_without_vacancies(cut.atoms, calculator)

    def run(
        self, betas: NDArray[np.float64], attempts: int, rng: NDArray[np.uint64], tally: Ints
    ) -> tuple[float, int]:
        start = self._energy
        for attempt in range(attempts):
            number = choose_move(self._chances, rng)
            beta = betas[min(attempt, len(betas) - 1)]
            move = self.moves[number]
            if isinstance(move, Displacement):
                old, new, accepted = self._displace(move.width_A, beta, rng)
            else:
                old, new, accepted = self._exchange(move, beta, rng)
            tally[number, 0, old, new] += 1
            tally[number, 1, old, new] += accepted
            if self._wandered:
                return self._energy - start, attempt + 1
        return self._energy - start, attempts

    def _exchange(self, move: Move, beta: float, rng: NDArray[np.uint64]) -> tuple[int, int, bool]:
        """A move of species."""
        assert isinstance(move, SiteMove)
        i, j, new = propose(
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
        old = int(self.occupation[i])
        if old == new:
            return old, new, False
        extra = 0.0
        if j < 0:
            counts = np.bincount(self.occupation[self._active], minlength=self._vacancy + 1)
            extra = bias_change(self.bias, counts, old, new)
        self._make(i, j, new)
        accepted = self._decide(extra, beta, rng)
        if not accepted:
            self._make(i, j, old)
        elif j >= 0 and old == self._vacancy:
            relocate(self._vacancies, i, j)
        elif j >= 0 and new == self._vacancy:
            relocate(self._vacancies, j, i)
        return old, new, accepted

    def _displace(
        self, width_A: float, beta: float, rng: NDArray[np.uint64]
    ) -> tuple[int, int, bool]:
        i = int(uniform(rng) * self.cut.n_active)
        step = width_A * np.array([2 * uniform(rng) - 1 for _ in range(3)])
        species = int(self.occupation[i])
        if species == self._vacancy:
            return species, species, False
        before = self.cut.atoms.positions[i].copy()
        self.cut.atoms.positions[i] += step
        accepted = self._decide(0.0, beta, rng)
        if not accepted:
            self.cut.atoms.positions[i] = before
        away = np.linalg.norm(self.cut.atoms.positions[i] - self._start[i])
        self._wandered = bool(away > self._free_A)
        return species, species, accepted

    def _decide(self, extra: float, beta: float, rng: NDArray[np.uint64]) -> bool:
        """Metropolis rule for the cut-out as it is now; ``extra`` (eV) is added to the change."""
        energy = energy_without_vacancies(self.cut.atoms, self.calculator)
        cost = energy - self._energy + extra
        if cost > 0 and uniform(rng) >= np.exp(-beta * cost):
            return False
        self._energy = energy
        return True

    def _make(self, i: int, j: int, new: int) -> None:
        """Let two sites exchange what they hold, or, if j < 0, one turn into another species."""
        if j < 0:
            self.occupation[i], self.cut.atoms.numbers[i] = new, self._numbers[new]
            return
        pair, turned = np.array([i, j]), np.array([1, 0])
        exchange(self.cut.atoms, pair, turned)
        for held in (self.occupation, self.origin):
            held[pair] = held[pair[turned]]
