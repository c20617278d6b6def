"""The atoms of one cut-out as Monte Carlo displaces and swaps them: compiled for an EAM table.

Proposals and random numbers are those of `CalculatorSites`, so that the same moves are made. An
attempt costs the atoms within the cutoff of those that it moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from ...kinetics.eam_moves import DISPLACE, Trials, metropolis_moving
from ...kinetics.site_moves import SpeciesBias
from ...lattice import VACANCY
from ...patches import CutOut
from ...potentials.eam_calculator import TableEAM
from ..swaps.moves import Displacement, Move, cumulative_chances, move_codes
from ..swaps.neighbours import neighbourhood
from .eam_surroundings import EAMSurroundings
from .proposed_sites import Ints

NO_SITES = neighbourhood((np.arange(0), np.arange(0), np.zeros(0)), 0)[0]


class MovingTableSites:
    """Atoms of an embedded-atom table; species change, and positions.

    Parameters
    ----------
    cut : CutOut
    eam : TableEAM
    moves : sequence of Move
        No swaps of neighbours: these need sites that stay.
    bias : SpeciesBias
    free_A : float
        How far from where it is now an atom may go before a new cut-out is needed.
    """

    def __init__(
        self, cut: CutOut, eam: TableEAM, moves: Sequence[Move], bias: SpeciesBias, free_A: float
    ) -> None:
        self.cut, self.origin = cut, np.arange(len(cut.atoms))
        codes = np.array([_code(move) for move in moves])
        widths = np.array([getattr(move, "width_A", 0.0) for move in moves])
        self._trials = Trials(codes, widths, cumulative_chances(moves), bias, NO_SITES)
        names = (*eam.table.species, VACANCY)
        self._numbers = np.array([atomic_numbers.get(name, -1) for name in names])
        self._free_A, self._start = free_A, cut.atoms.positions[: cut.n_active].copy()
        trial_A = math.sqrt(3) * widths.max(initial=0.0)
        self._eam = EAMSurroundings(cut.atoms, cut.n_active, eam, free_A + trial_A / 2)
        self._eam.fill(cut.atoms)

    def run(
        self, betas: NDArray[np.float64], attempts: int, rng: NDArray[np.uint64], tally: Ints
    ) -> tuple[float, int]:
        change, done = metropolis_moving(
            self._eam.kernel,
            self._start,
            self._free_A,
            self._trials,
            betas,
            attempts,
            rng,
            tally,
            self.origin,
        )
        n, now = self.cut.n_active, self._eam.kernel.atoms
        self.cut.atoms.numbers[:n] = self._numbers[now.codes[:n]]
        self.cut.atoms.positions[:n] = now.places[:n]
        return float(change), int(done)


def _code(move: Move) -> int:
    """Number of a move for the kernel."""
    return DISPLACE if isinstance(move, Displacement) else int(move_codes([move])[0])
