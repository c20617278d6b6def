"""Bond densities of an alloy, and the order parameters that follow from them.

The macroscopic state holds the bond densities of the first shell, which are predicted and
reported, and of as many further shells as it takes to close it.

With y_AB = N_AB / n the number of first-shell A-B bonds per site (A != B, each bond once), z the
neighbours of a site, c the composition over atoms plus vacancies and v_A the mean number of vacancy
neighbours of an A atom,

    delta_AB = y_AB / c_A - z c_B                               (A != B)
    delta_AA = z c_X - v_A - sum_{B != A} delta_AB              (sum rule)
    alpha_AB = 1 - p_AB / c_B = -delta_AB / (z c_B).

Of unlike pairs, and in every shell k of z_k neighbours, alpha_AB = 1 - y_AB / (z_k c_A c_B): of all
these it is the one that has a limit where A becomes dilute.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..observables.short_range_order import random_bonds, random_offset

BCC_SHELLS = (8, 6, 12)


@dataclass(frozen=True)
class BondOrder:
    """First-neighbour order of an alloy of fixed composition.

    Attributes
    ----------
    species : tuple of str
        Without the vacancy.
    counts : int array, shape (S,)
        Sites of each species in the large system, vacancies last.
    shell_sizes : tuple of int
        Neighbours of a site by shell; default those of bcc.
    """

    species: tuple[str, ...]
    counts: NDArray[np.int64]
    shell_sizes: tuple[int, ...] = BCC_SHELLS

    @property
    def coordination(self) -> int:
        """z, neighbours of a site."""
        return self.shell_sizes[0]

    @cached_property
    def present(self) -> list[int]:
        """Codes of the species of which there are atoms."""
        return np.flatnonzero(self.counts[:-1]).tolist()

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Unlike pairs A < B of species that are there: components of z, shell by shell."""
        return list(itertools.combinations(self.present, 2))

    @cached_property
    def all_pairs(self) -> list[tuple[int, int]]:
        """All pairs A <= B, the components of delta and alpha that are reported."""
        return list(itertools.combinations_with_replacement(self.present, 2))

    @property
    def pair_names(self) -> tuple[str, ...]:
        """Names of the first-shell components of z."""
        return tuple(f"{self.species[a]}-{self.species[b]}" for a, b in self.pairs)

    def state_names(self, n_shells: int) -> tuple[str, ...]:
        """Names of all components of z, such as ``"Mo-Ta"`` and ``"Mo-Ta (2)"``."""
        further = (f"{name} ({k})" for k in range(2, n_shells + 1) for name in self.pair_names)
        return (*self.pair_names, *further)

    @property
    def all_names(self) -> tuple[str, ...]:
        """Names of the components of delta and alpha."""
        return tuple(f"{self.species[a]}-{self.species[b]}" for a, b in self.all_pairs)

    @property
    def fractions(self) -> Array:
        """c over atoms plus vacancies, shape (S,)."""
        shares: Array = self.counts / self.counts.sum()
        return shares

    def densities(self, bonds: NDArray[Any], n_sites: int) -> Array:
        """Unlike-bond densities, shape (..., d), from ordered counts, shape (..., S, S)."""
        first, second = np.array(self.pairs).T
        return np.asarray(bonds)[..., first, second] / n_sites

    def state(self, bonds: NDArray[Any], n_sites: int) -> Array:
        """z, shape (n_shells * d,), from ordered counts by shell, shape (n_shells, S, S)."""
        return self.densities(bonds, n_sites).ravel()

    def random_state(self, n_shells: int) -> Array:
        """Exact mean z of random crystals of these numbers, shape (n_shells * d,)."""
        first, second = np.array(self.pairs).T
        bonds = random_bonds(self.counts, self.shell_sizes[:n_shells])[:, first, second]
        z: Array = bonds.ravel() / self.counts.sum()
        return z

    def vacancy_neighbours(self, bonds: NDArray[Any]) -> Array:
        """v_A of a crystal with these ordered counts, shape (..., S - 1); 0 without A atoms."""
        bonds = np.asarray(bonds)
        atoms = bonds.sum(axis=-1)[..., :-1] / self.coordination
        return bonds[..., :-1, -1] / np.where(atoms > 0, atoms, 1.0)

    def delta_matrix(self, z: Array, vacancy_neighbours: Array) -> Array:
        """delta_AB, shape (..., S - 1, S - 1), from z (first shell first) and v (..., S - 1)."""
        z, v = np.asarray(z), np.asarray(vacancy_neighbours)
        c, n = self.fractions, len(self.species)
        delta = np.zeros((*z.shape[:-1], n, n))
        for k, (a, b) in enumerate(self.pairs):
            delta[..., a, b] = z[..., k] / c[a] - self.coordination * c[b]
            delta[..., b, a] = z[..., k] / c[b] - self.coordination * c[a]
        for a in range(n):
            delta[..., a, a] = self.coordination * c[-1] - v[..., a] - delta[..., a, :].sum(axis=-1)
        return delta

    def delta(self, z: Array, vacancy_neighbours: Array) -> Array:
        """Components A <= B of delta, shape (..., n_all)."""
        first, second = np.array(self.all_pairs).T
        return self.delta_matrix(z, vacancy_neighbours)[..., first, second]

    def alpha(self, delta: Array) -> Array:
        """Warren-Cowley parameters of components of delta, same shape."""
        second = np.array(self.all_pairs)[:, 1]
        values: Array = -np.asarray(delta) / (self.coordination * self.fractions[second])
        return values

    @cached_property
    def random_delta(self) -> Array:
        """Exact expectation of delta in random crystals of these numbers, shape (n_all,).

        A crystal of fixed numbers is not quite random: `observables.random_offset`.
        """
        first, second = np.array(self.all_pairs).T
        values: Array = random_offset(self.counts, [self.coordination])[0, first, second]
        return values

    def row_sum_residual(self, z: Array, vacancy_neighbours: Array) -> float:
        """Largest violation of the sum rule by `delta_matrix`."""
        rows = self.delta_matrix(z, vacancy_neighbours).sum(axis=-1)
        expected = self.coordination * self.fractions[-1] - np.asarray(vacancy_neighbours)
        return float(np.abs(rows - expected).max())
