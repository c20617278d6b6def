"""A pair cluster expansion of the formation energy on a bcc lattice.

    E = sum over bonds of V_k(A, B) + N sum_{A<B} L_AB c_A c_B (c_A - c_B)

V_k(A, B) is the energy of a bond of shell k, symmetric, with V_k(A, A) = 0 for atoms, so
that E is the formation energy against the pure elements. L is the subregular term of
Hardy (Acta Metall. 1, 202 (1953)): it depends on the overall composition alone, hence
leaves order and kinetics at fixed composition untouched, and carries the asymmetry of
the mixing energy that pairs cannot.

A vacancy is a species with V_k(X, A) fitted up to one constant a shell, fixed by
sum_A V_k(X, A) = 0: its own formation energy is not part of E. V_k(X, X) is the value
that makes the vacancy-vacancy term vanish in the zero-mean gauge,
V_k(X, X) = 2 mean_A V_k(X, A) - mean_AB V_k(A, B).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from ..crystal import Crystal
from ..kinetics.padding import linear_offsets
from ..lattice import BCC, VACANCY, SiteGrid

MOST_SHELLS = 12
MOST_EV = 1e3


@dataclass(frozen=True)
class PairEnergy:
    """Pair energies by shell.

    Attributes
    ----------
    species : tuple of str
        Symbols by code, without the vacancy, whose code comes last.
    pair_eV : array, shape (n_shells, S, S)
        Bond energies in eV, S species with the vacancy last, symmetric.
    subregular_eV : array, shape (S - 1, S - 1)
        L_AB in eV per atom for A < B; other entries are 0.
    """

    species: tuple[str, ...]
    pair_eV: NDArray[np.float64]
    subregular_eV: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.species) + 1
        known = [s for s in self.species if s in atomic_numbers and s != VACANCY]
        if not known or len(set(known)) != len(self.species):
            raise ValueError(f"species must be different symbols of elements, not {self.species}")
        if self.pair_eV.shape[1:] != (n, n) or self.subregular_eV.shape != (n - 1, n - 1):
            raise ValueError(f"pair energies of {n - 1} species need matrices of {n} x {n}")
        if not 1 <= self.n_shells <= MOST_SHELLS:
            raise ValueError(f"pair energies must be of 1 to {MOST_SHELLS} shells")
        if not all((np.abs(a) <= MOST_EV).all() for a in (self.pair_eV, self.subregular_eV)):
            raise ValueError(f"pair energies must be finite and at most {MOST_EV:g} eV")
        if not np.allclose(self.pair_eV, self.pair_eV.transpose(0, 2, 1), atol=1e-12):
            raise ValueError("pair energies must be symmetric in the two species")

    @property
    def n_shells(self) -> int:
        """Number of neighbour shells that interact."""
        return len(self.pair_eV)

    def only(self, species: Sequence[str]) -> PairEnergy:
        """That of some of its species, in this order.

        Raises
        ------
        ValueError
            If one is not among them.
        """
        missing = sorted(set(species) - set(self.species))
        if missing:
            known = ", ".join(self.species)
            raise ValueError(f"the pair energy knows {known}, not {', '.join(missing)}")
        atoms = [self.species.index(name) for name in species]
        rows = np.array([*atoms, len(self.species)])
        odd = (self.subregular_eV - self.subregular_eV.T)[np.ix_(atoms, atoms)]
        return PairEnergy(tuple(species), self.pair_eV[:, rows[:, None], rows], np.triu(odd))

    def energy(self, crystal: Crystal) -> float:
        """Formation energy of a crystal, in eV.

        Raises
        ------
        ValueError
            If its species differ from those of the model.
        """
        if crystal.species[:-1] != self.species:
            raise ValueError(f"species {crystal.species[:-1]} are not {self.species}")
        occupation = crystal.occupation
        total = 0.0
        for k, vectors in enumerate(BCC.shells(self.n_shells)):
            neighbours = occupation[crystal.grid.neighbors(vectors)]
            total += 0.5 * float(self.pair_eV[k][occupation[:, None], neighbours].sum())
        counts = crystal.counts[:-1]
        return total + float(counts.sum()) * self.composition_energy(counts)

    def composition_energy(self, counts: NDArray[np.integer]) -> float:
        """The subregular term, eV per atom, of numbers of atoms, shape (S - 1,)."""
        c = counts / counts.sum()
        return float(np.sum(self.subregular_eV * np.outer(c, c) * (c[:, None] - c[None, :])))

    def kernel_arrays(self, grid: SiteGrid) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Padded offsets, shape (n_basis, Z), and bond energies, (Z, S, S), for swap kernels."""
        shells = BCC.shells(self.n_shells)
        pair = np.concatenate([np.repeat(v[None], len(s), 0) for v, s in zip(self.pair_eV, shells)])
        return linear_offsets(grid, np.vstack(shells)), np.ascontiguousarray(pair)
