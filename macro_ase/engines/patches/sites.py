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
from ...kinetics.site_moves import SpeciesBias, choose_move
from ...patches import CutOut
from ...potentials.eam_table import EAMTable
from ..swaps.eam_lattice import EAMLattice
from ..swaps.moves import Displacement, Move, kernel_moves
from .local_energy import energy_without_vacancies
from .proposed_sites import Ints, ProposedSites, metropolis_accepts


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
        sites, s = np.arange(self.cut.n_active), len(self.lattice.species)
        no_bonds = np.zeros((0, s, s), dtype=np.int64)
        change = metropolis(
            self.lattice.tables,
            self.state,
            sites,
            self.cut.n_core,
            self.lattice.vacancies(self.state, sites),
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
        self.cut.atoms.numbers[sites] = self._numbers[self.state.occupation[sites]]
        return float(change), attempts


class CalculatorSites(ProposedSites):
    """Atoms of any ASE calculator; species change, and positions.

    Parameters
    ----------
    cut, species, moves, bias
        As of `ProposedSites`.
    calculator : ase Calculator
    reference_A : array, shape (n, 3)
        Positions for which the cut-out was made.
    free_A : float
        How far from there an atom may go before a new one is needed.
    """

    def __init__(
        self,
        cut: CutOut,
        species: Sequence[str],
        moves: Sequence[Move],
        bias: SpeciesBias,
        calculator: Any,
        reference_A: NDArray[np.float64],
        free_A: float,
    ) -> None:
        super().__init__(cut, species, moves, bias)
        self._free_A, self._wandered, self._start = free_A, False, reference_A
        self.calculator = calculator
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
        i, j, new = self._propose(move, rng)
        old = int(self.occupation[i])
        if old == new:
            return old, new, False
        extra = self._extra(j, old, new)
        self._make(i, j, new)
        accepted = self._decide(extra, beta, rng)
        self._settle(i, j, old, new, accepted)
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
        accepted = metropolis_accepts(energy - self._energy + extra, beta, rng)
        if accepted:
            self._energy = energy
        return accepted
