"""Ordered phases of bcc: built on its sites, and recognised by who neighbours whom.

The sites of bcc are four interpenetrating fcc lattices: corners in two, centres in two. With their
species, majority first,

    B2    (CsCl)     A  B  A  B     corners A, centres B
    B32   (NaTl)     A  A  B  B     half of the corners and half of the centres A
    D0_3  (BiF3)     A  B  A  A     A3B
    L2_1  (Heusler)  A  B  A  C     A2BC
    C11_b (MoSi2)    planes A, B, B along an axis: AB2, on three cubes of bcc

in the order (corner, centre, other corner, other centre). Two arrangements are taken for the same
when every ordered bond count of the first three shells is the same per site.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from ..crystal import Crystal
from ..lattice import BCC, SiteGrid
from ..sublattices import sublattices
from .bonds import bond_counts

SUBLATTICES = {
    "B2": (0, 1, 0, 1),
    "B32": (0, 0, 1, 1),
    "D0_3": (0, 1, 0, 0),
    "L2_1": (0, 1, 0, 2),
}
"""Which of its species is on each of the four fcc lattices."""
SHELLS = 3


@dataclass(frozen=True)
class OrderedPhase:
    """A phase of given elements.

    Attributes
    ----------
    kind : str
        B2, B32, D0_3, C11_b or L2_1.
    species : tuple of str
        Symbols, in the order of the module.
    """

    kind: str
    species: tuple[str, ...]

    @property
    def formula(self) -> str:
        """Such as ``Mo3Ta``."""
        a, b, *rest = self.species
        ending = {"D0_3": f"{a}3{b}", "C11_b": f"{a}{b}2"}
        return ending.get(self.kind) or (f"{a}2{b}{rest[0]}" if rest else a + b)

    def crystal(self, lattice_constant_A: float) -> Crystal:
        """Perfect sites: 2 x 2 x 2 conventional cells of bcc, 2 x 2 x 3 for C11_b."""
        grid = SiteGrid(BCC, (2, 2, 3 if self.kind == "C11_b" else 2))
        if self.kind == "C11_b":
            place = (grid.coordinates[:, 2] % 3 != 0).astype(int)
        else:
            place = np.array(SUBLATTICES[self.kind])[sublattices(grid)]
        names = tuple(sorted(set(self.species)))
        codes = np.array([names.index(s) for s in self.species])
        return Crystal.from_sites(grid, names, codes[place], lattice_constant_A)

    def atoms(self, lattice_constant_A: float) -> Atoms:
        """As `crystal`."""
        return self.crystal(lattice_constant_A).to_atoms()

    def is_of(self, crystal: Crystal) -> bool:
        """Whether a crystal without a vacancy, species in alphabetical order, is this phase."""
        own = self.crystal(1.0)
        if own.species != crystal.species or len(crystal.vacancies):
            return False
        return bool(np.allclose(_bonds(own), _bonds(crystal)))


def ordered_phases(species: Sequence[str]) -> list[OrderedPhase]:
    """Every phase that elements can form: of all pairs, and L2_1 of all triples."""
    names = sorted(set(species))
    pairs, both = itertools.combinations(names, 2), list(itertools.permutations(names, 2))
    phases = [OrderedPhase(kind, pair) for pair in pairs for kind in ("B2", "B32")]
    phases += [OrderedPhase(kind, pair) for kind in ("D0_3", "C11_b") for pair in both]
    triples = itertools.combinations(names, 3)
    phases += [
        OrderedPhase("L2_1", (a, *(s for s in triple if s != a)))
        for triple in triples
        for a in triple
    ]
    return phases


def _bonds(crystal: Crystal) -> NDArray[np.float64]:
    """Ordered bond counts per site, shape (shells, S, S)."""
    grid, n = crystal.grid, len(crystal.species)
    shells = BCC.shells(SHELLS)
    counts = [bond_counts(crystal.occupation, grid.neighbors(v), n) for v in shells]
    return np.array(counts) / grid.n_sites
