"""Where small crystals rest at any temperature and composition, as large ones would.

The exchange energies of unlike pairs (`observables.quasichemical`) change little with 1000 K / T
and composition, and so does the number of vacancies beside an atom over their fraction; both are
fitted to averages over late halves of the small runs. A crystal of n sites lacks 1 / (n - 1) of
alpha, as a random one does (`observables.short_range_order`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.composition_surface import CompositionSurface
from ...analysis.order_comparison import Estimate, mean_of_runs
from ...arrays import Array, Chunk
from ...observables.quasichemical import Pairs, alpha_of_exchange, exchange
from ...systems.alloy_order import BondOrder
from ..alloys.design import Design
from .design import CompositionDesign, atom_fractions
from .deviation import delta_of_deviation, deviation, scatter_scale

Chunks = Mapping[str, Chunk]
RAREST = 1e-3
"""Bonds that are counted of a kind, at least, over those of a random crystal."""


@dataclass(frozen=True)
class SmallOrder:
    """What small runs say of all compositions: surfaces over 1000 K / T and composition.

    Attributes
    ----------
    pairs : tuple of (int, int)
        Unlike pairs of the species learned from.
    shells : int
    exchange : CompositionSurface
        q of these pairs by shell, in crystals without end.
    vacancies : CompositionSurface
        Vacancy neighbours of an atom of each species, over 8 c_X.
    """

    pairs: tuple[tuple[int, int], ...]
    shells: int
    exchange: CompositionSurface
    vacancies: CompositionSurface

    @classmethod
    def of(cls, d: CompositionDesign, small: Chunks) -> SmallOrder:
        """From second halves of the small runs."""
        each = [_averages(own, t, [small[key] for key in own.keys("small", t)], d.system.shells)
                for own, t in d.conditions]  # fmt: skip
        rows, alpha, error, scale, neighbours = (np.array(column) for column in zip(*each))
        known = np.sqrt((error**2 + np.mean(error**2, axis=0)) / 2) / scale
        pairs = tuple(d.system.order.pairs)
        moved = [
            _exchange_with_error(a, e, atom_fractions(own.system.order), pairs)
            for a, e, (own, _) in zip(alpha, known, d.conditions)
        ]
        q, q_error = (np.array(column) for column in zip(*moved))
        fit = CompositionSurface.fit
        return cls(pairs, d.system.shells, fit(rows, q, q_error), fit(rows, neighbours))

    def rest(self, order: BondOrder, condition: Array) -> Array:
        """x of all pairs by shell, shape (d,), at the size of ``order``; 0 of pairs not there."""
        return self._rest(order, self.exchange(condition)[0])

    def _rest(self, order: BondOrder, q: Array) -> Array:
        alpha = alpha_of_exchange(q, atom_fractions(order), self.pairs)
        scale = scatter_scale(order, self.pairs, self.shells)
        own: Array = scale * (alpha - 1 / (order.counts.sum() - 1))
        return own

    def neighbours(self, order: BondOrder, condition: Array) -> Array:
        """v_A, shape (S - 1,), 0 of species that are not there."""
        share = np.maximum(self.vacancies(condition)[0], 0.0)
        return np.where(order.counts[:-1] > 0, share * 8 * order.fractions[-1], 0.0)

    def delta(self, order: BondOrder, condition: Array) -> Estimate:
        """delta of all pairs that are there, with errors of independent q, shapes (n_all,)."""
        q, v = self.exchange(condition)[0], self.neighbours(order, condition)
        errors = np.diag(self.exchange.error(condition)[0])
        moved = np.array([self._rest(order, own) for own in (q, *(q + errors))])
        value, *others = delta_of_deviation(order, self.pairs, moved, v)
        return Estimate(value, np.sqrt(((np.array(others) - value) ** 2).sum(axis=0)))


def _exchange_with_error(
    alpha: Array, error: Array, fractions: Array, pairs: Pairs
) -> tuple[Array, Array]:
    """q and its errors, of independent alpha."""
    moved = alpha + np.diag(error)
    q, *others = (exchange(own, fractions, pairs, RAREST) for own in (alpha, *moved))
    return q, np.sqrt(((np.array(others) - q) ** 2).sum(axis=0))


def _averages(own: Design, t: float, runs: Sequence[Chunk], shells: int) -> tuple[Array, ...]:
    """Of late halves at one condition: itself, alpha, errors of x and its scale, v over 8 c_X.

    An error that few runs give is itself uncertain: half of its square will be the mean over all.
    """
    alone, large = own.system.alone(), own.system
    late = [(r["z"][len(r["z"]) // 2 :], r["extra"][len(r["z"]) // 2 :]) for r in runs]
    mean, error = mean_of_runs([deviation(alone.order, z, shells) for z, _ in late])
    v, _ = mean_of_runs([extra * large.vacancy_scale for _, extra in late])
    scale = scatter_scale(alone.order, alone.order.pairs, shells)
    of_size = 1 / (alone.large.n_sites - 1)
    neighbours = v / (8 * large.order.fractions[-1])
    return alone.model_condition({"T": t}), mean / scale + of_size, error, scale, neighbours
