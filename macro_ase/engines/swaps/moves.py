"""Monte Carlo moves that `PatchMC` and `EAMLattice` can mix, each with a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...kinetics import site_moves
from ...reals import require_positive


@dataclass(frozen=True)
class Move:
    """A move and how often it is tried.

    Attributes
    ----------
    weight : float
        Share of the attempts, relative to those of the other moves.

    Raises
    ------
    ValueError
        If the weight is not positive.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        require_positive(self.weight, f"weight of {type(self).__name__}")


@dataclass(frozen=True)
class SiteMove(Move):
    """A move that changes species and leaves positions alone."""

    code: ClassVar[int]


@dataclass(frozen=True)
class Swap(SiteMove):
    """Two active sites, anywhere, exchange what they hold."""

    code: ClassVar[int] = site_moves.SWAP


@dataclass(frozen=True)
class NeighbourSwap(SiteMove):
    """An active site and one of its nearest neighbours exchange what they hold.

    An attempt whose second site is not active changes nothing.
    """

    code: ClassVar[int] = site_moves.NEIGHBOUR_SWAP


@dataclass(frozen=True)
class VacancySwap(SiteMove):
    """A vacancy ``X`` and an active site, anywhere, exchange what they hold."""

    code: ClassVar[int] = site_moves.VACANCY_SWAP


@dataclass(frozen=True)
class Transmute(SiteMove):
    """An atom turns into another species, in a semi-grand ensemble."""

    code: ClassVar[int] = site_moves.TRANSMUTE


@dataclass(frozen=True)
class Displacement(Move):
    """An active atom is displaced by up to ``width_A`` along each axis, uniformly."""

    width_A: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self.width_A, "width_A of Displacement")


def as_moves(moves: Move | Sequence[Move]) -> tuple[Move, ...]:
    """One move or several as a tuple.

    Raises
    ------
    ValueError
        If there is none, or something is not a move.
    """
    found = tuple(moves) if isinstance(moves, Sequence) else (moves,)
    wrong = [move for move in found if not isinstance(move, Move)]
    if wrong or not found:
        raise ValueError(f"moves are such as Swap() or Displacement(0.1), not {moves!r}")
    return found


def cumulative_chances(moves: Sequence[Move]) -> NDArray[np.float64]:
    """Cumulative probabilities of the moves, shape (n_moves,), the last exactly 1."""
    running = np.cumsum([move.weight for move in moves])
    return np.asarray(running / running[-1])


def move_codes(moves: Sequence[Move]) -> NDArray[np.int64]:
    """Numbers of site moves for the kernels, shape (n_moves,).

    Raises
    ------
    ValueError
        If one displaces atoms.
    """
    wrong = [type(move).__name__ for move in moves if not isinstance(move, SiteMove)]
    if wrong:
        raise ValueError(f"sites stay where they are: {wrong[0]} is not possible")
    return np.array([move.code for move in moves if isinstance(move, SiteMove)], dtype=np.int64)


def kernel_moves(moves: Sequence[Move]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Codes and cumulative probabilities of site moves, as kernels take them."""
    return move_codes(moves), cumulative_chances(moves)
