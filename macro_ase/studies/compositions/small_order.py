"""Where small crystals rest at any temperature and composition, as large ones would.

alpha of unlike pairs is smooth in 1000 K / T and composition, and so is the number of vacancies
beside an atom over their fraction; both are fitted to averages over late halves of the small runs.
A crystal of n sites lacks 1 / (n - 1) of alpha, as a random one does
(`observables.short_range_order`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.composition_surface import CompositionSurface
from ...analysis.order_comparison import Estimate, mean_of_runs
from ...arrays import Array, Chunk
from ...systems.alloy_order import BondOrder
from ..alloys.design import Design
from .design import CompositionDesign
from .deviation import delta_of_deviation, deviation, scatter_scale

Chunks = Mapping[str, Chunk]


@dataclass(frozen=True)
class SmallOrder:
    """What small runs say of all compositions: surfaces over 1000 K / T and composition.

    Attributes
    ----------
    pairs : tuple of (int, int)
        Unlike pairs of the species learned from.
    shells : int
    alpha : CompositionSurface
        Of these pairs by shell, in crystals without end.
    vacancies : CompositionSurface
        Vacancy neighbours of an atom of each species, over 8 c_X.
    """

    pairs: tuple[tuple[int, int], ...]
    shells: int
    alpha: CompositionSurface
    vacancies: CompositionSurface

    @classmethod
    def of(cls, d: CompositionDesign, small: Chunks) -> SmallOrder:
        """From second halves of the small runs."""
        each = [_averages(own, t, [small[key] for key in own.keys("small", t)], d.system.shells)
                for own, t in d.conditions]  # fmt: skip
        rows, alpha, error, scale, neighbours = (np.array(column) for column in zip(*each))
        known = np.sqrt((error**2 + np.mean(error**2, axis=0)) / 2) / scale
        fit = CompositionSurface.fit
        own_pairs = tuple(d.system.order.pairs)
        return cls(own_pairs, d.system.shells, fit(rows, alpha, known), fit(rows, neighbours))

    def rest(self, order: BondOrder, condition: Array) -> Array:
        """x of all pairs by shell, shape (d,), at the size of ``order``; 0 of pairs not there."""
        alpha = self.alpha(condition)[0] - 1 / (order.counts.sum() - 1)
        own: Array = scatter_scale(order, self.pairs, self.shells) * alpha
        return own

    def neighbours(self, order: BondOrder, condition: Array) -> Array:
        """v_A, shape (S - 1,), 0 of species that are not there."""
        share = np.maximum(self.vacancies(condition)[0], 0.0)
        return np.where(order.counts[:-1] > 0, share * 8 * order.fractions[-1], 0.0)

    def delta(self, order: BondOrder, condition: Array) -> Estimate:
        """delta of all pairs that are there, with errors of independent alpha, shapes (n_all,)."""
        rest, v = self.rest(order, condition), self.neighbours(order, condition)
        error = scatter_scale(order, self.pairs, self.shells) * self.alpha.error(condition)[0]
        moved = np.vstack([rest, rest + np.diag(error)])
        value, *others = delta_of_deviation(order, self.pairs, moved, v)
        return Estimate(value, np.sqrt(((np.array(others) - value) ** 2).sum(axis=0)))


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
