"""The report of a study of an alloy's compositions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ...analysis.order_comparison import Estimate, coverage, rms, rms_with_error
from ...analysis.time_step import AGREEMENT
from ...arrays import Array
from ...report import Check, Cost, Figure, Metric, Report, Section, Table, Value
from ...report.figures import colour, dots, panels
from ...report.parts import Cell
from ..alloys.design import STATIONARY_AFTER
from ..beside import training_figure
from ..checks import patch_checks, patch_table, training_check
from ..cost import Routes, cost_of
from .compare import Findings, HeldOut
from .design import CompositionDesign

LEARNED = ("small runs", "patch pairs", "learning")
Way = Callable[[HeldOut], Estimate]


def report(d: CompositionDesign, f: Findings, quick: bool) -> Report:
    """All parts of the report."""
    one = d.training[0]
    kelvin = ", ".join(f"{t:g}" for t in one.temperatures)
    summary = (
        f"One model of {len(d.training)} compositions at {kelvin} K, learned from patches of "
        f"{d.system.large.n_sites} sites that were upsampled from {d.system.small.n_sites}, beside "
        f"direct runs of {len(d.held_out)} compositions that it has not seen"
        + (" (quick form)." if quick else ".")
    )
    notes = [f"Warning: {remark}." for remark in d.remarks]
    sections = [_order(f), _assumptions(d, f), _training(d, f)]
    parts = (_metrics(f), _checks(d, f), sections, _baselines(f), _cost(d, f))
    return Report([*notes, summary], *parts)


def miss(held_out: Sequence[HeldOut], way: Way) -> tuple[Array, Array]:
    """delta less the truth, all components of all conditions one after another; and its error."""
    if not held_out:
        return np.full(1, np.nan), np.full(1, np.nan)
    own = [(way(h), h.true) for h in held_out]
    errors = [np.hypot(np.nan_to_num(e.error), t.error) for e, t in own]
    return np.concatenate([e.value - t.value for e, t in own]), np.concatenate(errors)


def _unlike(h: HeldOut) -> list[bool]:
    """Which pairs are of two species; like ones are sums of these."""
    return [a != b for a, b in (name.split("-") for name in h.names)]


def _independent(held_out: Sequence[HeldOut]) -> int:
    """Numbers that do not follow from others."""
    return sum(sum(_unlike(h)) for h in held_out)


def _predicted(h: HeldOut) -> Estimate:
    return h.predicted


def _averages(h: HeldOut) -> Estimate:
    return h.averages


def _parts(f: Findings) -> dict[str, list[HeldOut]]:
    """All held-out conditions, then by where they lie."""
    return {
        "": f.held_out,
        "inside": [h for h in f.held_out if h.inside],
        "outside": [h for h in f.held_out if not h.inside and not h.edge],
        "edges": [h for h in f.held_out if h.edge],
    }


def _metrics(f: Findings) -> dict[str, Metric]:
    metrics = {}
    for name, own in _parts(f).items():
        if own or not name:
            floor = rms(np.concatenate([h.true.error for h in own])) if own else None
            found = rms_with_error(*miss(own, _predicted), _independent(own))
            metrics[f"composition_rms{name and '_' + name}"] = Metric(*found, None, floor, "delta")
    shares = coverage(_deviations(f.held_out)) if f.held_out else ()
    for (share, error), level, expected in zip(shares, ("68", "95"), (0.683, 0.95)):
        metrics[f"coverage_{level}"] = Metric(share, error, expected)
    return metrics


def _deviations(held_out: Sequence[HeldOut]) -> Array:
    """Misses of unlike pairs in their errors."""
    each = [
        ((h.predicted.value - h.true.value) / np.hypot(h.predicted.error, h.true.error))[_unlike(h)]
        for h in held_out
    ]
    of_all = np.concatenate(each)
    return of_all[np.isfinite(of_all)]


def _baselines(f: Findings) -> Table:
    ways = {"prediction by one model": _predicted, "small crystals' averages, fitted": _averages}
    parts = {name or "all": own for name, own in _parts(f).items() if own or not name}
    rows: list[list[Cell]] = [
        [
            name,
            *(Value(*rms_with_error(*miss(own, way), _independent(own))) for own in parts.values()),
        ]
        for name, way in ways.items()
    ]
    expected = [
        Value(rms(np.concatenate([h.true.error for h in own])) if own else None, form=".2g")
        for own in parts.values()
    ]
    rows.append(["all direct runs: expected error", *expected])
    caption = (
        "Root mean square error of delta against the direct runs, over pairs, held-out "
        "compositions and temperatures: inside and outside of those learned from, and edges, "
        "where a species is absent. The second row is the surface over composition and 1 / T, a "
        "Gaussian process, through the averages of the small runs that the model is learned "
        "about, with the offset of their size."
    )
    return Table(caption, ["", *parts], rows)


def _order(f: Findings) -> Section:
    ways: dict[str, Callable[[Estimate, HeldOut], Estimate]] = {
        "alpha": lambda e, h: Estimate(e.value * h.factor, np.abs(e.error * h.factor)),
        "delta": lambda e, h: e,
    }
    names = list(dict.fromkeys(name for h in f.held_out for name in h.names))
    tables = []
    for quantity, of in ways.items():
        rows: list[list[Cell]] = []
        for h in f.held_out:
            for way, e in (("predicted", h.predicted), ("direct", h.true)):
                own = of(e, h)
                cells = {n: Value(v, s, "+.3f") for n, v, s in zip(h.names, own.value, own.error)}
                where = "edge" if h.edge else "inside" if h.inside else "outside"
                row = [h.label, where, f"{h.temperature:g}", way]
                rows.append([*row, *(cells.get(name) for name in names)])
        columns = ["composition", "", "T (K)", "", *names]
        tables.append(Table(f"{quantity} at held-out compositions", columns, rows))
    text = (
        "Warren-Cowley alpha and delta of the first shell at compositions that were not learned "
        "from, predicted and direct; blank where a species is absent. Like pairs follow from the "
        "sum rule with vacancy neighbours fitted over composition."
    )
    figures = []
    if f.held_out:
        caption = "alpha predicted against alpha of direct runs, at all held-out compositions."
        figures.append(Figure("held_out.png", caption, partial(_draw, f)))
    return Section("Order at held-out compositions", text, tables, figures)


def _draw(f: Findings, path: Path) -> None:
    with panels(path, width=4.6, height=4.2) as (ax,):
        low, high = 0.0, 0.0
        for k, (name, own) in enumerate((n, h) for n, h in _parts(f).items() if n and h):
            true = np.concatenate([h.true.value * h.factor for h in own])
            mine = np.concatenate([h.predicted.value * h.factor for h in own])
            error = np.concatenate([h.predicted.error * np.abs(h.factor) for h in own])
            dots(ax, true, mine, colour(k), error, label=name)
            low, high = min(low, float(true.min())), max(high, float(true.max()))
        ax.plot([low, high], [low, high], color="0.6", lw=0.8, zorder=0)
        ax.set(xlabel=r"$\alpha$, direct", ylabel=r"$\alpha$, predicted")


def _labels(d: CompositionDesign) -> list[str]:
    return [f"{own.label[:-1]} {t:g} K" for own, t in d.conditions]


def _checks(d: CompositionDesign, f: Findings) -> list[Check]:
    by_label = {name: p.check for name, p in zip(_labels(d), f.pairs)}
    slopes, errors = zip(*(p.step for p in f.pairs))
    of_step = "Increments of wholes against the model's own mean step, relaxation included."
    of_scan = (
        f"Relaxation times of small runs at one and at two steps, relative difference; the step, "
        f"{f.scan.chosen:g} {d.system.event}, is the smallest at which all conditions agree."
    )
    of_eps = "eps over the smallest eigenvalue of the learned patch covariance."
    of_small = "Slowest relaxation times in the stationary half of a small run, by condition."
    return [
        *patch_checks(by_label, drift=0.25, noise=0.35),
        Check("step of the model = step of the whole", slopes, errors, 0.85, 1.15, of_step),
        Check("time step", f.scan.disagreement, high=AGREEMENT, text=of_scan, form=".1%"),
        Check("small runs long enough", f.small_lengths, low=10, text=of_small, form=".0f"),
        Check("regularisation small", [p.eps_share for p in f.pairs], high=0.01, text=of_eps),
        training_check({"": f.history}),
    ]


def _assumptions(d: CompositionDesign, f: Findings) -> Section:
    by_label = {name: p.check for name, p in zip(_labels(d), f.pairs)}
    more: dict[str, list[Cell]] = {
        "drift, whole / model": [Value(*p.step) for p in f.pairs],
        "share that met": [Value(p.check.met_share, form=".2f") for p in f.pairs],
        "slowest relaxation (hops)": [Value(s, form=".3g") for s in f.scan.slowest_chosen],
    }
    text = "Increments over one step of whole large states and of their patches evolved alone."
    name = "Assumptions of the method, measured"
    return Section(name, text, [patch_table(by_label, "condition", more)])


def _training(d: CompositionDesign, f: Findings) -> Section:
    number = sum(p.number for p in f.pairs)
    text = f"{len(f.history)} members, drift {d.learning['drift']!r}, {number} pairs."
    return Section("Training", text, figures=[training_figure(f.history)])


def _cost(d: CompositionDesign, f: Findings) -> Cost:
    """CPU seconds of both routes; conditions are held-out compositions and temperatures."""
    spent = dict.fromkeys((*LEARNED, "prediction", "direct runs"), 0.0) | dict(f.cpu_s)
    one, step = d.training[0], f.scan.chosen
    small_events = float(np.mean(list(one.small_events.values())))
    states = sum(p.number for p in f.pairs) / (one.repeats * one.n_evolved)
    runs, each = len(d.conditions) * one.small_runs, one.repeats * one.n_evolved
    learned = one.system.events(runs, small_events, states, one.healing_events, each, step)
    whole = one.system.events_of(small_events)[2]
    steps = [
        own.direct_runs * own.n_steps(t, float(f.scan.slowest_chosen[d.nearest(own, t)]), step)
        for own, t in d.truths
    ]
    routes = Routes(
        sum(spent[stage] for stage in LEARNED),
        spent["prediction"],
        spent["direct runs"],
        d.system.large.n_sites,
        STATIONARY_AFTER + float(np.mean([own.relaxation_times[t] for own, t in d.truths] or 0.0)),
        max(len(d.truths), 1),
        "slowest relaxation times",
    )
    events = {"learned": learned, "direct": {"direct runs": sum(steps) * step * whole}}
    return cost_of(events, f.cpu_s, routes)
