"""Metropolis swaps of neighbours on sites, by any energy: many states go together.

Of one state at a time or of many, a walk draws its own random numbers and makes the same moves,
those that `EAMLattice` makes for the same energies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from ase import units
from numpy.typing import NDArray

from ...arrays import Array
from ...kinetics.random import uniform
from ...kinetics.site_moves import NEIGHBOUR_SWAP, Neighbourhood, propose

Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
NONE = np.arange(0)


@dataclass(frozen=True)
class Bath:
    """What keeps the positions of a state warm.

    Attributes
    ----------
    beta : float
        1 / k_B T, 1/eV.
    rng : uint64 array, shape (4,)
        The random numbers of the state's walk, which whoever draws changes in place.
    """

    beta: float
    rng: NDArray[np.uint64]


@dataclass
class Held:
    """What n sites hold; whoever knows its energy adds what it remembers of it.

    Attributes
    ----------
    occupation : int8 array, shape (n,)
        Species codes.
    active : int array
        Sites that may change.
    memory : dict
        The energy's own, such as energies of sites.
    bath : Bath, optional
        That of the walk that it makes.
    """

    occupation: Codes
    active: Ints
    memory: dict[str, Any]
    bath: Bath | None = None


@dataclass(frozen=True)
class Swap:
    """Sites i and j of a state exchange what they hold."""

    held: Held
    i: int
    j: int


class SwapEnergy(Protocol):
    """Energy changes of swaps in states: all that Monte Carlo asks of a potential."""

    def begin(self, occupation: Codes, active: Ints) -> Held:
        """A state with these species codes, copied, of which some sites may change."""

    def changes(self, swaps: Sequence[Swap]) -> Array:
        """Energy changes if swaps of different states were made, shape (n_swaps,), eV."""

    def accept(self, swap: Swap) -> None:
        """Make the swap that was asked for last of its state."""


@dataclass(frozen=True)
class Neighbours:
    """Who is near whom on n sites.

    ``near`` holds whom `NEIGHBOUR_SWAP` may choose; ``shells`` are neighbours by shell, shape
    (n, z_k) each, whose bonds are counted.
    """

    near: Neighbourhood
    shells: Sequence[Ints]

    def swap_bonds(self, occupation: Codes, i: int, j: int, n_species: int) -> Ints:
        """Change of the ordered bond counts by a swap, shape (n_shells, S, S)."""
        change = np.zeros((len(self.shells), n_species, n_species), dtype=np.int64)
        now = occupation.copy()
        for site, new in ((i, occupation[j]), (j, occupation[i])):
            for counts, table in zip(change, self.shells):
                self._count(counts, now, site, table[site], int(new))
            now[site] = new
        return change

    @staticmethod
    def _count(counts: Ints, now: Codes, site: int, around: Ints, new: int) -> None:
        """A site turns new: its bonds in both directions, but those to its own images once."""
        old, images = int(now[site]), int(np.count_nonzero(around == site))
        others = np.bincount(now[around], minlength=len(counts))
        others[old] -= images
        for species, sign in ((old, -1), (new, 1)):
            counts[species] += sign * others
            counts[:, species] += sign * others
            counts[species, species] += sign * images


class Walk:
    """One state on its way; `next` and `decide` make it go.

    Parameters
    ----------
    held : Held
    neighbours : Neighbours
    n_species : int
        With the vacancy.
    n_core : int
        How many of the active sites, the first, belong to the core.
    attempts : int
    temperature_K : float
    rng : uint64 array, shape (4,)
        Changed in place.

    Attributes
    ----------
    bonds : array, shape (n_shells, S, S)
        Change of the ordered bond counts by swaps in the core; half of it where one site is there.
    accepted : int
    """

    def __init__(
        self,
        held: Held,
        neighbours: Neighbours,
        n_species: int,
        n_core: int,
        attempts: int,
        temperature_K: float,
        rng: NDArray[np.uint64],
    ) -> None:
        self.held, self.neighbours, self.left = held, neighbours, attempts
        self.beta, self.rng, self.accepted = 1 / (units.kB * temperature_K), rng, 0
        held.bath = Bath(self.beta, rng)
        self.role = np.zeros(len(held.occupation), dtype=np.int8)
        self.role[held.active] = 1
        self.role[held.active[:n_core]] = 2
        self.most = int(neighbours.near.nearest[held.active].max(initial=0))
        shape = (len(neighbours.shells), n_species, n_species)
        self.bonds = np.zeros(shape)

    def next(self) -> Swap | None:
        """The next swap of unlike atoms, or None when all attempts are made."""
        occupation, active = self.held.occupation, self.held.active
        while self.left:
            self.left -= 1
            i, j, new = propose(
                NEIGHBOUR_SWAP, occupation, active, self.role, self.neighbours.near,
                self.most, NONE, NONE, self.rng,
            )  # fmt: skip
            if new != occupation[i]:
                return Swap(self.held, int(i), int(j))
        return None

    def decide(self, swap: Swap, change_eV: float, energy: SwapEnergy) -> None:
        """Metropolis rule."""
        if change_eV > 0 and uniform(self.rng) >= np.exp(-self.beta * change_eV):
            return
        halves = int(self.role[swap.i] == 2) + int(self.role[swap.j] == 2)
        if halves:
            own = (self.held.occupation, swap.i, swap.j, self.bonds.shape[-1])
            self.bonds += halves / 2 * self.neighbours.swap_bonds(*own)
        energy.accept(swap)
        self.accepted += 1


def go_together(walks: Sequence[Walk], energy: SwapEnergy) -> None:
    """Let walks make all their attempts, a swap of each at a time."""
    waiting = [(walk, swap) for walk in walks if (swap := walk.next())]
    while waiting:
        changes = energy.changes([swap for _, swap in waiting])
        for (walk, swap), change in zip(waiting, changes):
            walk.decide(swap, float(change), energy)
        waiting = [(walk, swap) for walk, _ in waiting if (swap := walk.next())]
