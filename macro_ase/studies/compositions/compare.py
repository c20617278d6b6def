"""What a study of compositions found: order at held-out compositions, assumptions measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.model_steps import PairsShown, examine
from ...analysis.order_comparison import Estimate, mean_of_runs
from ...analysis.time_step import TimeStepScan
from ...arrays import Array, Chunk
from ..alloys.design import Design
from .design import CompositionDesign, atom_fractions, inside
from .deviation import delta_of_deviation
from .small_order import SmallOrder

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
        delta by a fit over composition to averages of small crystals, with the offset of their
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
    from_small: SmallOrder,
    scan: TimeStepScan,
    pairs: Mapping[int, Chunk],
    model: MacroModel,
    direct: Chunks,
    paths: Sequence[Array],
    cpu_s: Mapping[str, float],
) -> Findings:
    """Prediction beside truth; ``pairs`` are those of a learned condition, as it is learned."""
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
    v, rest = from_small.neighbours(order, condition), from_small.rest(order, condition)
    x = rest + late.mean(axis=(1, 2))
    means = delta_of_deviation(order, from_small.pairs, x, v)
    averages = from_small.delta(order, condition)
    unknown = np.full(len(order.all_pairs), np.nan)
    true = Estimate(unknown, unknown)
    if runs:
        true = Estimate(
            *mean_of_runs([order.delta(r["z"][first:], r["extra"][first:]) for r in runs])
        )
    names, factor = order.all_names, order.alpha(np.ones(len(order.all_pairs)))
    return HeldOut(
        own.label[:-1],
        temperature,
        bool(inside(d.fractions, atom_fractions(order)[None])[0]),
        bool(np.any(order.counts[:-1] == 0)),
        names,
        Estimate(means.mean(axis=0), error_of(means, averages.error)),
        true,
        averages,
        factor,
    )


def error_of(members: Array, surface: Array) -> Array:
    """Standard errors of an ensemble's mean about a surface that all members share.

    Of ``members``, shape (members, n), and the errors of the surface, (n,); nan of one member.
    """
    spread = members.std(axis=0, ddof=1) if len(members) > 1 else np.full(surface.shape, np.nan)
    error: Array = np.hypot(spread / np.sqrt(len(members)), surface)
    return error
