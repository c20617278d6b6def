"""What a study of compositions found: order at held-out compositions, assumptions measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.composition_surface import CompositionSurface
from ...analysis.model_steps import PairsShown, examine
from ...analysis.order_comparison import Estimate, mean_of_runs, small_averages
from ...analysis.time_step import TimeStepScan
from ...arrays import Array, Chunk
from ...systems.alloy_order import BondOrder
from ..alloys.design import Design
from .design import CompositionDesign, atom_fractions, delta_of_alpha, inside

if TYPE_CHECKING:
    from ...learning.models.macro_model import MacroModel

Chunks = Mapping[str, Chunk]


@dataclass(frozen=True)
class HeldOut:
    """Order of a held-out composition at a temperature; estimates have shape (n_all,).

    Attributes
    ----------
    label : str
    temperature : float
    inside : bool
        Whether the composition lies between those learned from.
    edge : bool
        Whether a species is absent.
    names : tuple of str
        Pairs A <= B that are there.
    predicted, true : Estimate
        delta by the model and directly; without direct runs the truth is nan.
    averages : Estimate
        delta by a fit over composition to averages of small crystals, less the offset of their
        size.
    factor : array
        alpha / delta.
    """

    label: str
    temperature: float
    inside: bool
    edge: bool
    names: tuple[str, ...]
    predicted: Estimate
    true: Estimate
    averages: Estimate
    factor: Array


@dataclass(frozen=True)
class SmallOrder:
    """What small runs say of all compositions: surfaces over 1000 K / T and composition.

    Attributes
    ----------
    alpha : CompositionSurface
        Of all pairs A <= B, as in a crystal of the large size.
    vacancies : CompositionSurface
        Vacancy neighbours of an atom of each species, over 8 c_X.
    """

    alpha: CompositionSurface
    vacancies: CompositionSurface

    @classmethod
    def of(cls, d: CompositionDesign, small: Chunks) -> SmallOrder:
        """From second halves of the small runs."""
        conditions, alphas, neighbours = [], [], []
        for own, t in d.conditions:
            runs = [small[key] for key in own.keys("small", t)]
            order, little = own.system.order, own.system.small_order
            (delta, _), (v, _) = small_averages(little, runs, own.system.vacancy_scale)
            offset = little.random_delta - order.random_delta
            conditions.append(own.system.model_condition({"T": t}))
            alphas.append(order.alpha(delta - offset))
            neighbours.append(v / (8 * order.fractions[-1]))
        rows = np.array(conditions)
        fit = CompositionSurface.fit
        return cls(fit(rows, np.array(alphas)), fit(rows, np.array(neighbours)))

    def neighbours(self, order: BondOrder, condition: Array) -> Array:
        """v_A, shape (S - 1,), 0 of species that are not there."""
        share = np.maximum(self.vacancies(condition)[0], 0.0)
        return np.where(order.counts[:-1] > 0, share * 8 * order.fractions[-1], 0.0)


@dataclass(frozen=True)
class Findings:
    """What the stages made."""

    held_out: list[HeldOut]
    scan: TimeStepScan
    pairs: list[PairsShown]
    small_lengths: list[float]
    history: Array
    cpu_s: Mapping[str, float]


def compare(
    d: CompositionDesign,
    small: Chunks,
    scan: TimeStepScan,
    pairs: Mapping[int, Chunk],
    model: MacroModel,
    direct: Chunks,
    paths: Sequence[Array],
    cpu_s: Mapping[str, float],
) -> Findings:
    """Prediction beside truth; ``pairs`` are those of a learned condition, as alpha."""
    from_small = SmallOrder.of(d, small)
    shown, sizes = [], d.training[0].sampled_sizes
    for chunk, (own, t) in zip(pairs.values(), d.conditions):
        shown.append(examine(model, chunk, own.system.model_condition({"T": t}), *sizes))
    held_out = []
    for (own, t), z in zip(d.truths, paths):
        first = own.burn_in(float(scan.slowest_chosen[d.nearest(own, t)]), scan.chosen)
        runs = [direct[key] for key in own.keys("direct", t)]
        held_out.append(_held_out(d, own, t, from_small, runs, z[:, :, first:], first))
    lengths = [
        len(small[own.keys("small", t)[0]]["z"]) / 2 * own.system.record_events / slowest
        for (own, t), slowest in zip(d.conditions, scan.slowest_chosen)
    ]
    return Findings(held_out, scan, shown, lengths, model.trained.history, cpu_s)


def _held_out(
    d: CompositionDesign,
    own: Design,
    temperature: float,
    from_small: SmallOrder,
    runs: Sequence[Chunk],
    late: Array,
    first: int,
) -> HeldOut:
    order, condition = own.system.order, own.system.model_condition({"T": temperature})
    v, all_pairs = from_small.neighbours(order, condition), d.system.order.pairs
    means = delta_of_alpha(order, all_pairs, late.mean(axis=(1, 2)), v)
    spread = means.std(axis=0, ddof=1) if len(means) > 1 else np.full(len(means[0]), np.nan)
    unknown = np.full(len(order.all_pairs), np.nan)
    true = Estimate(unknown, unknown)
    if runs:
        true = Estimate(
            *mean_of_runs([order.delta(r["z"][first:], r["extra"][first:]) for r in runs])
        )
    names, factor = order.all_names, order.alpha(np.ones(len(order.all_pairs)))
    kept = [d.system.order.all_names.index(name) for name in names]
    alpha, error = (
        of(condition)[0][kept] for of in (from_small.alpha, from_small.alpha.error)
    )  # fmt: skip
    return HeldOut(
        own.label[:-1],
        temperature,
        bool(inside(d.fractions, atom_fractions(order)[None])[0]),
        bool(np.any(order.counts[:-1] == 0)),
        names,
        Estimate(means.mean(axis=0), spread / np.sqrt(len(means))),
        true,
        Estimate(alpha / factor, np.abs(error / factor)),
        factor,
    )
